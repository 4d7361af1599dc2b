// Topologies at random, as text that load and desire find nothing wrong with: bridges of every kind, routers, cables, routes, port maps, zones and
// a policy. A seed gives the same text on every machine.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "desire/desire.hpp"
#include "topo/load.hpp"

namespace topo::test {

class RandomTopology {
 public:
  explicit RandomTopology(std::uint64_t seed) : engine_(seed) {}

  std::string text() {
    do {
      *this = RandomTopology(engine_());
      make_network();
    } while (names_.empty() || !is_good());
    for (const char* key : {"allow", "deny"}) add_flows(key);
    return whole();
  }

 private:
  using Lines = std::vector<std::string>;

  std::size_t below(std::size_t n) { return engine_() % n; }
  bool one_in(std::size_t n) { return below(n) == 0; }
  const std::string& any_of(const Lines& lines) { return lines[below(lines.size())]; }

  [[nodiscard]] static std::string section(const std::string& name, const Lines& lines) {
    if (lines.empty()) return {};
    std::string text = name + ":\n";
    for (const auto& line : lines) text += "  " + line + "\n";
    return text;
  }

  [[nodiscard]] std::string whole() const {
    std::string text = "topology: lab\n" + section("bridges", bridges_) + section("namespaces", namespaces_) + section("links", links_) +
                       section("ports", ports_) + section("zones", zones_);
    std::string policy = policy_;
    for (const auto& [key, flows] : {std::pair("allow", &allow_), std::pair("deny", &deny_)}) {
      if (flows->empty()) continue;
      policy += std::string("  ") + key + ":\n";
      for (const auto& flow : *flows) policy += "    - " + flow + "\n";
    }
    return policy.empty() ? text : text + "policy:\n" + policy;
  }

  [[nodiscard]] bool is_good() const {
    const Loaded loaded = load_text(whole(), "random.yaml");
    return loaded.diagnostics.empty() && check(loaded.topology).empty();
  }

  /// Keeps the line where nothing is wrong with it.
  void try_line(Lines& lines, std::string line) {
    lines.push_back(std::move(line));
    if (!is_good()) lines.pop_back();
  }

  void make_network() {
    const std::size_t bridges = 1 + below(4);
    for (std::size_t i = 0; i < bridges; ++i) add_bridge(i);
    const std::size_t namespaces = 2 + below(6);
    for (std::size_t i = 0; i < namespaces; ++i) add_namespace(i);
    for (std::size_t i = below(3); i > 0; --i) add_link();
    // Who is known by no address, behind a cable from another bridge, is nobody the gateway could tell from others there.
    if (one_in(4) && bridge_names_.size() > 1 && !by_port_) try_line(links_, "- { between: [" + bridge_names_[0] + ", " + bridge_names_[1] + "] }");
    if (one_in(4)) zones_.push_back("office: [203.0.113.0/24" + std::string(one_in(2) ? ", \"2001:db8:aa::/48\"" : "") + "]");
    if (names_.empty()) return;
    if (one_in(4)) zones_.push_back("zone: [" + any_of(bridge_names_) + ", " + any_of(names_) + "]");
    for (std::size_t i = below(4); i > 0; --i) add_port();
    if (one_in(4)) policy_ += "  default: allow\n";
    if (one_in(5)) policy_ += "  reject: true\n";
  }

  void add_bridge(std::size_t i) {
    const std::string number = std::to_string(i);
    const std::string name = "br" + number;
    bridge_names_.push_back(name);
    if (one_in(6)) {
      plain_.push_back(true);
      bridges_.push_back(name + ": { address: none" + (one_in(3) ? ", isolated: true" : "") + " }");
      return;
    }
    plain_.push_back(false);
    std::string line = name + ": { subnet: ";
    switch (below(4)) {
      case 0:
        line += "\"fd00:" + number + "::/64\"";
        break;
      case 1:
        line += "[10." + number + ".0.0/24, \"fd00:" + number + "::/64\"]";
        break;
      case 2:
        line += one_in(3) ? "[10." + number + ".0.0/24, 10." + number + ".1.0/24]" : "10." + number + ".0.0/24";
        break;
      default:
        line += "10." + number + ".0.0/24";
    }
    if (one_in(2)) line += one_in(4) ? ", nat: { snat: 198.51.100.2 }" : ", nat: masquerade";
    if (one_in(4)) line += ", isolated: true";
    bridges_.push_back(line + " }");
  }

