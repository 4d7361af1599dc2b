#include "load/files.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <variant>
#include <vector>

#include "load/keys.hpp"

namespace topo::reading {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t files_max = 64;

struct Unreadable {
  std::string why, hint;
};

Unreadable too_long(std::size_t max_bytes) { return {"longer than " + std::to_string(max_bytes) + " bytes", "--max-size allows more"}; }

std::variant<std::string, Unreadable> read_stream(std::istream& stream, std::size_t max_bytes) {
  std::string text;
  char block[16384];
  while (stream.read(block, sizeof block), stream.gcount() > 0) {
    text.append(block, static_cast<std::size_t>(stream.gcount()));
    if (text.size() > max_bytes) return too_long(max_bytes);
  }
  if (stream.bad()) return Unreadable{"cannot be read", ""};
  // A byte order mark would shift the columns of the first line.
  if (text.compare(0, 3, "\xef\xbb\xbf") == 0) text.erase(0, 3);
  return text;
}

std::variant<std::string, Unreadable> read_file(const std::string& path, std::size_t max_bytes) {
  if (path.find('\0') != std::string::npos) return Unreadable{"the path holds a NUL byte", ""};
  std::error_code error;
  const auto status = fs::status(path, error);
  if (error) return Unreadable{error.message(), ""};
  if (fs::is_directory(status)) return Unreadable{"is a directory", "a folder can be given to a command, where files in it are called *.yaml"};
  errno = 0;
  std::ifstream stream(path, std::ios::binary);
  if (!stream) return Unreadable{errno != 0 ? std::strerror(errno) : "cannot be opened", ""};
  return read_stream(stream, max_bytes);
}

/// What one path is on disk, so that two ways of writing it are the same file.
std::string identity(const std::string& path) {
  std::error_code error;
  const auto canonical = fs::weakly_canonical(path, error);
  return error ? path : canonical.string();
}

/// Whether a file means to be a topology's: at its top is a key that such a file knows. Of one that does not, nothing is ever shown.
bool is_topology_file(const Node& root, bool parsed, std::string_view text) {
  const auto keys = known_places().front().keys;
  const auto begins_with = [](std::string_view line, const std::string& key) {
    if (!line.starts_with(key)) return false;
    const auto behind = line.find_first_not_of(' ', key.size());
    return behind != std::string_view::npos && line[behind] == ':';
  };
  for (const auto& key : keys) {
    if (root.find(key) != nullptr) return true;
  }
  if (parsed) return false;
  // Nothing may have been read before the mistake.
  for (std::size_t line = 0; line < text.size(); line = std::min(text.find('\n', line), text.size() - 1) + 1) {
    if (std::any_of(keys.begin(), keys.end(), [&](const auto& key) { return begins_with(text.substr(line, 256), key); })) return true;
  }
  return false;
}

class Gatherer {
 public:
  Gatherer(const LoadOptions& options, Sources& sources, Mistakes& mistakes) : options_(options), sources_(sources), mistakes_(mistakes) {}

  Gathered first(const std::string& path) {
    auto text = read(path);
    if (const auto* unreadable = std::get_if<Unreadable>(&text)) {
      sources_.push_back({path, {}});
      mistakes_.add({}, {}, unreadable->why, unreadable->hint);
      return {{}, false};
    }
    return first_text(std::move(std::get<std::string>(text)), path);
  }

  Gathered first_text(std::string text, const std::string& name) {
    Gathered gathered;
    if (text.size() > options_.max_bytes) {
      sources_.push_back({name, {}});
      const auto [why, hint] = too_long(options_.max_bytes);
      mistakes_.add({}, {}, why, hint);
      return {{}, false};
    }
    if (name != "-") open_.push_back(known_as(name));
    gathered.root.kind = Node::Kind::map;
    take(std::move(text), name, nullptr, gathered.root);
    gathered.complete = complete_;
    return gathered;
  }

 private:
  [[nodiscard]] std::variant<std::string, Unreadable> read(const std::string& path) const {
    if (options_.recorded == nullptr) return path == "-" ? read_stream(std::cin, options_.max_bytes) : read_file(path, options_.max_bytes);
    const auto& recorded = *options_.recorded;
    const auto found = std::find_if(recorded.begin(), recorded.end(), [&](const Source& source) { return source.name == path; });
    if (found == recorded.end()) return Unreadable{"was not recorded", ""};
    return found->text;
  }

  /// What is recorded has nothing to do with what the disk holds by now.
  [[nodiscard]] std::string known_as(const std::string& path) const { return options_.recorded == nullptr ? identity(path) : path; }

