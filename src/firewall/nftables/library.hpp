// libnftables(3): commands of nft(8) for the kernel, and its rules as JSON.
#pragma once

#include <string>
#include <vector>

#include "firewall/backend.hpp"
#include "topo/error.hpp"

namespace topo::firewall::nftables {

/// Commands for one namespace, in one transaction.
struct Request {
  const Place* place = nullptr;
  std::string commands;
  bool with_counts = false;  ///< lists what rules have counted as well
};

struct Answer {
  bool done = false;   ///< false: nothing was changed, and `errors` says why
  std::string output;  ///< of commands that list: JSON, numbers as numbers, without the elements of sets
  std::string errors;
};

/// Has the library carry out the requests, each by itself. It does so in a child process, which is ended with this one: the library ends the
/// program that it is in where it gets no memory or no socket. The Error is Exit::unsupported where there is no library.
[[nodiscard]] Result<std::vector<Answer>> run(const std::vector<Request>& requests);

/// The Error of a request that was not done: `what` failed, with the library's own words.
[[nodiscard]] Error failure(const std::string& what, const Answer& answer);

}  // namespace topo::firewall::nftables
