#include "cli/completion.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <vector>

#include "apply/presence.hpp"
#include "kernel/netns.hpp"

namespace topo::cli {
namespace {

/// An option as shells need it.
struct Choice {
  std::vector<std::string> names;   ///< "-o", "--output"
  std::string help;
  bool takes_value = false;
  std::vector<std::string> values;  ///< those that it can take; none: anything
};

struct Command {
  std::string name, help, operand;
  std::vector<Choice> options;
};

std::vector<std::string> split(const std::string& text, char at) {
  std::vector<std::string> parts(1);
  for (const char c : text) {
    if (c == at) {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  return parts;
}

std::string joined(const std::vector<std::string>& words, const std::string& between) {
  std::string text;
  for (const auto& word : words) text += (text.empty() ? "" : between) + word;
  return text;
}

/// `text` with `escape` in front of each of `special`.
std::string escaped(const std::string& text, std::string_view special, const std::string& escape) {
  std::string result;
  for (const char c : text) {
    if (special.find(c) != std::string_view::npos) result += escape;
    result += c;
  }
  return result;
}

Command command_of(const CLI::App& app) {
  Command command{app.get_name(), app.get_description(), {}, {}};
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_positional()) {
      command.operand = option->get_name(true);
      continue;
    }
    Choice choice{{}, option->get_description(), option->get_expected_min() > 0, {}};
    for (const auto& name : option->get_snames()) choice.names.push_back("-" + name);
    for (const auto& name : option->get_lnames()) choice.names.push_back("--" + name);
    // The words that add_choice lists, as "text|json".
    if (const std::string text = option->get_option_text(); text.find('|') != std::string::npos) choice.values = split(text, '|');
    command.options.push_back(std::move(choice));
  }
  return command;
}

std::vector<Command> commands_of(const CLI::App& app) {
  std::vector<Command> commands;
  for (const CLI::App* sub : app.get_subcommands([](const CLI::App*) { return true; })) commands.push_back(command_of(*sub));
  return commands;
}

// --- bash ---

std::string bash_options(const Command& command) {
  std::vector<std::string> names;
  for (const auto& option : command.options) names.insert(names.end(), option.names.begin(), option.names.end());
  return joined(names, " ");
}

std::string bash_values(const Command& command) {
  std::string text;
  for (const auto& option : command.options) {
    if (option.takes_value) text += "        " + joined(option.names, "|") + ") values='" + joined(option.values, " ") + "' is_value=1 ;;\n";
  }
  return text;
}

std::string bash(const Command& app, const std::vector<Command>& commands) {
  std::string names, cases;
  for (const auto& command : commands) {
    names += (names.empty() ? "" : " ") + command.name;
    cases += "    " + command.name + ")\n      options='" + bash_options(command) + "' operand='" + command.operand + "'\n      case $previous in\n" +
             bash_values(command) + "      esac ;;\n";
  }
  std::string text = R"BASH(# topo completion bash: to be sourced, or kept as /usr/share/bash-completion/completions/topo
_topo() {
  local word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]} command= options operand values= is_value= operands=0 dashes=0 at
  for ((at = 1; at < COMP_CWORD; ++at)); do
    case ${COMP_WORDS[at]} in
      --color) ((++at)) ;;
      --) dashes=$at; break ;;
      -*) ;;
      *) if [[ -z $command ]]; then command=${COMP_WORDS[at]}; else ((++operands)); fi ;;
    esac
  done
  case $command in
    '')
      options='@OPTIONS@' operand=COMMAND
      case $previous in