  /// Parses one file, takes its includes into `merged`, then its own keys. `item`: where it is included, if it is.
  void take(std::string text, const std::string& name, const Node* item, Node& merged) {
    const auto source = static_cast<std::uint16_t>(sources_.size());
    sources_.push_back({name, std::move(text)});
    const std::size_t nodes_max = std::max<std::size_t>(options_.max_bytes / 4, 1024);
    Node root;
    const std::size_t mistakes_before = mistakes_.count();
    const bool parsed = parse(sources_[source].text, source, nodes_max, mistakes_, root);
    if (!is_topology_file(root, parsed, sources_[source].text)) {
      mistakes_.keep_first(mistakes_before);
      sources_[source].text.clear();
      const bool empty = parsed && root.is_null();
      if (item != nullptr) return fail(*item, in_quotes(name) + (empty ? " is empty" : " is no topology file"), "");
      complete_ = false;
      return mistakes_.add(Position{1, 1, source}, {}, empty ? "the file is empty" : "is no topology file",
                           "it begins with \"topology: NAME\", in UTF-8");
    }
    if (!parsed) complete_ = false;
    if (!root.is_map()) return;
    for (std::size_t i = 0; i < root.pairs(); ++i) {
      if (root.key(i).text == "include") include(root.value(i), name, merged);
    }
    merge(merged, std::move(root), true);
  }

  void include(const Node& value, const std::string& includer, Node& merged) {
    if (value.is_refused()) return;
    if (value.is_scalar()) return include_one(value, includer, merged);
    if (!value.is_list()) return mistakes_.add(value, "include takes a list of files", "include: [other.yaml]");
    for (const Node& item : value.items) {
      if (item.is_scalar()) {
        include_one(item, includer, merged);
      } else if (!item.is_refused()) {
        mistakes_.add(item, "include takes a list of files", "include: [other.yaml]");
      }
    }
  }

  void include_one(const Node& item, const std::string& includer, Node& merged) {
    if (item.text.find("${") != std::string::npos) {
      return fail(item, "a file to include cannot be a variable: it is read before the variables", "write the file's name out");
    }
    const fs::path folder = includer == "-" ? fs::path() : fs::path(includer).parent_path();
    const std::string path = (folder / item.text).lexically_normal().string();
    const std::string id = known_as(path);
    if (std::find(open_.begin(), open_.end(), id) != open_.end()) {
      return mistakes_.add(item, "include goes in a circle: " + in_quotes(path) + " is already being read");
    }
    if (const auto [earlier, is_new] = done_.emplace(id, item.at); !is_new) {
      return mistakes_.add(item, in_quotes(path) + " is included twice", "first in " + mistakes_.line_of(earlier->second));
    }
    if (sources_.size() >= files_max) return fail(item, "more than " + std::to_string(files_max) + " files", "");
    // A pipe or a device would hold the load up.
    std::error_code error;
    const auto status = fs::status(path, error);
    if (options_.recorded == nullptr && !error && !fs::is_regular_file(status))
      return fail(item, "cannot include " + in_quotes(path) + ": not a regular file", "");
    auto text = read(path);
    if (const auto* unreadable = std::get_if<Unreadable>(&text)) {
      return fail(item, "cannot include " + in_quotes(path) + ": " + unreadable->why, unreadable->hint);
    }
    open_.push_back(id);
    take(std::move(std::get<std::string>(text)), path, &item, merged);
    open_.pop_back();
  }

  void fail(const Node& item, std::string message, std::string hint) {
    mistakes_.add(item, std::move(message), std::move(hint));
    complete_ = false;
  }

  /// Adds the keys of `from` behind those of `into`: maps merge, all else may be given once only.
  void merge(Node& into, Node&& from, bool top) {
    std::unordered_map<std::string_view, std::size_t> index;
    const std::size_t before = into.pairs();
    for (std::size_t i = 0; i < before; ++i) index.emplace(into.key(i).text, i);
    std::vector<std::size_t> fresh;
    for (std::size_t i = 0; i < from.pairs(); ++i) {
      const Node& key = from.key(i);
      if (top && key.text == "include") continue;
      const auto found = index.find(key.text);
      if (found == index.end()) {
        fresh.push_back(i);
        continue;
      }
      Node& earlier = into.items[2 * found->second + 1];
      Node& later = from.items[2 * i + 1];
      if (earlier.is_map() && later.is_map()) {
        merge(earlier, std::move(later), false);
      } else if (earlier.is_null()) {
        earlier = std::move(later);
      } else if (!later.is_null() && !earlier.is_refused() && !later.is_refused()) {
        const std::string what = top && key.text == "topology" ? "a second \"topology\"" : in_quotes(key.text) + " is given in an included file too";
        mistakes_.add(key, what, "first in " + mistakes_.line_of(into.key(found->second).at));
      }
    }
    index.clear();
    into.items.reserve(into.items.size() + 2 * fresh.size());
    for (const std::size_t i : fresh) {
      into.items.push_back(std::move(from.items[2 * i]));
      into.items.push_back(std::move(from.items[2 * i + 1]));
    }
  }

  const LoadOptions& options_;
  Sources& sources_;
  Mistakes& mistakes_;
  std::vector<std::string> open_;         ///< the files that are being read, outermost first
  std::map<std::string, Position> done_;  ///< every included file and where
  bool complete_ = true;
};

}  // namespace

Gathered gather(const std::string& path, const LoadOptions& options, Sources& sources, Mistakes& mistakes) {
  return Gatherer(options, sources, mistakes).first(path);
}

Gathered gather_text(std::string text, const std::string& name, const LoadOptions& options, Sources& sources, Mistakes& mistakes) {
  return Gatherer(options, sources, mistakes).first_text(std::move(text), name);
}

}  // namespace topo::reading
