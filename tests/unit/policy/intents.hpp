// Intents of the tutorial's networks, as desire makes them, and a short way to say others.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "policy/compile.hpp"
#include "policy/intent.hpp"

namespace topo::policy::test {

inline IpAddress ip(const std::string& text) { return IpAddress::parse(text).value(); }
inline Cidr cidr(const std::string& text) { return Cidr::parse(text).value(); }

inline std::size_t add_bridge(Intent& intent, const std::string& name, const std::vector<std::string>& gateway, Nat::Kind nat = Nat::Kind::none) {
  Segment segment;
  segment.interface = name;
  for (const auto& address : gateway) segment.gateway.push_back(cidr(address));
  segment.nat.kind = nat;
  intent.segments.push_back(segment);
  return intent.segments.size() - 1;
}

inline std::size_t add_member(Intent& intent, const std::string& ns, std::size_t segment, const std::vector<std::string>& addresses) {
  Member member;
  member.ns = ns;
  member.interface = "eth0";
  member.segment = segment;
  if (intent.segments[segment].bridge) member.port = ns + ".eth0";
  for (const auto& address : addresses) member.addresses.push_back(ip(address));
  intent.members.push_back(member);
  return intent.members.size() - 1;
}

inline Ends bridge_ends(std::size_t segment) {
  Ends ends;
  ends.segments = {segment};
  return ends;
}
inline Ends member_ends(std::size_t member) {
  Ends ends;
  ends.members = {member};
  return ends;
}
inline Ends internet_ends() {
  Ends ends;
  ends.internet = true;
  return ends;
}
inline Ends host_ends() {
  Ends ends;
  ends.host = true;
  return ends;
}

inline void add_port(Intent& intent, std::uint16_t first, std::uint16_t last, std::size_t member, std::uint16_t target,
                     const std::string& address = {}, Protocol protocol = Protocol::tcp) {
  PortMap map;
  if (!address.empty()) map.address = ip(address);
  map.first = first;
  map.last = last;
  map.protocol = protocol;
  map.member = member;
  map.targets = intent.members[member].addresses;
  map.target_first = target;
  map.target_last = static_cast<std::uint16_t>(target + last - first);
  map.text =
      std::to_string(first) + (protocol == Protocol::udp ? "/udp" : "/tcp") + " -> " + intent.members[member].ns + ":" + std::to_string(target);
  intent.ports.push_back(map);
}

inline Intent three_tier() {
  Intent intent;
  intent.topology = "three-tier";
  const auto front = add_bridge(intent, "frontend-bridge", {"192.168.10.1/24"}, Nat::Kind::masquerade);
  const auto back = add_bridge(intent, "backend-bridge", {"192.168.20.1/24"});
  const auto data = add_bridge(intent, "database-bridge", {"192.168.30.1/24"});
  const auto web = add_member(intent, "web-server", front, {"192.168.10.10"});
  add_member(intent, "api-server", back, {"192.168.20.10"});
  add_member(intent, "db-server", data, {"192.168.30.10"});
  add_port(intent, 80, 80, web, 80);
  intent.allow = {{bridge_ends(front), bridge_ends(back), {}, "frontend -> backend"},
                  {bridge_ends(back), bridge_ends(front), {}, "backend -> frontend"},
                  {bridge_ends(back), bridge_ends(data), {}, "backend -> data"},
                  {bridge_ends(data), bridge_ends(back), {}, "data -> backend"}};
  intent.statements = {"nat frontend-bridge masquerade", "allow frontend <-> backend", "allow backend <-> data", "port 80/tcp web-server:80"};
  needs_bridge_filter(intent);
  return intent;
}

inline Intent apps() {
  Intent intent;
  intent.topology = "apps";
  const auto cloud = add_bridge(intent, "cloud-bridge", {"172.20.0.1/24"}, Nat::Kind::masquerade);
  for (const char* last : {"1", "2", "3"}) add_member(intent, std::string("app") + last, cloud, {std::string("172.20.0.1") + last});
  add_port(intent, 8081, 8081, 0, 80);
  add_port(intent, 8082, 8082, 1, 80);
  add_port(intent, 3000, 3000, 2, 3000);
  needs_bridge_filter(intent);
  return intent;
}

inline Intent zones() {
  Intent intent;
  intent.topology = "zones";
  const auto cloud = add_bridge(intent, "cloud-bridge", {"172.20.0.1/24"});
  for (const char* last : {"1", "2", "3"}) add_member(intent, std::string("app") + last, cloud, {std::string("172.20.0.1") + last});
  intent.deny = {{member_ends(0), member_ends(1), {}, "app1 -> app2"}, {member_ends(1), member_ends(0), {}, "app2 -> app1"}};
  needs_bridge_filter(intent);
  return intent;
}

inline Intent database() {
  Intent intent;
  intent.topology = "database";
  const auto cloud = add_bridge(intent, "cloud-bridge", {"172.20.0.1/24"}, Nat::Kind::masquerade);
  const auto secure = add_bridge(intent, "secure-bridge", {"10.10.0.1/24"});
  add_member(intent, "app1", cloud, {"172.20.0.11"});
  add_member(intent, "app2", cloud, {"172.20.0.12"});
  add_member(intent, "database", secure, {"10.10.0.2"});
  intent.allow = {{member_ends(0), member_ends(2), {{Protocol::tcp, 3306, 3306}}, "app1 -> database:3306"}};
  needs_bridge_filter(intent);
  return intent;
}

/// A namespace that hides what is behind it.
inline Intent home_router() {
  Intent intent;
  intent.topology = "home";
  intent.interface_nat.push_back({"wan", {}, true, false});
  intent.interface_nat.back().nat.kind = Nat::Kind::masquerade;
  return intent;
}

/// `count` namespaces on bridges of 250, each with a port map.
inline Intent laboratory(std::size_t count) {
  Intent intent;
  intent.topology = "laboratory";
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t bridge = i / 250, place = i % 250;
    if (place == 0) {
      const std::string third = std::to_string(bridge);
      add_bridge(intent, "br" + third, {"10.50." + third + ".1/24"}, Nat::Kind::masquerade);
    }
    const auto member = add_member(intent, "n" + std::to_string(i), bridge, {"10.50." + std::to_string(bridge) + "." + std::to_string(place + 2)});
    const auto port = static_cast<std::uint16_t>(20000 + i);
    add_port(intent, port, port, member, 80);
  }
  needs_bridge_filter(intent);
  return intent;
}

