// The commands that run in a namespace.
#include <algorithm>

#include "load/scalars.hpp"
#include "load/sections.hpp"
#include "topo/names.hpp"

namespace topo::reading {
namespace {

constexpr std::size_t bytes_max = std::size_t{64} << 10U;  // what a socket takes in one piece
constexpr std::uint32_t longest_s = 3600;

void read_words(Reading& reading, const Node& value, CommandSpec& command) {
  std::size_t bytes = 0;
  const auto take = [&](const Node& item) {
    if (!is_scalar(reading.mistakes, item, "a word of a command", "text")) return;
    bytes += item.text.size();
    if (item.text.find('\0') != std::string::npos) return reading.mistakes.add(item, "a command holds no NUL byte");
    command.words.push_back(item.text);
  };
  if (value.is_list()) {
    for (const Node& item : value.items) take(item);
    if (value.items.empty() || (!command.words.empty() && command.words.front().empty())) reading.mistakes.add(value, "a command has a program to run");
  } else if (is_scalar(reading.mistakes, value, "command", "a text for the shell, or a list of words")) {
    command.words = {command_shell, "-c"};
    take(value);
    if (value.text.find_first_not_of(" \t\n") == std::string::npos) reading.mistakes.add(value, "a command has a program to run");
  }
  if (bytes > bytes_max) reading.mistakes.add(value, "a command of more than " + std::to_string(bytes_max) + " bytes");
}

void read_after(Reading& reading, const Node& value, CommandSpec& command) {
  for_one_or_each(reading.mistakes, value, "after", [&](const Node& item) {
    if (!is_scalar(reading.mistakes, item, "after", "NAME or NAMESPACE/NAME")) return;
    const bool twice = std::any_of(command.after.begin(), command.after.end(), [&](const auto& it) { return it.value == item.text; });
    if (twice) return reading.mistakes.add(item, in_quotes(item.text) + " is listed twice");
    command.after.push_back({item.text, item.at});
  });
}

void read_tcp(Reading& reading, const Node& value, Readiness& ready) {
  const auto port = read_number(reading.mistakes, value, "tcp", 1, 65535);
  if (port) ready.tcp = static_cast<std::uint16_t>(*port);
}

void read_within(Reading& reading, const Node& value, Readiness& ready) {
  const auto seconds = read_number(reading.mistakes, value, "within", 1, longest_s);
  if (seconds) ready.within_s = *seconds;
}

constexpr Key<Readiness> ready_keys[]{{"tcp", read_tcp}, {"within", read_within}};

void read_ready(Reading& reading, const Node& value, CommandSpec& command) {
  const std::size_t before = reading.mistakes.count();
  Readiness ready;
  read_keys(reading, value, "ready", ready_keys, ready);
  if (ready.tcp == 0 && reading.mistakes.count() == before && !value.holds_refused())
    return reading.mistakes.add(value, "ready says no port", "ready: { tcp: PORT }");
  command.ready = ready;
}

constexpr Key<CommandSpec> keys[]{{"command", read_words}, {"after", read_after}, {"ready", read_ready}};

}  // namespace

void read_run(Reading& reading, const Node& value, NamespaceSpec& ns) {
  if (!is_map(reading.mistakes, value, "run", "run: { NAME: COMMAND }")) return;
  for (std::size_t i = 0; i < value.pairs(); ++i) {
    const Node& key = value.key(i);
    const Node& said = value.value(i);
    if (key.is_refused()) continue;
    if (const auto problem = namespace_name_problem(key.text)) reading.mistakes.add(key, "the name of a command " + in_quotes(key.text) + " " + *problem);
    CommandSpec& command = ns.run.emplace_back();
    command.name = key.text;
    command.at = key.at;
    if (!said.is_map()) {
      read_words(reading, said, command);
      continue;
    }
    read_keys(reading, said, "command " + in_quotes(key.text), keys, command);
    if (!gives(said, "command", names_of(keys)) && !said.holds_refused())
      reading.mistakes.add(key, "command " + in_quotes(key.text) + " has no \"command\"", "command: TEXT, or command: [PROGRAM, WORD]");
  }
}

void add_command_places(std::vector<Place>& places) {
  places.push_back({"command", names_of(keys)});
  places.push_back({"ready", names_of(ready_keys)});
}

}  // namespace topo::reading