  void add_namespace(std::size_t i) {
    const std::string name = "ns" + std::to_string(i);
    std::string line = name + ": { attach: [";
    const std::size_t attachments = one_in(8) ? 0 : one_in(4) ? 2 : 1;
    for (std::size_t k = 0; k < attachments; ++k) {
      const std::size_t bridge = below(bridge_names_.size());
      line += (k == 0 ? "" : ", ") + attachment(bridge, i);
    }
    line += "]";
    const bool replicas = one_in(8) && attachments > 0;
    if (replicas) line += ", replicas: " + std::to_string(2 + below(2));
    if (one_in(5)) {
      line += ", router: true";
      by_port_ = true;
      if (one_in(2) && attachments > 0) line += ", nat: { eth0: masquerade }";
    }
    if (one_in(6)) line += ", gateway: none";
    if (one_in(6) && !replicas) line += ", devices: { lo: 10.200.0." + std::to_string(i + 1) + "/32 }";
    const std::size_t before = namespaces_.size();
    try_line(namespaces_, line + " }");
    if (namespaces_.size() == before) return;
    names_.push_back(replicas ? name + "1" : name);
    if (replicas) ends_.push_back("\"" + name + "[*]\"");
    ends_.push_back(names_.back());
    if (names_.size() < 2 || !one_in(3)) return;
    // A route by somebody: kept where it can be.
    static const Lines destinations{"default", "10.200.0.0/24", "10.50.0.0/16", "10.0.0.0/24", "\"fd00:50::/32\"", "10.2.0.0/16"};
    const std::string with_route = namespaces_.back().substr(0, namespaces_.back().size() - 2) + ", routes: { " + any_of(destinations) + ": " +
                                   names_[below(names_.size() - 1)] + " } }";
    std::string plain = std::exchange(namespaces_.back(), with_route);
    if (!is_good()) namespaces_.back() = std::move(plain);
  }

  std::string attachment(std::size_t bridge, std::size_t i) {
    const std::string& name = bridge_names_[bridge];
    if (one_in(12)) {
      by_port_ = true;
      return name + ": { address: none }";
    }
    if (!plain_[bridge]) return name + ": {}";
    const std::string host = std::to_string(10 + i), number = std::to_string(bridge);
    return name + ": [10.9" + number + ".0." + host + "/24" + (one_in(2) ? ", \"fd00:9" + number + "::" + host + "/64\"" : "") + "]";
  }

  void add_link() {
    if (names_.size() < 2) return;
    const std::string number = std::to_string(links_.size() + 1);
    const std::string& a = one_in(6) ? host_ : any_of(names_);
    const std::string& b = any_of(names_);
    if (a == b) return;
    std::string from = "10.50." + number + ".1/24", to = "10.50." + number + ".2/24";
    if (one_in(3)) {
      from = "[" + from + ", \"fd00:50:" + number + "::1/64\"]";
      to = "[" + to + ", \"fd00:50:" + number + "::2/64\"]";
    }
    try_line(links_, "- { between: [" + a + ", " + b + "], addresses: [" + from + ", " + to + "] }");
  }

  void add_port() {
    static const Lines outside{"80", "8000-8003", "5353/udp", "127.0.0.1:9000", "198.51.100.2:8080"};
    static const Lines inside{"80", "8000-8003", "53", "80", "80"};
    const std::size_t which = below(outside.size());
    try_line(ports_, outside[which] + ": " + any_of(names_) + ":" + inside[which]);
  }

  void add_flows(const std::string& key) {
    static const Lines services{"", "", "", ":80", ":80", ":22", ":53/udp", ":icmp", ":8000-8010", ":1-65535", ":80-90/udp"};
    Lines& flows = key == "allow" ? allow_ : deny_;
    for (std::size_t i = below(key == "allow" ? 6 : 4); i > 0; --i) {
      const std::string from = end(), to = end();
      const auto bare = [](const std::string& text) { return text.front() == '"' ? text.substr(1, text.size() - 2) : text; };
      try_line(flows, "\"" + bare(from) + (one_in(4) ? " <-> " : " -> ") + bare(to) + any_of(services) + "\"");
    }
  }

  const std::string& end() {
    static const Lines others{"internet", "host", "any"};
    if (one_in(5)) return any_of(others);
    if (one_in(6) && !zones_.empty()) {
      zone_ = any_of(zones_);
      zone_ = zone_.substr(0, zone_.find(':'));
      return zone_;
    }
    return one_in(2) || ends_.empty() ? any_of(bridge_names_) : any_of(ends_);
  }

  std::mt19937_64 engine_;
  std::string host_ = "host", zone_, policy_;
  Lines bridges_, namespaces_, links_, ports_, zones_, allow_, deny_;
  Lines bridge_names_, names_, ends_;
  std::vector<bool> plain_;
  bool by_port_ = false;
};

}  // namespace topo::test
