#include <fcntl.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <iomanip>
#include <memory>
#include <sstream>

#include "cli/commands.hpp"
#include "cli/completion.hpp"
#include "cli/examples.hpp"
#include "cli/options.hpp"
#include "cli/output.hpp"
#include "cli/privilege.hpp"
#include "topo/names.hpp"

namespace {

using topo::Exit;
using topo::cli::add_options, topo::cli::add_own_options;
using topo::cli::Arguments, topo::cli::Options;

struct Command {
  const char* name;
  const char* help;
  std::function<int(const Arguments&)> run;
  Options options;
  const char* operands;  ///< nullptr: none
  const char* operands_help;
  int least, most;  ///< of operands; -1: any number
};

template <Exit (*function)(const Arguments&)>
int run(const Arguments& arguments) {
  return static_cast<int>(function(arguments));
}

std::vector<Command> commands() {
  namespace cli = topo::cli;
  constexpr const char* file_help = "Topology file, folder of files called *.yaml, - for standard input";
  return {
      {"validate", "Check files without privilege or kernel", run<cli::validate>, {true, true}, "FILE", file_help, 1, -1},
      {"diff",
       "Show what apply would do; without a file: what has drifted",
       run<cli::diff>,
       {.format = true, .set = true, .firewall = true},
       "FILE",
       file_help,
       0,
       -1},
      {"apply", "Make it so: all or nothing", run<cli::apply>, {true, true, true, true, true}, "FILE", file_help, 1, -1},
      {"destroy",
       "Remove what a topology owns",
       run<cli::destroy>,
       {true, true, true, true},
       "TOPOLOGY",
       "Name of a topology, or a file or folder (with /, .yaml or -) of which only the names are read",
       0,
       -1},
      {"confirm",
       "Keep what apply --confirm changed",
       run<cli::confirm>,
       {true, false, true},
       "NAME",
       "Topology; may be left out where only one waits",
       0,
       1},
      {"rollback",
       "Take back at once what apply --confirm changed",
       run<cli::rollback>,
       {true, false, true},
       "NAME",
       "Topology; may be left out where only one waits",
       0,
       1},
      {"status", "Show the topologies that are here", run<cli::status>, {true}, "NAME", "Only this topology", 0, 1},
      {"exec", "Run a command inside a namespace", cli::exec, {}, "NS", "Namespace, then the command and its arguments", 1, 1},
      {"shell", "Start $SHELL inside a namespace", cli::shell, {}, "NS", "Namespace", 1, 1},
      {"logs", "Show what commands in namespaces have printed", run<cli::logs>, {}, "NS[/NAME]", "Namespace, or one command of it; left out: all that run here", 0, 1},
      {"test", "Prove by packets that who reaches whom is as declared", run<cli::test>, {.set = true}, "FILE", file_help, 0, -1},
      {"explain",
       "Say why A can or cannot reach B, hop by hop",
       run<cli::explain>,
       {.format = true, .set = true, .firewall = true},
       "ENDS",
       "File of the topology, else what was last applied here; then namespaces, bridges, zones, internet, host or addresses",
       2,
       3},
      {"run",
       "Run a command on a private host that has the topology",
       cli::run,
       {.set = true, .firewall = true},
       "FILE",
       file_help,
       1,
       -1},
      {"export",
       "Write the live state as a topology file",
       run<cli::export_topology>,
       {true},
       "NAME",
       "Topology; may be left out where only one is here",
       0,
       1},
      {"doctor",
       "Show what is in the way on this machine, each with its remedy",
       run<cli::doctor>,
       {.format = true, .set = true, .firewall = true},
       "FILE",
       file_help,
       0,
       -1},
      {"graph",
       "Draw a picture of a topology",
       run<cli::graph>,
       {false, true},
       "TOPOLOGY",
       "File (with /, .yaml or -), or the name of a topology that is here; may be left out where only one is",
       0,
       1},
      {"schema", "Print the JSON Schema of topology files", run<cli::schema>, {}, nullptr, nullptr, 0, 0},
      {"completion", "Print a script that completes commands, for bash, zsh or fish", nullptr, {}, "SHELL", "bash, zsh or fish", 1, 1},
      {"version", "Print the version", run<cli::version>, {true}, nullptr, nullptr, 0, 0},
  };
}

void add_command(CLI::App& app, const Command& command, Arguments& arguments, std::vector<std::string>& set) {
  CLI::App& sub = *app.add_subcommand(command.name, command.help);
  sub.footer("Examples:\n" + topo::cli::examples_of(command.name));
  if (command.operands != nullptr) {
    sub.add_option(command.operands, arguments.operands, command.operands_help)
        ->expected(command.least, command.most < 0 ? CLI::detail::expected_max_vector_size : command.most)
        ->required(command.least > 0)
        ->option_text(" ");
  }
  add_options(sub, command.options, arguments, set);
  add_own_options(sub, command.name, arguments);
}

/// The first of `words` from `at` on that is no option.
template <class Iterator>
Iterator skip_options(Iterator at, Iterator end) {
  while (at != end && at->size() > 1 && at->front() == '-') at += *at == "--color" && at + 1 != end ? 2 : 1;
  return at;
}

/// The command of exec and run is cut off before the words are parsed; the usage must have it all the same.
class Help : public CLI::Formatter {
  /// Of topo itself: what fits a screen of 24 lines of 80.
  std::string make_help(const CLI::App* app, std::string name, CLI::AppFormatMode mode) const override {
    if (app->get_parent() != nullptr) return CLI::Formatter::make_help(app, std::move(name), mode);
    std::ostringstream text;
    text << "topo: " << app->get_description() << "\nUsage: topo [--version] [--color auto|always|never] COMMAND ...\n"
         << "       topo COMMAND --help tells its options, with examples\n\n";
    for (const CLI::App* command : app->get_subcommands([](const CLI::App*) { return true; }))
      text << "  " << std::left << std::setw(12) << command->get_name() << command->get_description() << '\n';
    return text.str();
  }

