// A command that runs in a namespace for as long as the topology is there.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "resources/difference.hpp"
#include "resources/relation.hpp"
#include "topo/topology.hpp"

namespace topo {

struct Command {
  std::string ns;
  std::string name;
  std::vector<std::string> words;    ///< as execve(2) takes them
  std::vector<std::string> after;    ///< "NS/NAME" of those that are ready before it starts; sorted
  std::optional<Readiness> ready{};  ///< nullopt: as soon as it has been executed
  std::string files;                 ///< fingerprint of its namespace's Etc: what it found in /etc when it started
  int turn = 0;                      ///< greater than those of all that it comes after; no difference by itself
  std::string amiss{};               ///< live only: "not ready", "being stopped"
  bool operator==(const Command& other) const {
    return ns == other.ns && name == other.name && words == other.words && after == other.after && ready == other.ready && files == other.files &&
           amiss == other.amiss;
  }

  static constexpr std::string_view kind = "command";
  static constexpr int rank = 90;  ///< once the network is up
  static constexpr bool lingers = true;  ///< what runs in a namespace goes on when that loses its name
  static constexpr std::string_view lost = "ended";  ///< why it is not there, where nobody took it away
  [[nodiscard]] std::string key() const { return ns + "/" + name; }
  [[nodiscard]] int order() const { return turn; }
  [[nodiscard]] std::vector<std::string> needs() const { return {namespace_need(ns)}; }
  [[nodiscard]] std::string title() const { return key(); }
  [[nodiscard]] std::string summary() const;
};
[[nodiscard]] Differences differences(const Command& before, const Command& after);

inline constexpr std::string_view not_ready = "not ready";
/// Its namespace is another one by now, or has no name.
inline constexpr std::string_view in_other_namespace = "in another namespace";
inline constexpr std::string_view being_stopped = "being stopped";

/// As a text that the command's keeper holds, so that nobody else need remember it.
[[nodiscard]] std::string to_text(const Command& command);
/// Nullopt where it is no such text.
[[nodiscard]] std::optional<Command> command_from(std::string_view text);

/// The words as a person would type them.
[[nodiscard]] std::string typed(const std::vector<std::string>& words);

}  // namespace topo
