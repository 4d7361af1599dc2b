// Single values: numbers, words, addresses. Each reader tells the mistake itself and gives nullopt.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include "load/mistakes.hpp"
#include "load/yaml.hpp"
#include "topo/ip.hpp"
#include "topo/mac.hpp"
#include "topo/topology.hpp"

namespace topo::reading {

/// Whether `node` is a scalar; else says that `what` takes `wanted`.
[[nodiscard]] bool is_scalar(Mistakes& mistakes, const Node& node, std::string_view what, std::string_view wanted);

/// Decimal digits alone: no sign, no leading zero, no point or exponent; nullopt also past 64 bits.
[[nodiscard]] std::optional<std::uint64_t> decimal(std::string_view text);

[[nodiscard]] std::optional<std::uint32_t> read_number(Mistakes& mistakes, const Node& node, std::string_view what, std::uint32_t least,
                                                       std::uint32_t most);
/// `true` or `false`, without quotes.
[[nodiscard]] std::optional<bool> read_boolean(Mistakes& mistakes, const Node& node, std::string_view what);
/// One of `words`, by its index.
[[nodiscard]] std::optional<std::size_t> read_word(Mistakes& mistakes, const Node& node, std::string_view what,
                                                   std::initializer_list<std::string_view> words);

/// An address that one machine can have: not unspecified, multicast, loopback, broadcast or IPv4-mapped.
[[nodiscard]] std::optional<IpAddress> read_address(Mistakes& mistakes, const Node& node, std::string_view what);
/// Says that `node` is none of these.
void tell_no_address(Mistakes& mistakes, const Node& node, std::string_view what, std::string hint);
/// What keeps `address` from being one machine's, or nullopt.
[[nodiscard]] std::optional<std::string> address_problem(const IpAddress& address);
/// An interface's address, with or without a prefix length; `on_loopback` lets 127.0.0.0/8 in, except what `lo` has by itself.
[[nodiscard]] std::optional<InterfaceAddress> read_interface_address(Mistakes& mistakes, const Node& node, std::string_view what,
                                                                     bool on_loopback = false);
/// A network: its host bits are zero.
[[nodiscard]] std::optional<Cidr> read_network(Mistakes& mistakes, const Node& node, std::string_view what);
/// The network that an address is most often in: /24 or /64.
[[nodiscard]] Cidr usual_network(const IpAddress& address);
/// A network of unicast addresses that interfaces can have.
[[nodiscard]] std::optional<Cidr> read_subnet(Mistakes& mistakes, const Node& node, std::string_view what);
[[nodiscard]] std::optional<Mac> read_mac(Mistakes& mistakes, const Node& node, std::string_view what);
[[nodiscard]] std::optional<Located<std::string>> read_interface_name(Mistakes& mistakes, const Node& node);

/// Calls `read` for `node`, or for each item where it is a list; an empty list is a mistake.
template <class Read>
void for_one_or_each(Mistakes& mistakes, const Node& node, std::string_view what, Read read) {
  if (!node.is_list()) return read(node);
  if (node.items.empty()) mistakes.add(node, "the list is empty", std::string(what) + " takes one or several");
  for (const Node& item : node.items) read(item);
}

/// "nothing", "a list", "a map" or the scalar in quotes.
[[nodiscard]] std::string described(const Node& node);

}  // namespace topo::reading
