// A policy routing rule (ip-rule(8)).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "resources/difference.hpp"
#include "topo/ip.hpp"

namespace topo {

struct RoutingRule {
  std::string ns;
  Family family = Family::v4;
  std::uint32_t priority = 0;
  std::optional<Cidr> from, to;
  std::string iif;
  std::uint32_t table = 254;
  bool operator==(const RoutingRule&) const = default;

  static constexpr std::string_view kind = "rule";
  static constexpr int rank = 70;
  [[nodiscard]] std::string key() const;  ///< the whole value: a changed rule is another rule
  [[nodiscard]] std::vector<std::string> needs() const;
  [[nodiscard]] std::string title() const;
  [[nodiscard]] std::string summary() const;
};
[[nodiscard]] Differences differences(const RoutingRule& before, const RoutingRule& after);

}  // namespace topo
