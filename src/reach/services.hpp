// Sets of services: which ports of which protocols.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "reach/judge.hpp"

namespace topo::reach {

class Services {
 public:
  Services() = default;
  /// Those of `spans` with one verdict.
  Services(const Spans& spans, Verdict verdict);
  [[nodiscard]] static Services of(const std::vector<PortRange>& ranges);  ///< empty: all

  void unite(const Services& other);
  [[nodiscard]] Services without(const Services& other) const;
  [[nodiscard]] Services both(const Services& other) const;
  [[nodiscard]] bool empty() const { return tcp_.empty() && udp_.empty() && !icmp_ && !rest_; }
  [[nodiscard]] bool all() const;
  auto operator<=>(const Services&) const = default;

  /// "all", "80/tcp, icmp", "all but 22/tcp".
  [[nodiscard]] std::string text() const;
  /// Its ranges, each with its protocol; `any` stands for whatever has neither ports nor is icmp.
  [[nodiscard]] std::vector<PortRange> ranges() const;

 private:
  using Intervals = std::vector<std::pair<std::uint32_t, std::uint32_t>>;  ///< first and last, apart, rising
  static Intervals united(const Intervals& a, const Intervals& b);
  static Intervals minus(const Intervals& a, const Intervals& b);
  [[nodiscard]] Services inverted() const;

  Intervals tcp_, udp_;
  bool icmp_ = false, rest_ = false;
};

}  // namespace topo::reach
