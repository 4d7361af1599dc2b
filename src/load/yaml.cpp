#include "load/yaml.hpp"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <istream>
#include <limits>
#include <numeric>
#include <optional>
#include <streambuf>
#include <utility>

#include "load/mistakes.hpp"
#include "topo/names.hpp"

namespace topo::reading {
namespace {

/// Ends the parser from within an event; the mistake has been noted.
struct Stop {};

class TextBuffer : public std::streambuf {
 public:
  explicit TextBuffer(const std::string& text) {
    char* begin = const_cast<char*>(text.data());  // NOLINT(cppcoreguidelines-pro-type-const-cast): a get area is only read
    setg(begin, begin, begin + text.size());
  }
};

/// Builds the tree from the events. A pointer in `open_` stays good: a node gets no further items while a child of it is open.
class TreeBuilder : public YAML::EventHandler {
 public:
  TreeBuilder(const std::string& text, std::uint16_t source, std::size_t nodes_max, Mistakes& mistakes, Node& root)
      : text_(text), source_(source), nodes_max_(nodes_max), mistakes_(mistakes), root_(root) {}

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (++documents_ > 1) stop(mark, "a second document in one file", "give each topology a file of its own");
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    Node node = make(mark, Node::Kind::null);
    if (is_key_next()) {
      node.kind = Node::Kind::scalar;
      node.text = null_word(mark);
      if (node.text.empty()) stop(mark, "a key is missing before the \":\"");
    } else if (!open_.empty() && open_.back()->is_map()) {
      node.at = open_.back()->items.back().at;
    } else if (!open_.empty()) {
      node.at = before(mark);
    }
    refuse_anchor(node, anchor);
    place(std::move(node));
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    Node node = make(mark, Node::Kind::refused);
    mistakes_.add(node, "aliases (*) are not supported", "write the value out, or give it a name under \"vars\"");
    if (is_key_next()) throw Stop{};
    place(std::move(node));
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, const std::string& value) override {
    Node node = make(mark, Node::Kind::scalar);
    node.text = value;
    node.plain = tag != "!";
    refuse_anchor(node, anchor);
    refuse_tag(node, tag);
    if (node.plain && value == "<<" && is_key_next()) {
      mistakes_.add(node, "merge keys (<<) are not supported", "what many share is written once under \"defaults\"");
      node.kind = Node::Kind::refused;
    }
    place(std::move(node));
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, YAML::EmitterStyle::value) override {
    begin(mark, tag, anchor, Node::Kind::list);
  }
  void OnSequenceEnd() override { open_.pop_back(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, YAML::EmitterStyle::value) override {
    begin(mark, tag, anchor, Node::Kind::map);
  }
  void OnMapEnd() override {
    refuse_repeated_keys(*open_.back());
    open_.pop_back();
  }

  [[nodiscard]] Position position(const YAML::Mark& mark) const {
    const auto column = std::min<int>(mark.column + 1, std::numeric_limits<std::uint16_t>::max());
    return {static_cast<std::uint32_t>(mark.line + 1), static_cast<std::uint16_t>(column), source_};
  }

  /// Where the innermost list or map that is still open begins.
  [[nodiscard]] std::optional<Position> innermost() const { return open_.empty() ? std::nullopt : std::optional(open_.back()->at); }

  /// Leaves a map that the parser did not finish in pairs.
  void close() {
    for (Node* node : open_) {
      if (!node->is_map() || node->items.size() % 2 == 0) continue;
      const Position at = node->items.back().at;
      node->items.emplace_back().at = at;
    }
  }

 private:
  [[nodiscard]] Node make(const YAML::Mark& mark, Node::Kind kind) const {
    Node node;
    node.kind = kind;
    node.at = position(mark);
    return node;
  }

  [[noreturn]] void stop(const YAML::Mark& mark, std::string message, std::string hint = {}) {
    mistakes_.add(position(mark), {}, std::move(message), std::move(hint));
    throw Stop{};
  }

  [[nodiscard]] bool is_key_next() const { return !open_.empty() && open_.back()->is_map() && open_.back()->items.size() % 2 == 0; }

  Node& place(Node&& node) {
    if (++nodes_ > nodes_max_) {
      mistakes_.add(node, "the file holds more than " + std::to_string(nodes_max_) + " values");
      throw Stop{};
    }
    if (open_.empty()) return root_ = std::move(node);
    return open_.back()->items.emplace_back(std::move(node));
  }

  void begin(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, Node::Kind kind) {
    if (is_key_next()) {
      stop(mark, "a key must be a plain word, not a list or a map",
           "a key that begins with [ or { is written in quotes: \"[fd00::1]:80\", \"${name}\" is a value");
    }
    if (open_.size() >= depth_max) stop(mark, "nested deeper than " + std::to_string(depth_max) + " levels");
    Node node = make(mark, kind);
    refuse_anchor(node, anchor);
    refuse_tag(node, tag);
    open_.push_back(&place(std::move(node)));
  }

  void refuse_anchor(const Node& node, YAML::anchor_t anchor) {
    if (anchor != 0) mistakes_.add(node, "anchors (&) are not supported", "what many share is written once under \"defaults\" or \"vars\"");
  }

  void refuse_tag(const Node& node, const std::string& tag) {
    if (tag != "?" && (tag != "!" || node.kind != Node::Kind::scalar || byte_at(node.at) == '!')) mistakes_.add(node, "tags (!) are not supported");
  }

  /// The source's character at a place; line starts are found by walking, so this is for rare cases and quoted scalars only.
  [[nodiscard]] char byte_at(const Position& at) {
    while (walked_line_ < at.line) {
      const auto end = text_.find('\n', walked_offset_);
      if (end == std::string::npos) return '\0';
      walked_offset_ = end + 1;
      ++walked_line_;
    }
    const std::size_t offset = walked_offset_ + at.column - 1;
    return walked_line_ == at.line && offset < text_.size() ? text_[offset] : '\0';
  }

  /// YAML reads these words as nothing; as a key they are names (and refused as such).
  [[nodiscard]] std::string null_word(const YAML::Mark& mark) const {
    const auto rest = std::string_view(text_).substr(std::min(text_.size(), static_cast<std::size_t>(std::max(mark.pos, 0))));
    for (const std::string_view word : {"null", "Null", "NULL", "~"}) {
      if (rest.substr(0, word.size()) == word) return std::string(word);
    }
    return {};
  }

  /// An empty list item is noticed at what comes after it; this is the sign that opened it.
  [[nodiscard]] Position before(const YAML::Mark& mark) const {
    const auto end = std::min(text_.size(), static_cast<std::size_t>(std::max(mark.pos, 0)));
    const auto found = std::string_view(text_).substr(0, end).find_last_not_of(" \t\r\n");
    if (!null_word(mark).empty() || found == std::string_view::npos) return position(mark);
    YAML::Mark sign = mark;
    sign.line -=
        static_cast<int>(std::count(text_.begin() + static_cast<std::ptrdiff_t>(found), text_.begin() + static_cast<std::ptrdiff_t>(end), '\n'));
    const auto line_end = sign.line == mark.line ? std::string::npos : text_.rfind('\n', found);
    sign.column = sign.line == mark.line ? mark.column - static_cast<int>(end - found)
                                         : static_cast<int>(line_end == std::string::npos ? found : found - line_end - 1);
    return position(sign);
  }

  void refuse_repeated_keys(Node& map) {
    const std::size_t count = map.pairs();
    if (count < 2) return;
    std::vector<std::size_t> order(count);
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
      const int sign = map.key(a).text.compare(map.key(b).text);
      return sign != 0 ? sign < 0 : a < b;
    });
    std::vector<bool> repeated;
    for (std::size_t i = 1; i < count; ++i) {
      const Node& key = map.key(order[i]);
      if (key.text != map.key(order[i - 1]).text) continue;
      repeated.resize(count);
      repeated[order[i]] = true;
      mistakes_.add(key, "key " + in_quotes(key.text) + " is given twice", "first in " + mistakes_.line_of(map.key(order[i - 1]).at));
    }
    if (repeated.empty()) return;
    std::vector<Node> kept;
    for (std::size_t i = 0; i < count; ++i) {
      if (repeated[i]) continue;
      kept.push_back(std::move(map.items[2 * i]));
      kept.push_back(std::move(map.items[2 * i + 1]));
    }
    map.items = std::move(kept);
  }

