// Names in a policy to end points, and whether a rule between them can be kept.
#pragma once

#include <string>
#include <vector>

#include "desire/network.hpp"

namespace topo::network {

/// A bridge or a namespace that a rule names, by itself or in a zone: the segments where it can be met.
struct Element {
  std::string name;
  std::size_t space = nowhere;  ///< of a namespace
  std::vector<std::size_t> segments;
};

/// One side of a rule.
struct Side {
  policy::Ends ends;
  std::vector<Element> elements;
  bool known = true;  ///< false: the name is none, or something of what it names was refused; that is said
};

[[nodiscard]] Side side_of(const Network& network, const std::string& name);

/// Refuses a rule whose two sides meet neither at the gateway nor on a bridge.
void check_flow(Network& network, const FlowSpec& spec, const Side& from, const Side& to);

/// A rule of the policy and what its two names stand for.
struct Rule {
  const FlowSpec* spec;
  const Side* from;
  const Side* to;
};

/// Refuses allows that one deny cancels whole.
void check_cancelled(Network& network, const std::vector<Rule>& allowed, const std::vector<Rule>& denied);

}  // namespace topo::network