@VALUES@      esac ;;
@CASES@  esac
  COMPREPLY=()
  if ((dashes)); then
    if ((dashes == COMP_CWORD - 1)); then COMPREPLY=($(compgen -c -- "$word")); else compopt -o filenames; COMPREPLY=($(compgen -f -- "$word")); fi
    return
  fi
  if [[ $is_value ]]; then COMPREPLY=($(compgen -W "$values" -- "$word")); return; fi
  if [[ $word == -* ]]; then COMPREPLY=($(compgen -W "$options" -- "$word")); return; fi
  case $operand in
    COMMAND) COMPREPLY=($(compgen -W '@COMMANDS@' -- "$word")) ;;
    FILE) compopt -o filenames; COMPREPLY=($(compgen -f -X '!*.yaml' -- "$word") $(compgen -d -- "$word")) ;;
    NAME) COMPREPLY=($(compgen -W "$(topo completion topologies 2>/dev/null)" -- "$word")) ;;
    TOPOLOGY)
      COMPREPLY=($(compgen -W "$(topo completion topologies 2>/dev/null)" -- "$word") $(compgen -f -X '!*.yaml' -- "$word"))
      if [[ $word == */* ]]; then compopt -o filenames; COMPREPLY+=($(compgen -d -- "$word")); fi ;;
    ENDS)
      COMPREPLY=($(compgen -W "$(topo completion namespaces 2>/dev/null)" -- "$word") $(compgen -f -X '!*.yaml' -- "$word")) ;;
    NS)
      if ((operands == 0)); then
        COMPREPLY=($(compgen -W "$(topo completion namespaces 2>/dev/null)" -- "$word"))
      elif ((operands == 1)); then
        COMPREPLY=($(compgen -c -- "$word"))
      else
        compopt -o filenames; COMPREPLY=($(compgen -f -- "$word"))
      fi ;;
    SHELL) COMPREPLY=($(compgen -W 'bash zsh fish' -- "$word")) ;;
  esac
}
complete -F _topo topo)BASH";
  const auto put = [&text](const std::string& key, const std::string& value) { text.replace(text.find(key), key.size(), value); };
  put("@OPTIONS@", bash_options(app));
  put("@VALUES@", bash_values(app));
  put("@CASES@", cases);
  put("@COMMANDS@", names);
  return text;
}

// --- zsh ---

/// A word in single quotes.
std::string zsh_quoted(const std::string& text) {
  std::string result = "'";
  for (const char c : text) result += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return result + "'";
}

std::string zsh_operand(const std::string& operand) {
  if (operand == "FILE") return "'*:file:_topo_files'";
  if (operand == "NAME") return "'*:topology:_topo_names topologies'";
  if (operand == "TOPOLOGY") return "'*:topology:_topo_topologies'";
  if (operand == "ENDS") return "'1:file or end:_topo_ends' '2:end:_topo_names namespaces' '3:end:_topo_names namespaces'";
  if (operand == "NS") return "'1:namespace:_topo_names namespaces' '*::command:_normal'";
  if (operand == "SHELL") return "'1:shell:(bash zsh fish)'";
  return {};
}

std::string zsh_arguments(const Command& command) {
  std::string text = "_arguments -s";
  for (const auto& option : command.options) {
    const std::string help = "[" + escaped(option.help, "[]:", "\\") + "]";
    const std::string value = !option.takes_value ? "" : ":value:" + (option.values.empty() ? " " : "(" + joined(option.values, " ") + ")");
    for (const auto& name : option.names) {
      const std::string others = option.names.size() > 1 ? "(" + joined(option.names, " ") + ")" : "";
      text += " \\\n        " + zsh_quoted(others + name + help + value);
    }
  }
  return text + (command.operand.empty() ? "" : " \\\n        " + zsh_operand(command.operand));
}

std::string zsh(const Command& app, const std::vector<Command>& commands) {
  std::string names, cases;
  for (const auto& command : commands) {
    names += "    " + zsh_quoted(command.name + ":" + command.help) + "\n";
    cases += "    " + command.name + ")\n      " + zsh_arguments(command) + " ;;\n";
  }
  std::string options = zsh_arguments(app);
  options.replace(0, std::string("_arguments -s").size(), "_arguments -s -C");
  return "#compdef topo\n# topo completion zsh: to be kept as _topo in a folder of $fpath, or sourced after compinit\n"
         "_topo_names() {\n  local -a names=(${(f)\"$(topo completion $@[-1] 2>/dev/null)\"})\n  (($#names)) && compadd \"${@[1,-2]}\" -a names\n}\n"
         "_topo_files() {\n  _files -g '*.yaml(-.)'\n}\n"
         "_topo_ends() {\n  _alternative 'namespaces:namespace:_topo_names namespaces' 'files:file:_topo_files'\n}\n"
         "_topo_topologies() {\n  _alternative 'topologies:topology:_topo_names topologies' 'files:file:_topo_files'\n}\n"
         "_topo() {\n  local state line\n  local -a commands=(\n" +
         names + "  )\n  " + options +
         " \\\n        '1:command:->command' '*::operand:->operand'\n"
         "  case $state in\n    command) _describe command commands ;;\n    operand)\n      case $line[1] in\n" +
         cases + "      esac ;;\n  esac\n}\nif [[ $zsh_eval_context[-1] == loadautofunc ]]; then _topo \"$@\"; else compdef _topo topo; fi";
}

// --- fish ---

std::string fish_quoted(const std::string& text) { return "'" + escaped(text, "'\\", "\\") + "'"; }

std::string fish_option(const Choice& option, const std::string& condition) {
  std::string text = "complete -c topo" + condition;
  for (const auto& name : option.names) text += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
  if (option.takes_value) text += option.values.empty() ? " -x" : " -x -a " + fish_quoted(joined(option.values, " "));
  return text + " -d " + fish_quoted(option.help) + "\n";
}

std::string fish_operand(const std::string& operand) {
  const std::string files = "(__fish_complete_path (commandline -ct) | string match -r '.*(?:[.]yaml|/)(?:\\t.*)?$')";
  if (operand == "FILE") return files;
  if (operand == "NAME") return "(topo completion topologies 2>/dev/null)";
  if (operand == "TOPOLOGY") return "(topo completion topologies 2>/dev/null) " + files;
  if (operand == "ENDS") return "(topo completion namespaces 2>/dev/null) " + files;
  if (operand == "NS") return "(topo completion namespaces 2>/dev/null)";
  if (operand == "SHELL") return "bash zsh fish";
  return {};
}

std::string fish(const Command& app, const std::vector<Command>& commands) {
  std::string text = "# topo completion fish: to be kept as ~/.config/fish/completions/topo.fish, or sourced\ncomplete -c topo -f\n";
  for (const auto& option : app.options) text += fish_option(option, " -n __fish_use_subcommand");
  for (const auto& command : commands) {
    text += "complete -c topo -n __fish_use_subcommand -a " + command.name + " -d " + fish_quoted(command.help) + "\n";
    const std::string condition = " -n '__fish_seen_subcommand_from " + command.name + "'";
    for (const auto& option : command.options) text += fish_option(option, condition);
    if (const std::string operand = fish_operand(command.operand); !operand.empty())
      text += "complete -c topo" + condition + " -k -a " + fish_quoted(operand) + "\n";
  }
  text.pop_back();
  return text;
}

}  // namespace

std::string completion_script(const std::string& shell, const CLI::App& app) {
  const Command own = command_of(app);
  const auto commands = commands_of(app);
  return shell == "bash" ? bash(own, commands) : shell == "zsh" ? zsh(own, commands) : fish(own, commands);
}

std::string completion_names(const std::string& kind) {
  const auto names = kind == "namespaces" ? kernel::namespace_names() : topologies_present();
  return names ? joined(*names, "\n") : std::string();
}

}  // namespace topo::cli
