// The list of resource kinds. A new kind is a folder beside these, and one name here.
#pragma once

#include <concepts>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "resources/address/address.hpp"
#include "resources/bridge/bridge.hpp"
#include "resources/command/command.hpp"
#include "resources/etc/etc.hpp"
#include "resources/firewall/firewall.hpp"
#include "resources/namespace/namespace.hpp"
#include "resources/neighbour/neighbour.hpp"
#include "resources/route/route.hpp"
#include "resources/rule/routing_rule.hpp"
#include "resources/sysctl/sysctl.hpp"
#include "resources/veth/veth.hpp"

namespace topo {

using Resource = std::variant<Namespace, Bridge, Firewall, Veth, Sysctl, Address, Neighbour, Route, RoutingRule, Etc, Command>;

/// What every kind must have. `key` is its identity among its kind; `rank` orders creation (removal is the reverse);
/// `needs` are the names of things that must exist while this one does, and with whose removal it is gone: an id ("KIND KEY"), or
/// "interface NS:NAME" (relation.hpp). A kind may also have
/// - `provides`: names besides its own id under which others need it;
/// - `order`: its place among its rank, 0 where it has none;
/// - `lingers`: the kernel does not remove it at once with what it needs;
/// - `lost`: why it is not there, where that need not be anybody's doing;
/// - `spoils` and `relies_on`: what its change spoils in the kernel for others, and what of that it cannot do without itself.
template <class T>
concept Kind = requires(const T& a, const T& b) {
  { T::kind } -> std::convertible_to<std::string_view>;
  { T::rank } -> std::convertible_to<int>;
  { a.key() } -> std::same_as<std::string>;
  { a.needs() } -> std::same_as<std::vector<std::string>>;
  { a.title() } -> std::same_as<std::string>;
  { a.summary() } -> std::same_as<std::string>;
  { differences(a, b) } -> std::same_as<Differences>;
  { a == b } -> std::same_as<bool>;
};

template <class Variant>
struct AllKinds;
template <class... Ts>
struct AllKinds<std::variant<Ts...>> {
  static constexpr bool value = (Kind<Ts> && ...);
};
static_assert(AllKinds<Resource>::value, "a kind lacks one of its functions");

}  // namespace topo