  const std::string& text_;
  std::uint16_t source_;
  std::size_t nodes_max_;
  Mistakes& mistakes_;
  Node& root_;
  std::vector<Node*> open_;
  std::size_t nodes_ = 0;
  int documents_ = 0;
  std::uint32_t walked_line_ = 1;
  std::size_t walked_offset_ = 0;
};

std::string_view line_around(const std::string& text, std::uint32_t line) {
  std::size_t begin = 0;
  for (std::uint32_t at = 1; at < line && begin != std::string::npos; ++at) begin = text.find('\n', begin) + 1;
  return std::string_view(text).substr(begin, text.find('\n', begin) - begin);
}

const char* const tab_in_indentation = "a tab in the indentation";

struct Words {
  std::string message, hint;
};

/// Whether [*] stands in `line` outside quotes, where a { or [ before it makes it a list of an alias.
bool has_bare_star(std::string_view line) {
  for (auto at = line.find("[*]"); at != std::string_view::npos; at = line.find("[*]", at + 1)) {
    const auto before = line.substr(0, at);
    if (std::count(before.begin(), before.end(), '"') % 2 == 0 && std::count(before.begin(), before.end(), '\'') % 2 == 0) return true;
  }
  return false;
}

/// yaml-cpp's words are for people who know YAML's grammar; these are for people who know their file.
Words in_plain_words(const std::string& message, std::string_view line) {
  static const std::vector<std::pair<std::string_view, Words>> known{
      {"illegal map value", {"a \":\" stands where no key can be", "put a value that holds \": \" in quotes, and check the indentation"}},
      {"end of map flow not found", {"a { that is not closed, or a comma or a quote is missing", ""}},
      {"end of sequence flow not found", {"a [ that is not closed, or a comma or a quote is missing", ""}},
      {"end of map not found", {"this belongs to no key", "check the indentation, and that a space follows the \":\""}},
      {"end of sequence not found", {"this is no item of the list", "check the indentation"}},
      {"illegal flow end", {"a closing bracket without an opening one", ""}},
      {"unknown token", {"a value cannot begin with this character", "put it in quotes"}},
      {"illegal EOF in scalar", {"a quote is not closed", ""}},
      {"illegal document indicator in scalar", {"a quote is not closed", ""}},
      {"illegal block entry", {"a list item cannot stand here", "begin the list on a line of its own"}},
      {"illegal map key", {"a key cannot stand here", "check the indentation"}},
      {"the referenced anchor is not defined", {"aliases (*) are not supported", "write the value out, or give it a name under \"vars\""}},
      {"illegal tab when looking for indentation", {tab_in_indentation, "indent with spaces"}},
  };
  const auto found = std::find_if(known.begin(), known.end(), [&](const auto& entry) { return message == entry.first; });
  Words words = found != known.end() ? found->second : Words{"not YAML: " + message, ""};
  const auto first = line.find_first_not_of(" \t");
  if (has_bare_star(line) && (message.find("alias") != std::string::npos || message.find("flow not found") != std::string::npos)) {
    words = {"a name with [*] inside { } or [ ]", "there it stands in quotes: \"web[*]\""};
  } else if (line.find("${") != std::string_view::npos) {
    words.hint = "between { } and [ ] a variable stands in quotes: \"${name}\"";
  } else if (first != std::string_view::npos && line[first] == '[' && line.find("]:") != std::string_view::npos) {
    words.hint = "an IPv6 address with a port stands in quotes: \"[fd00::1]:80\"";
  } else if (line.find(":: ") != std::string_view::npos || line.find("::}") != std::string_view::npos || line.find("::]") != std::string_view::npos) {
    words.hint = "an IPv6 address that ends in \":\" stands in quotes: \"fd00::\"";
  } else if (first != std::string_view::npos && line.substr(0, first).find('\t') != std::string_view::npos) {
    words = {tab_in_indentation, "indent with spaces"};
  }
  return words;
}

