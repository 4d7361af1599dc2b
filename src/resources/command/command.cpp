#include "resources/command/command.hpp"

#include "vocabulary/fields.hpp"

namespace topo {
namespace {

std::string text_of(const std::optional<Readiness>& ready) {
  return ready ? "tcp " + std::to_string(ready->tcp) + " within " + std::to_string(ready->within_s) + " s" : std::string();
}

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const auto& name : names) text += (text.empty() ? "" : " ") + name;
  return text;
}

void append_list(std::string& text, const std::vector<std::string>& items) {
  append_field(text, std::to_string(items.size()));
  for (const auto& item : items) append_field(text, item);
}

std::optional<std::vector<std::string>> take_list(std::string_view& text) {
  const auto count = take_number(text);
  std::vector<std::string> items;
  for (std::int64_t i = 0; count && i < *count; ++i) {
    auto item = take_field(text);
    if (!item) return std::nullopt;
    items.push_back(*std::move(item));
  }
  return count ? std::optional(std::move(items)) : std::nullopt;
}

}  // namespace

std::string typed(const std::vector<std::string>& words) {
  if (words.size() == 3 && words[0] == command_shell && words[1] == "-c") return words[2];
  std::string text;
  for (const auto& word : words) {
    const bool plain = !word.empty() && word.find_first_of(" \t\n'\"\\$`|&;<>()*?[]#~") == std::string::npos;
    text += (text.empty() ? "" : " ") + (plain ? word : "'" + word + "'");
  }
  return text;
}

std::string Command::summary() const {
  constexpr std::size_t widest = 50;
  const std::string text = typed(words);
  return text.size() <= widest ? text : text.substr(0, widest - 3) + "...";
}

Differences differences(const Command& before, const Command& after) {
  Differences found;
  if (before.words != after.words) found.push_back({"command", typed(before.words), typed(after.words), true});
  if (before.files != after.files) found.push_back({"files in /etc", "", "changed", true});
  compare(found, "after", joined(before.after), joined(after.after));
  compare(found, "ready", text_of(before.ready), text_of(after.ready));
  if (before.amiss != after.amiss) found.push_back({"state", before.amiss, after.amiss, before.amiss != not_ready && !before.amiss.empty()});
  return found;
}

std::string to_text(const Command& command) {
  std::string text;
  for (const auto* part : {&command.ns, &command.name, &command.files, &command.amiss}) append_field(text, *part);
  append_field(text, std::to_string(command.turn));
  append_field(text, std::to_string(command.ready ? command.ready->tcp : 0));
  append_field(text, std::to_string(command.ready ? command.ready->within_s : 0));
  append_list(text, command.words);
  append_list(text, command.after);
  return text;
}

std::optional<Command> command_from(std::string_view text) {
  Command command;
  for (auto* part : {&command.ns, &command.name, &command.files, &command.amiss}) {
    auto field = take_field(text);
    if (!field) return std::nullopt;
    *part = *std::move(field);
  }
  const auto turn = take_number(text), port = take_number(text), within = take_number(text);
  auto words = take_list(text);
  auto after = words ? take_list(text) : std::nullopt;
  if (!turn || !port || !within || !after) return std::nullopt;
  command.turn = static_cast<int>(*turn);
  if (*port != 0) command.ready = Readiness{static_cast<std::uint16_t>(*port), static_cast<std::uint32_t>(*within)};
  command.words = *std::move(words);
  command.after = *std::move(after);
  return command;
}

}  // namespace topo
