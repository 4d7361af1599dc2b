#include "topo/names.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace topo {
namespace {

constexpr std::array<std::string_view, 7> words{"host", "internet", "any", "all", "default", "none", "lo"};
/// What YAML 1.1 reads as a boolean, or as nothing.
constexpr std::array<std::string_view, 9> booleans{"y", "n", "on", "off", "yes", "no", "true", "false", "null"};

bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_alphanumeric(char c) { return is_lower(c) || is_digit(c) || (c >= 'A' && c <= 'Z'); }

/// Why it cannot be a name; empty where it can.
std::string reserved(std::string_view name) {
  std::string lower(name);
  std::transform(lower.begin(), lower.end(), lower.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  if (std::find(words.begin(), words.end(), lower) != words.end()) return "is reserved: it has a meaning of its own";
  if (std::find(booleans.begin(), booleans.end(), lower) != booleans.end()) return "is reserved: to many readers of YAML it is no text";
  return {};
}

std::optional<std::string> name_problem(std::string_view name, std::size_t longest) {
  if (name.empty()) return "is empty";
  if (!is_alphanumeric(name.front())) return "must begin with a letter or a digit";
  for (const char c : name) {
    if (!is_alphanumeric(c) && c != '_' && c != '-' && c != '.') return "may hold only letters, digits, '_', '-' and '.'";
  }
  if (name.size() > longest) return "is longer than " + std::to_string(longest) + " characters";
  if (std::string problem = reserved(name); !problem.empty()) return problem;
  return std::nullopt;
}

/// Insertions, deletions, substitutions and swaps of neighbours. Exact up to `limit`; more than `limit` where it is farther.
std::size_t edit_distance(std::string_view a, std::string_view b, std::size_t limit) {
  const std::size_t difference = a.size() > b.size() ? a.size() - b.size() : b.size() - a.size();
  if (difference > limit) return difference;
  std::vector<std::size_t> before_last, last(b.size() + 1), row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    before_last = std::exchange(last, row);
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) row[j] = std::min(row[j], before_last[j - 2] + 1);
    }
    if (std::min(*std::min_element(row.begin(), row.end()), *std::min_element(last.begin(), last.end())) > limit) return limit + 1;
  }
  return row[b.size()];
}

std::string hex(std::uint64_t value, std::size_t count) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text(count, '0');
  for (std::size_t i = count; i-- > 0; value >>= 4U) text[i] = digits[value & 0xfU];
  return text;
}

}  // namespace

std::optional<std::string> topology_name_problem(std::string_view name) {
  if (name.empty()) return "is empty";
  if (!is_lower(name.front())) return "must begin with a lower-case letter";
  for (const char c : name) {
    if (!is_lower(c) && !is_digit(c) && c != '-') return "may hold only lower-case letters, digits and '-'";
  }
  if (name.size() > topology_name_max) return "is longer than " + std::to_string(topology_name_max) + " characters";
  if (std::string problem = reserved(name); !problem.empty()) return problem;
  return std::nullopt;
}

std::optional<std::string> namespace_name_problem(std::string_view name) { return name_problem(name, namespace_name_max); }
std::optional<std::string> bridge_name_problem(std::string_view name) { return name_problem(name, interface_name_max); }
std::optional<std::string> interface_name_problem(std::string_view name) { return name_problem(name, interface_name_max); }
std::optional<std::string> zone_name_problem(std::string_view name) { return name_problem(name, namespace_name_max); }

std::optional<std::string> nearest(std::string_view word, const std::vector<std::string>& candidates) {
  const std::string* best = nullptr;
  if (word.size() > namespace_name_max) return std::nullopt;
  std::size_t least = std::clamp<std::size_t>(word.size() / 3, 1, 4) + 1;
  for (const auto& candidate : candidates) {
    const std::size_t distance = edit_distance(word, candidate, least - 1);
    if (distance < least) {
      least = distance;
      best = &candidate;
    }
  }
  return best == nullptr ? std::nullopt : std::optional(*best);
}

std::uint64_t stable_hash(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325U;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
  return hash;
}

std::uint32_t link_group(std::string_view topology) {
  return link_group_any | (static_cast<std::uint32_t>(stable_hash(topology) >> 8U) & 0x00ffffffU);
}