struct TextProblem {
  std::size_t offset;
  std::string message, hint;
};

/// What yaml-cpp would misread in silence: it takes byte 4 for the end of the file, skips what follows a '%', and mends bad UTF-8.
/// It also keeps every token of an open flow collection, some 200 bytes for each bracket and comma, so that their number is bounded.
std::optional<TextProblem> text_problem(const std::string& text, std::size_t nodes_max) {
  std::size_t indicators = 0;
  for (std::size_t i = 0; i < text.size();) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte == '\0') return TextProblem{i, "a NUL byte: this is not a text file", ""};
    const bool control = (byte < 0x20 && byte != '\n' && byte != '\r' && byte != '\t') || byte == 0x7f;
    if (control) return TextProblem{i, "a control character", ""};
    if (byte == '%' && (i == 0 || text[i - 1] == '\n')) return TextProblem{i, "directives (%) are not supported", ""};
    if ((byte == '[' || byte == '{' || byte == ',') && ++indicators > nodes_max / 2) {
      return TextProblem{i, "more than " + std::to_string(nodes_max / 2) + " brackets and commas", ""};
    }
    if (byte < 0x80) {
      ++i;
      continue;
    }
    const std::size_t length = utf8_length(std::string_view(text).substr(i));
    if (length == 0) return TextProblem{i, "invalid UTF-8", "save the file as UTF-8"};
    if (byte == 0xc2 && static_cast<unsigned char>(text[i + 1]) < 0xa0) return TextProblem{i, "a control character", ""};
    i += length;
  }
  return std::nullopt;
}

