#include <set>

#include "load/scalars.hpp"
#include "load/sections.hpp"
#include "topo/names.hpp"

namespace topo::reading {
namespace {

constexpr std::uint32_t ageing_time_max_s = 1'000'000;  // IEEE 802.1D-2004, table 7-5

void read_subnet_of(Reading& reading, const Node& value, BridgeSpec& bridge) {
  std::set<Cidr> seen;
  for_one_or_each(reading.mistakes, value, "subnet", [&](const Node& item) {
    const auto subnet = read_subnet(reading.mistakes, item, "subnet");
    if (!subnet) return;
    if (!seen.insert(*subnet).second) return reading.mistakes.add(item, subnet->to_string() + " is listed twice");
    bridge.subnets.push_back({*subnet, item.at});
  });
}

void read_address_of(Reading& reading, const Node& value, BridgeSpec& bridge) {
  if (value.is_scalar() && value.text == "none") {
    bridge.plain = true;
    return;
  }
  for_one_or_each(reading.mistakes, value, "address", [&](const Node& item) {
    if (value.is_list() && item.is_scalar() && item.text == "none") return reading.mistakes.add(item, "none stands alone", "address: none");
    const auto address = read_address(reading.mistakes, item, "address");
    if (address) bridge.addresses.push_back({*address, item.at});
  });
}

void read_mtu(Reading& reading, const Node& value, BridgeSpec& bridge) {
  const auto mtu = read_number(reading.mistakes, value, "mtu", 68, 65535);
  if (mtu) bridge.mtu = Located<std::uint32_t>{*mtu, value.at};
}

void read_mac_of(Reading& reading, const Node& value, BridgeSpec& bridge) {
  const auto mac = read_mac(reading.mistakes, value, "mac");
  if (mac) bridge.mac = Located<Mac>{*mac, value.at};
}

void read_ageing_time(Reading& reading, const Node& value, BridgeSpec& bridge) {
  const auto seconds = read_number(reading.mistakes, value, "ageing_time", 0, ageing_time_max_s);
  if (seconds) bridge.ageing_time_s = Located<std::uint32_t>{*seconds, value.at};
}

constexpr Key<BridgeSpec> keys[]{
    {"subnet", read_subnet_of},
    {"address", read_address_of},
    {"nat", [](Reading& reading, const Node& value, BridgeSpec& bridge) { read_nat(reading, value, "nat", bridge.nat); }},
    {"isolated", [](Reading& reading, const Node& value,
                    BridgeSpec& bridge) { bridge.isolated = read_boolean(reading.mistakes, value, "isolated").value_or(false); }},
    {"mtu", read_mtu},
    {"mac", read_mac_of},
    {"stp",
     [](Reading& reading, const Node& value, BridgeSpec& bridge) { bridge.stp = read_boolean(reading.mistakes, value, "stp").value_or(false); }},
    {"ageing_time", read_ageing_time},
};

void read_snat(Reading& reading, const Node& value, Nat& nat) {
  const auto address = read_address(reading.mistakes, value, "snat");
  if (!address) return;
  nat.kind = Nat::Kind::snat;
  nat.to = *address;
  nat.at = value.at;
}

constexpr Key<Nat> nat_keys[]{{"snat", read_snat}};

std::string hint_for(std::string_view key) {
  for (const std::string_view physical :
       {"interface", "interfaces", "port", "ports", "external", "uplink", "parent", "device", "devices", "members"}) {
    if (key == physical) return "physical interfaces are not supported; namespaces join a bridge by their \"attach\"";
  }
  return {};
}

/// The gateway's own addresses: each a host's address in one of the subnets, one a subnet.
void check_addresses(Reading& reading, const BridgeSpec& bridge) {
  std::set<Cidr> served;
  if (bridge.addresses.size() > bridge.subnets.size() && !bridge.subnets.empty()) {
    const auto& [address, at] = bridge.addresses[bridge.subnets.size()];
    reading.mistakes.add(at, address.to_string(), "more addresses than subnets", "the gateway has one address a subnet");
    return;
  }
  for (const auto& [address, at] : bridge.addresses) {
    const Cidr* home = nullptr;
    for (const auto& subnet : bridge.subnets) {
      if (subnet.value.contains(address)) home = &subnet.value;
    }
    const std::string text = address.to_string();
    if (home == nullptr) {
      reading.mistakes.add(at, text, text + " is in no subnet of bridge " + in_quotes(bridge.name),
                           bridge.subnets.empty() ? "give it a subnet, as in subnet: " + usual_network(address).to_string() : "");
      continue;
    }
    if (!home->usable_by_host(address)) {
      reading.mistakes.add(at, text,
                           text + " is " + (address == home->address() ? "the network" : "the broadcast") + " address of " + home->to_string());
    }
    if (!served.insert(*home).second) reading.mistakes.add(at, text, "a second address in subnet " + home->to_string());
  }
}

void check(Reading& reading, const BridgeSpec& bridge) {
  check_addresses(reading, bridge);
  if (bridge.plain && bridge.nat.kind != Nat::Kind::none) {
    reading.mistakes.add(bridge.nat.at, bridge.nat.kind == Nat::Kind::masquerade ? "masquerade" : bridge.nat.to.to_string(),
                         "nat on a plain switch, with which the gateway has no part", "leave out \"address: none\", or nat");
  }
  for (const auto& subnet : bridge.subnets) {
    if (subnet.value.family() == Family::v6 && bridge.mtu && bridge.mtu->value < 1280) {
      reading.mistakes.add(bridge.mtu->at, std::to_string(bridge.mtu->value),
                           "mtu " + std::to_string(bridge.mtu->value) + " is too small for IPv6, which needs 1280");
    }
  }
}

}  // namespace

void read_nat(Reading& reading, const Node& value, std::string_view key, Nat& nat) {
  nat.at = value.at;
  if (value.is_map()) {
    for (std::size_t i = 0; i < value.pairs(); ++i) {
      const bool alone = value.key(i).text == "masquerade";
      if (alone) refuse_key(reading.mistakes, value.key(i), value.value(i), "nat", {}, "write " + std::string(key) + ": masquerade");
    }
    read_keys(reading, value, "nat", nat_keys, nat);
    if (value.items.empty()) reading.mistakes.add(value, "nat needs masquerade or {snat: ADDRESS}");
  } else if (is_scalar(reading.mistakes, value, "nat", "masquerade or {snat: ADDRESS}")) {
    if (value.text == "masquerade") {
      nat.kind = Nat::Kind::masquerade;
    } else {
      reading.mistakes.add(value, "nat takes masquerade or {snat: ADDRESS}, not " + in_quotes(value.text),
                           reading.mistakes.suggestion(value.text, {"masquerade"}));
    }
  }
}

void read_bridge(Reading& reading, const Node& map, const Node* defaults, BridgeSpec& bridge) {
  // The reader of `address` does not know whether there is a subnet, so it finds this told already.
  const Node* address = map.find("address");
  if (const auto cidr = address != nullptr && address->is_scalar() ? Cidr::parse(address->text) : std::nullopt;
      cidr && map.find("subnet") == nullptr) {
    tell_no_address(reading.mistakes, *address, "address",
                    "write subnet: " + cidr->network().to_string() + ", address: " + cidr->address().to_string());
  }
  read_keys(reading, map, "bridge " + in_quotes(bridge.name), keys, bridge, defaults, hint_for);
  // What only the defaults say gives way to what the bridge itself says.
  const bool explicit_nat = map.find("nat") != nullptr;
  if (bridge.plain && bridge.nat.kind != Nat::Kind::none && !explicit_nat) bridge.nat = {};
  if (bridge.plain && explicit_nat && map.find("address") == nullptr) bridge.plain = false;
}

void read_bridges(Reading& reading, const Node& value, Topology& topology) {
  if (!is_map(reading.mistakes, value, "bridges", "bridges: { NAME: { subnet: 192.168.10.0/24 } }")) return;
  topology.bridges.reserve(value.pairs());
  for (std::size_t i = 0; i < value.pairs(); ++i) {
    const Node& key = value.key(i);
    if (key.is_refused()) continue;
    if (const auto problem = bridge_name_problem(key.text)) reading.mistakes.add(key, "bridge name " + in_quotes(key.text) + " " + *problem);
    BridgeSpec& bridge = topology.bridges.emplace_back();
    bridge.name = key.text;
    bridge.at = key.at;
    const std::size_t before = reading.mistakes.count();
    read_bridge(reading, value.value(i), &reading.bridge_defaults, bridge);
    bridge.doubtful = reading.mistakes.count() != before || value.value(i).holds_refused();
    if (!bridge.doubtful) check(reading, bridge);
    bridge.doubtful = bridge.doubtful || reading.mistakes.count() != before;
  }
}

void add_bridge_places(std::vector<Place>& places) {
  places.push_back({"bridge", names_of(keys)});
  places.push_back({"nat", names_of(nat_keys)});
}

}  // namespace topo::reading