/// What keeps a table from loading, or is in it for no one: chains spoken of that are not there, or that nothing speaks of. Empty: nothing.
inline std::string form_problem(const netfilter::Ruleset& rules) {
  using netfilter::ChainId;
  using Kind = netfilter::Target::Kind;
  std::set<ChainId> reached;
  std::string problem;
  const auto follow = [&](const ChainId& from, const std::vector<netfilter::Rule>& list) {
    for (const netfilter::Rule& rule : list) {
      if (rule.comment.size() > 255) problem = from.name + " has too long a comment";
      if (rule.target.kind != Kind::jump && rule.target.kind != Kind::go_to) continue;
      reached.insert({from.family, from.table, rule.target.chain});
    }
  };
  for (const auto& [id, list] : rules.jumps) follow(id, list);
  for (const auto& [id, list] : rules.chains) follow(id, list);
  for (const ChainId& id : reached) {
    if (!rules.chains.contains(id)) problem = id.name + " is not there";
  }
  for (const auto& [id, list] : rules.chains) {
    if (id.name.size() > 28) problem = id.name + " is too long a name";
    if (list.empty()) problem = id.name + " is empty";
    if (reached.contains(id) == id.name.ends_with("-spec")) problem = "nothing jumps to " + id.name;
  }
  return problem;
}

/// The same of tables of nf_tables: names that are not there, or that nothing speaks of.
inline std::string form_problem(const nftables::Ruleset& rules) {
  std::string problem;
  for (const nftables::Table* table : {&rules.inet, &rules.bridge}) {
    std::set<std::string> chains, sets;
    const auto follow = [&](const std::string& verdict) {
      if (verdict.starts_with("goto ") || verdict.starts_with("jump ")) chains.insert(verdict.substr(5));
    };
    for (const auto& [name, chain] : table->chains) {
      if (chain.base) chains.insert(name);
      if (chain.rules.empty()) problem = name + " is empty";
      for (const nftables::Rule& rule : chain.rules) {
        using Kind = nftables::Action::Kind;
        if (rule.comment.size() > nftables::comment_max) problem = name + " has too long a comment";
        if (rule.action.kind == Kind::jump || rule.action.kind == Kind::go_to) {
          chains.insert(rule.action.target);
        } else if (!rule.action.target.empty()) {
          sets.insert(rule.action.target);
        }
        for (const nftables::Match& match : rule.matches) {
          if (!match.set.empty()) sets.insert(match.set);
          if (table == &rules.bridge && std::count(match.fields.begin(), match.fields.end(), nftables::Field::nfproto) != 0)
            problem = name + " asks table bridge for what it does not know";
        }
      }
    }
    for (const auto& [name, set] : table->sets) {
      for (const auto& [key, element] : set.elements) {
        if (!set.data.empty() && set.data.front() == nftables::Type::verdict) follow(element.data);
        if (element.comment.size() > nftables::comment_max) problem = name + " has too long a comment";
      }
      if (!sets.contains(name) && name != "spec") problem = "nothing asks " + name;
    }
    for (const std::string& chain : chains) {
      if (!table->chains.contains(chain)) problem = chain + " is not there";
    }
    for (const std::string& set : sets) {
      if (!table->sets.contains(set)) problem = set + " is not there";
    }
    for (const auto& [name, chain] : table->chains) {
      if (!chains.contains(name)) problem = "nothing leads to " + name;
    }
  }
  return problem;
}

}  // namespace topo::policy::test