std::string owner_mark(std::string_view topology) { return "topo:v1:" + std::string(topology); }

std::optional<std::string> owner_of(std::string_view mark) {
  constexpr std::string_view prefix = "topo:v1:";
  if (mark.substr(0, prefix.size()) != prefix) return std::nullopt;
  mark.remove_prefix(prefix.size());
  const auto name = mark.substr(0, mark.find(':'));
  if (topology_name_problem(name)) return std::nullopt;
  return std::string(name);
}

std::string mark_ref(std::string_view mark) {
  for (int colons = 0; colons < 3; ++colons) {
    const auto colon = mark.find(':');
    if (colon == std::string_view::npos) return {};
    mark.remove_prefix(colon + 1);
  }
  return std::string(mark);
}

std::string chain_prefix(std::string_view topology) { return "TOPO-" + hex(stable_hash(topology) >> 32U, 8); }

std::string table_name(std::string_view topology) { return "topo_" + std::string(topology); }

std::string host_end_name(std::string_view ns, std::string_view interface) {
  const std::string readable = std::string(ns) + "." + std::string(interface);
  const bool ambiguous = ns.find('.') != std::string_view::npos || interface.find('.') != std::string_view::npos;
  if (readable.size() <= interface_name_max && !ambiguous) return readable;
  // 36 bits tell the ends of one host apart; the dot in front keeps such a name from equalling a readable one with another namespace.
  const std::string tail = "." + hex(stable_hash(readable + "\n" + std::to_string(ns.size())), 9);
  return std::string(ns.substr(0, interface_name_max - tail.size())) + tail;
}

std::string gateway_name(std::string_view topology) { return std::string(topology) + "-gateway"; }

std::string uplink_name(std::string_view bridge) { return host_end_name("uplink", bridge); }

std::string etc_folder(std::string_view topology, std::string_view ns) {
  return std::string(state_folder) + "/" + std::string(topology) + "/etc/" + std::string(ns) + "/files";
}

std::optional<std::string> owner_of_etc(std::string_view target, std::string_view ns) {
  const std::string prefix = std::string(state_folder) + "/";
  if (!target.starts_with(prefix)) return std::nullopt;
  const std::string topology(target.substr(prefix.size(), target.find('/', prefix.size()) - prefix.size()));
  if (topology_name_problem(topology) || target != etc_folder(topology, ns)) return std::nullopt;
  return topology;
}

std::string command_prefix(std::string_view topology) { return topology.empty() ? "topo:v1:" : owner_mark(topology) + ":run:"; }

std::string command_place(std::string_view topology, std::string_view ns, std::string_view name) {
  return command_prefix(topology) + hex(stable_hash(std::string(ns) + "/" + std::string(name)), 16);
}

std::string log_path(std::string_view topology, std::string_view ns, std::string_view name) {
  return std::string(state_folder) + "/" + std::string(topology) + "/log/" + std::string(ns) + "/" + std::string(name) + ".log";
}

std::size_t utf8_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  const std::size_t length = first < 0x80                    ? 1
                             : first >= 0xc2 && first < 0xe0 ? 2
                             : first >= 0xe0 && first < 0xf0 ? 3
                             : first >= 0xf0 && first < 0xf5 ? 4
                                                             : 0;
  if (length == 0 || length > text.size()) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0U) != 0x80) return 0;
  }
  if ((first == 0xe0 && byte(1) < 0xa0) || (first == 0xed && byte(1) >= 0xa0) || (first == 0xf0 && byte(1) < 0x90) ||
      (first == 0xf4 && byte(1) >= 0x90))
    return 0;
  return length;
}

std::string printable(std::string_view text) {
  std::string safe;
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    const auto first = static_cast<unsigned char>(text.front());
    const bool control = first < 0x20 || first == 0x7f || (length == 2 && first == 0xc2 && static_cast<unsigned char>(text[1]) < 0xa0);
    if (length == 0 || (control && length == 1)) {
      safe += "\\x" + hex(first, 2);
      text.remove_prefix(1);
      continue;
    }
    if (control) {
      safe += "\\x" + hex(first, 2) + "\\x" + hex(static_cast<unsigned char>(text[1]), 2);
    } else {
      safe += text.substr(0, length);
    }
    text.remove_prefix(length);
  }
  return safe;
}

}  // namespace topo
