#include "load/mistakes.hpp"

#include <algorithm>
#include <limits>

#include "topo/names.hpp"

namespace topo::reading {
namespace {

constexpr std::size_t quoted_max = 64;
constexpr std::size_t suggestions_max = 50;

/// Length of the quoted scalar at the front of `line`, the quotes included; up to the end of the line where it goes on.
std::size_t quoted_length(std::string_view line) {
  const char quote = line.front();
  for (std::size_t i = 1; i < line.size(); ++i) {
    if (quote == '"' && line[i] == '\\') {
      ++i;
    } else if (line[i] == quote) {
      if (quote == '"' || i + 1 >= line.size() || line[i + 1] != quote) return i + 1;
      ++i;
    }
  }
  return line.size();
}

std::uint16_t clamped(std::size_t length) {
  return static_cast<std::uint16_t>(std::clamp<std::size_t>(length, 1, std::numeric_limits<std::uint16_t>::max()));
}

}  // namespace

std::string in_quotes(std::string_view text) {
  if (text.size() <= quoted_max) return "\"" + std::string(text) + "\"";
  return "\"" + std::string(text.substr(0, quoted_max)) + "...\"";
}

std::string_view Mistakes::rest_of_line(const Position& at) const {
  if (at.line == 0 || at.column == 0 || at.source >= sources_.size()) return {};
  const std::string& text = sources_[at.source].text;
  if (line_starts_.size() <= at.source) line_starts_.resize(at.source + std::size_t{1});
  auto& starts = line_starts_[at.source];
  if (starts.empty()) {
    starts.push_back(0);
    for (std::size_t i = text.find('\n'); i != std::string::npos; i = text.find('\n', i + 1)) starts.push_back(i + 1);
  }
  if (at.line > starts.size()) return {};
  const std::size_t begin = starts[at.line - 1];
  const std::size_t end = std::min(text.find('\n', begin), text.size());
  const std::size_t from = begin + at.column - 1;
  if (from >= end) return {};
  return std::string_view(text).substr(from, end - from);
}

std::size_t Mistakes::token_length(const Position& at, std::string_view text) const {
  const auto rest = rest_of_line(at);
  if (rest.empty()) return 1;
  if (rest.front() == '"' || rest.front() == '\'') return quoted_length(rest);
  if (!text.empty() && rest.substr(0, text.size()) == text) return text.size();
  if (rest.substr(0, 2) == "${") return std::min(rest.find('}'), rest.size() - 1) + 1;
  return 1;
}

void Mistakes::add(const Position& at, std::string_view token, std::string message, std::string hint) {
  if (kept_.size() >= mistakes_max) {
    ++left_out_;
    return;
  }
  if (!seen_.emplace(at, message).second) return;
  std::size_t length = token.size();
  if (const auto found = explained_.find(at); found != explained_.end()) {
    hint += (hint.empty() ? "" : "; ") + found->second;
    length = token_length(at, token);
  }
  kept_.push_back({at, std::move(message), std::move(hint), clamped(length)});
}

void Mistakes::add(const Node& node, std::string message, std::string hint) {
  const std::size_t before = kept_.size();
  add(node.at, {}, std::move(message), std::move(hint));
  if (kept_.size() > before) kept_.back().length = clamped(token_length(node.at, node.text));
}

void Mistakes::keep_first(std::size_t count) {
  kept_.resize(std::min(count, kept_.size()));
  left_out_ = count - kept_.size();
}

std::string Mistakes::suggestion(std::string_view word, const std::vector<std::string>& candidates) const {
  if (kept_.size() >= mistakes_max || suggestions_ >= suggestions_max) return {};
  ++suggestions_;
  const auto found = nearest(word, candidates);
  return found ? "did you mean " + in_quotes(*found) + "?" : std::string();
}

Position Mistakes::within(const Node& node, std::size_t offset) const {
  Position at = node.at;
  auto rest = rest_of_line(at);
  const std::size_t quote = !rest.empty() && (rest.front() == '"' || rest.front() == '\'') ? 1 : 0;
  if (rest.substr(std::min(quote, rest.size()), node.text.size()) != node.text) return at;
  at.column = clamped(at.column + quote + offset);
  return at;
}

std::string Mistakes::line_of(const Position& at) const {
  Position line = at;
  line.column = 0;
  return to_string(line, sources_);
}

std::vector<Diagnostic> Mistakes::take() {
  tidy(kept_);
  if (left_out_ > 0) {
    Diagnostic more;
    more.at = kept_.back().at;
    more.at.line = 0;
    more.at.column = 0;
    more.message = std::to_string(left_out_) + " more mistakes are not shown";
    kept_.push_back(std::move(more));
  }
  return std::move(kept_);
}

}  // namespace topo::reading
