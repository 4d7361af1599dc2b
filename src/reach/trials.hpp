// What packets have to show: a trial for every class of flows, or for every pair.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "reach/names.hpp"
#include "reach/ruling.hpp"

namespace topo::reach {

/// A packet, and what shall become of it.
struct Trial {
  std::string from, to;                              ///< names of stations; zones outside; "host"
  std::size_t sender = gateway, receiver = gateway;  ///< stations; the gateway also for the outside
  bool from_outside = false, to_outside = false;
  IpAddress source, destination;  ///< that is sent from (unspecified: the sender has no choice) and to
  Protocol protocol = Protocol::tcp;
  std::uint16_t port = 0;
  IpAddress at;  ///< where it is to arrive; behind a port map the target
  std::uint16_t listen_port = 0;
  bool mapped = false;                 ///< by a port map
  bool any_address = false;            ///< that is for every address of the host
  std::string by;                      ///< "port 80/tcp -> web:80", "expect"; empty: the policy
  Verdict verdict = Verdict::allowed;  ///< allowed or denied
  std::string why;
  Position at_line{};
  std::optional<DecidingRule> rule;  ///< of what is denied: that has to count it
};

/// So many are tried at the most.
inline constexpr std::size_t most_trials = 300'000;

/// Of each class of allowed and denied flows one, of each port map also by localhost; what is unroutable is left out. `every_pair`: of each class all
/// pairs of its stations. `firewalls` are those that there shall be. Where there would be more than most_trials the list ends behind these.
[[nodiscard]] std::vector<Trial> trials_of(const Names& names, const Firewalls& firewalls, bool every_pair);

/// One that is allowed and has the station at an end, over that family: shows that it is alive. nullopt: nothing of the kind is allowed.
[[nodiscard]] std::optional<Trial> sign_of_life(const Names& names, std::size_t station, Family family);

}  // namespace topo::reach