  std::string make_usage(const CLI::App* app, std::string name) const override {
    std::string usage = CLI::Formatter::make_usage(app, std::move(name));
    if (app->get_name() == "exec") usage.insert(usage.rfind("NS") + 2, " [--] COMMAND...");
    if (app->get_name() == "explain") usage.replace(usage.rfind("ENDS"), std::string::npos, "[FILE] A B[:PORT[/udp]]");
    if (app->get_name() == "run") usage.insert(usage.rfind("FILE") + 4, "... -- COMMAND");
    return usage;
  }
};

/// Cuts the command of `topo exec NS [--] COMMAND...` or `topo run FILE... -- COMMAND...` off `words`, so that its options are never taken for ours.
std::vector<std::string> cut_command_line(std::vector<std::string>& words) {
  auto at = skip_options(words.begin(), words.end());
  if (at == words.end() || (*at != "exec" && *at != "run")) return {};
  const bool is_exec = *at == "exec";
  at = is_exec ? skip_options(at + 1, words.end()) : std::find(at, words.end(), "--");
  if (is_exec && at != words.end()) ++at;
  std::vector<std::string> command(at, words.end());
  words.erase(at, words.end());
  if (!command.empty() && command.front() == "--") command.erase(command.begin());
  return command;
}

/// "did you mean ...", where `word` is near one of `candidates`.
std::string suggestion(const std::string& word, const std::vector<std::string>& candidates) {
  const auto near = topo::nearest(word, candidates);
  return near ? "did you mean '" + *near + "'?" : std::string();
}

/// The option that a user may have meant by one that the command does not have.
std::string suggested_option(const CLI::App& app, const std::vector<std::string>& words) {
  std::vector<std::string> candidates;
  for (const CLI::Option* option : app.get_options()) {
    for (const auto& name : option->get_lnames()) candidates.push_back("--" + name);
  }
  for (const auto& word : words) {
    const std::string name = word.substr(0, word.find('='));
    if (word.rfind("--", 0) == 0 && word != "--" && std::find(candidates.begin(), candidates.end(), name) == candidates.end())
      return suggestion(name, candidates);
  }
  return {};
}

std::string without_line_end(const std::string& text) { return text.substr(0, text.find_last_not_of('\n') + 1); }

int usage_error(const std::string& message, const std::string& hint = {}) {
  topo::cli::complain("error: " + topo::printable(message) + (hint.empty() ? "" : "\n  " + hint));
  return static_cast<int>(Exit::invalid);
}

/// What CLI11 says of how often something was given.
std::string in_plain_words(const CLI::ParseError& error) {
  const std::string text = error.what(), name = text.substr(0, text.find(": "));
  if (error.get_name() != "ArgumentMismatch" || name == text) return text;
  return text.ends_with(" missing") ? name + " takes a value" : "only one " + name + " may be given";
}

/// Whether what the command did is done all the same where it could not say so.
bool changes_something(const std::string& name) { return name == "apply" || name == "destroy" || name == "confirm" || name == "rollback"; }

/// The exit code of `name`, whose own is `code`, where what it said may not have reached standard output.
int with_output(int code, const std::string& name = {}) {
  if (topo::cli::output_arrived()) return code;
  topo::cli::complain("error: cannot write to standard output");
  return code == 0 && !changes_something(name) ? static_cast<int>(Exit::rolled_back) : code;
}

/// `topo completion WORD`: the script for a shell, or the names that such a script asks for.
int complete(const std::string& word, const CLI::App& app) {
  if (word == "topologies" || word == "namespaces") {
    if (const std::string names = topo::cli::completion_names(word); !names.empty()) topo::cli::say(names);
    return with_output(0);
  }
  if (word != "bash" && word != "zsh" && word != "fish") return usage_error("completion takes bash, zsh or fish, not '" + word + "'");
  topo::cli::say(topo::cli::completion_script(word, app));
  return with_output(0);
}

int dispatch(std::vector<std::string> words) {
  Arguments arguments;
  std::vector<std::string> set;
  CLI::App app("declarative network topologies, from a file to the kernel, all or nothing", "topo");
  app.formatter(std::make_shared<Help>());
  app.set_version_flag("--version", "topo " TOPO_VERSION);
  add_options(app, {}, arguments, set);
  const auto all = commands();
  std::vector<std::string> names;
  for (const auto& command : all) names.emplace_back(command.name);
  const auto chosen = skip_options(words.begin(), words.end());
  if (chosen != words.end() && std::find(names.begin(), names.end(), *chosen) == names.end()) {
    return usage_error("there is no command '" + *chosen + "'", suggestion(*chosen, names));
  }
  const bool is_asked = std::any_of(all.begin(), all.end(), [&](const Command& it) {
    return chosen != words.end() && it.name == *chosen && it.options.firewall;
  });
  if (is_asked && !topo::cli::read_environment(arguments))
    return usage_error("TOPO_FIREWALL takes auto, iptables, nftables or none, not '" + std::string(std::getenv("TOPO_FIREWALL")) + "'");
  // Before the command nothing but --help could ask for the others.
  const bool is_first = !words.empty() && chosen == words.begin() && *chosen != "completion";
  for (const auto& command : all) {
    if (!is_first || command.name == *chosen) add_command(app, command, arguments, set);
  }
  arguments.command_line = cut_command_line(words);
  try {
    app.parse(std::vector<std::string>(words.rbegin(), words.rend()));
  } catch (const CLI::Success& success) {  // --help, --version
    std::ostringstream text;
    app.exit(success, text);
    topo::cli::say(without_line_end(text.str()));
    return with_output(0);
  } catch (const CLI::ParseError& error) {
    return usage_error(in_plain_words(error), app.get_subcommands().empty() ? "" : suggested_option(*app.get_subcommands().front(), words));
  }
  if (app.get_subcommands().empty()) {
    topo::cli::complain(without_line_end(app.help()));
    return static_cast<int>(Exit::invalid);
  }
  for (const auto& assignment : set) {
    const auto equals = assignment.find('=');
    if (equals == 0 || equals == std::string::npos) return usage_error("--set wants NAME=VALUE, not '" + assignment + "'");
    arguments.set[assignment.substr(0, equals)] = assignment.substr(equals + 1);
  }
  const std::string name = app.get_subcommands().front()->get_name();
  if (name == "completion") return complete(arguments.operands.front(), app);
  const auto command = std::find_if(all.begin(), all.end(), [&](const Command& c) { return name == c.name; });
  return with_output(command->run(arguments), name);
}

}  // namespace

int main(int argc, char** argv) {
  // A socket or a lock must not become what is printed to, or read from.
  for (int fd = 0; fd <= 2; ++fd) {
    if (::fcntl(fd, F_GETFD) < 0 && ::open("/dev/null", O_RDWR) != fd) return static_cast<int>(Exit::rolled_back);
  }
  try {
    if (const auto own = topo::cli::refuse_borrowed_rights(); !own) return static_cast<int>(topo::cli::complain(own.error()));
    return dispatch({argv + 1, argv + argc});
  } catch (const std::exception& exception) {
    topo::cli::complain("internal error: " + topo::printable(exception.what()));
    return static_cast<int>(Exit::left_over);
  }
}