Position position_of(const std::string& text, std::size_t offset, std::uint16_t source) {
  const auto line = static_cast<std::uint32_t>(std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(offset), '\n') + 1);
  const std::size_t begin = offset == 0 ? std::string::npos : text.rfind('\n', offset - 1);
  const std::size_t column = begin == std::string::npos ? offset + 1 : offset - begin;
  return {line, static_cast<std::uint16_t>(std::min<std::size_t>(column, std::numeric_limits<std::uint16_t>::max())), source};
}

}  // namespace

bool Node::holds_refused() const {
  return is_refused() || std::any_of(items.begin(), items.end(), [](const Node& item) { return item.holds_refused(); });
}

const Node* Node::find(std::string_view wanted) const {
  for (std::size_t i = 0; is_map() && i < pairs(); ++i) {
    if (key(i).text == wanted) return &value(i);
  }
  return nullptr;
}

bool parse(const std::string& text, std::uint16_t source, std::size_t nodes_max, Mistakes& mistakes, Node& root) {
  if (const auto problem = text_problem(text, nodes_max)) {
    mistakes.add(position_of(text, problem->offset, source), {}, problem->message, problem->hint);
    return false;
  }
  TreeBuilder builder(text, source, nodes_max, mistakes, root);
  try {
    TextBuffer buffer(text);
    std::istream stream(&buffer);
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) {
    }
    return true;
  } catch (const Stop&) {
  } catch (const YAML::Exception& exception) {
    const bool placed = exception.mark.line >= 0;
    Position at = placed ? builder.position(exception.mark) : Position{0, 0, source};
    auto words = in_plain_words(exception.msg, placed ? line_around(text, at.line) : std::string_view());
    const auto tab = placed ? line_around(text, at.line).find('\t') : std::string_view::npos;
    if (words.message == tab_in_indentation && tab != std::string_view::npos) at.column = static_cast<std::uint16_t>(tab + 1);
    // At the end of the text there is nothing to see: what was never closed is seen where it was opened.
    if (placed && static_cast<std::size_t>(exception.mark.pos) >= text.size() && builder.innermost()) at = *builder.innermost();
    mistakes.add(at, {}, std::move(words.message), std::move(words.hint));
  }
  builder.close();
  return false;
}

}  // namespace topo::reading
