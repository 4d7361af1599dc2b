#include "cli/options.hpp"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <optional>
#include <utility>

namespace topo::cli {
namespace {

/// A usage error in words for users; CLI11's own speak of its insides.
CLI::ValidationError wrong_value(const std::string& option, const std::string& takes, const std::string& word) {
  return CLI::ValidationError(option + " takes " + takes + ", not '" + word + "'");
}

template <class T>
using Choices = std::vector<std::pair<std::string, T>>;

/// An option that takes one of a few words.
template <class T, class Chosen>
void add_choice(CLI::App& app, const std::string& names, Chosen& chosen, const Choices<T>& choices, const std::string& help) {
  const std::string option = names.substr(names.find("--"), names.find(',', names.find("--")) - names.find("--"));
  std::string listed;
  std::vector<std::string> words;
  for (const auto& [word, value] : choices) {
    listed += (listed.empty() ? "" : "|") + word;
    words.push_back(word);
  }
  const auto choose = [&chosen, choices, words, option, help](const std::string& word) {
    const auto found = std::find(words.begin(), words.end(), word);
    if (found == words.end()) throw wrong_value(option, help, word);
    chosen = choices[static_cast<std::size_t>(found - words.begin())].second;
  };
  app.add_option_function<std::string>(names, choose, help)->option_text(listed);
}

Choices<FirewallChoice> firewall_choices() {
  return {{"auto", FirewallChoice::automatic},
          {"iptables", FirewallChoice::iptables},
          {"nftables", FirewallChoice::nftables},
          {"none", FirewallChoice::none}};
}

/// `word` as a number that `unit` knows how to read: "64K", "500ms"; nullopt where it is none, or negative.
std::optional<double> read_number(std::string word, const CLI::Validator& unit) {
  double value = 0;
  try {
    if (word.empty() || word.front() == '-' || !unit(word).empty() || !CLI::detail::lexical_cast(word, value)) return std::nullopt;
  } catch (const CLI::ValidationError&) {
    return std::nullopt;
  }
  return value >= 0 ? std::optional(value) : std::nullopt;
}

/// `word` as seconds.
std::optional<double> read_time(const std::string& word) {
  return read_number(word, CLI::AsNumberWithUnit(std::map<std::string, double>{{"ms", 0.001}, {"s", 1}, {"m", 60}}));
}

void add_graph_options(CLI::App& sub, Arguments& arguments) {
  static const Choices<PictureFormat> formats{{"svg", PictureFormat::svg},
                                              {"html", PictureFormat::html},
                                              {"dot", PictureFormat::dot},
                                              {"mermaid", PictureFormat::mermaid},
                                              {"json", PictureFormat::json}};
  add_choice(sub, "-o,--format,--output", arguments.picture, formats, "svg, html, dot, mermaid or json");
  sub.add_flag("--live", arguments.live, "Colour what differs in the kernel");
  sub.add_flag("--open", arguments.open, "Show it in the browser, as a page to look around in");
}

}  // namespace

bool read_environment(Arguments& arguments) {
  const char* const word = std::getenv("TOPO_FIREWALL");
  if (word == nullptr || *word == '\0') return true;
  for (const auto& [name, choice] : firewall_choices()) {
    if (name != word) continue;
    arguments.firewall = choice;
    return true;
  }
  return false;
}

void add_options(CLI::App& app, const Options& options, Arguments& arguments, std::vector<std::string>& set) {
  if (options.format)
    add_choice(app, "-o,--output", arguments.format, Choices<Format>{{"text", Format::text}, {"json", Format::json}}, "text or json");
  if (options.set) {
    app.add_option("--set", set, "Value of a variable, above the file's vars; may be given again")
        ->expected(1)
        ->take_all()
        ->allow_extra_args(false)
        ->option_text("NAME=VALUE");
    const auto read_size = [&arguments](const std::string& word) {
      const auto bytes = read_number(word, CLI::AsSizeValue(false));
      if (!bytes || *bytes > 1e18) throw wrong_value("--max-size", "a number of bytes (or 64K, 8M)", word);
      arguments.max_bytes = static_cast<std::size_t>(*bytes);
    };
    app.add_option_function<std::string>("--max-size", read_size, "Largest file that is read (1 MiB)")->option_text("BYTES");
  }
  if (options.lock) {
    const auto set_timeout = [&arguments](const std::string& word) {
      const auto seconds = read_time(word);
      if (!seconds) throw wrong_value("--lock-timeout", "a number of seconds (or 500ms, 2m)", word);
      arguments.lock_timeout_s = *seconds;
    };
    app.add_option_function<std::string>("--lock-timeout", set_timeout, "How long to wait for another topo, or the lock of iptables (30 s)")
        ->option_text("SECONDS");
  }
  if (options.firewall) add_choice(app, "--firewall", arguments.firewall, firewall_choices(), "auto, iptables, nftables or none");
  if (options.yes) app.add_flag("-y,--yes", arguments.yes, "Do not ask before something is deleted or recreated");
  add_choice(app, "--color", arguments.color, Choices<Color>{{"auto", Color::automatic}, {"always", Color::always}, {"never", Color::never}},
             "auto, always or never");
}

void add_own_options(CLI::App& sub, const std::string& command, Arguments& arguments) {
  if (command == "apply") {
    sub.add_flag("--dry-run", arguments.dry_run, "Show the plan and stop, as diff does");
    sub.add_flag("--take-port", arguments.take_port, "Map ports on which a program of this host listens");
    const auto set_confirm = [&arguments](const std::string& word) {
      constexpr double least = 0.001, most = 86400;
      arguments.confirm_s = read_time(word);
      if (!arguments.confirm_s || *arguments.confirm_s < least || *arguments.confirm_s > most)
        throw wrong_value("--confirm", "a number of seconds (or 500ms, 2m) up to a day", word);
    };
    sub.add_option_function<std::string>("--confirm", set_confirm, "Take it back unless topo confirm comes in this time; topo rollback: at once")
        ->option_text("SECONDS");
  }
  if (command == "run") {
    sub.add_option("--in", arguments.in, "Namespace to run the command in, instead of the host")->option_text("NS");
    sub.add_flag("--outside", arguments.outside, "With a stand-in for the outside world: the namespace internet, beyond the host's uplink");
  }
  if (command == "test") {
    add_choice(sub, "-o,--output", arguments.format, Choices<Format>{{"text", Format::text}, {"json", Format::json}, {"junit", Format::junit}},
               "text, json or junit");
    sub.add_flag("--all", arguments.all, "Every pair, instead of one for all of whom the same holds");
  }
  if (command == "logs") sub.add_flag("-f,--follow", arguments.follow, "Go on with what is printed from now on, until interrupted");
  if (command == "explain") sub.add_flag("--live", arguments.live, "Read the kernel, and say where it differs from the file");
  if (command == "status") sub.add_flag("-w,--watch", arguments.watch, "Look again every second, and show what has changed");
  if (command == "doctor") sub.add_flag("--fix", arguments.fix, "Load the kernel modules that are missing; change nothing else");
  if (command == "graph") add_graph_options(sub, arguments);
  if (command == "destroy") sub.add_flag("--all", arguments.all, "Every topology that is here");
}

}  // namespace topo::cli
