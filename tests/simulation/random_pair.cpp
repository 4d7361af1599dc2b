#include "simulation/random_pair.hpp"

#include <array>
#include <stdexcept>
#include <vector>

#include "desire/desire.hpp"
#include "simulation/choices.hpp"
#include "topo/load.hpp"

namespace topo::test {
namespace {

using Names = std::vector<std::string>;

const Names bridge_names{"lan", "dmz", "core"};
const Names namespace_names{"web", "db", "app", "edge"};
constexpr std::size_t link_count = 2;

/// One for each section, so that another choice in one leaves the others as they are: bridges, namespaces, links, ports, policy, gateway.
using Seeds = std::array<std::uint64_t, 3 + 4 + link_count + 3>;

struct Line {
  std::size_t depth;
  std::string text;
};

/// Lines of which each can be taken out, with all below it.
class Writer {
 public:
  explicit Writer(const Seeds& seeds) : seeds_(seeds) {}

  std::vector<Line> operator()() {
    say(0, "topology: lab");
    if (Choices(seeds_[9 + link_count]).chance(1, 3)) say(0, "gateway: own");
    say(0, "bridges:");
    for (std::size_t i = 0; i < bridge_names.size(); ++i) bridge(i, Choices(seeds_[i]));
    say(0, "namespaces:");
    for (std::size_t i = 0; i < namespace_names.size(); ++i) space(i, Choices(seeds_[3 + i]));
    say(0, "links:");
    for (std::size_t i = 0; i < link_count; ++i) link(i, Choices(seeds_[7 + i]));
    say(0, "ports:");
    ports(Choices(seeds_[7 + link_count]));
    policy(Choices(seeds_[8 + link_count]));
    return std::move(lines_);
  }

 private:
  void say(std::size_t depth, const std::string& text) { lines_.push_back({depth, text}); }

  /// "10.1.0.7", "fd00:1::7"; of bridge 0 to 2.
  static std::string v4(std::size_t bridge, std::size_t host) { return "10." + std::to_string(bridge) + ".0." + std::to_string(host); }
  static std::string v6(std::size_t bridge, std::size_t host) { return "fd00:" + std::to_string(bridge) + "::" + std::to_string(host); }

  void bridge(std::size_t i, Choices choices) {
    if (choices.chance(1, 4)) return;
    say(1, bridge_names[i] + ":");
    const bool dual = choices.chance(1, 3), second = choices.chance(1, 5);
    const std::string subnets =
        v4(i, 0) + "/24" + (second ? ", 10.10" + std::to_string(i) + ".0.0/24" : "") + (dual ? ", \"" + v6(i, 0) + "/64\"" : "");
    if (!choices.chance(1, 6)) say(2, "subnet: [" + subnets + "]");
    if (choices.chance(1, 6)) say(2, "address: none");
    if (choices.chance(1, 6)) say(2, "address: [" + v4(i, 254) + (dual ? ", \"" + v6(i, 254) + "\"]" : "]"));
    if (choices.chance(1, 2)) say(2, choices.chance(1, 4) ? "nat: { snat: 198.51.100.2 }" : "nat: masquerade");
    if (choices.chance(1, 5)) say(2, "isolated: true");
    if (choices.chance(1, 3)) say(2, "mtu: " + choices.one_of(Names{"1400", "1280", "9000", "1000"}));
    if (choices.chance(1, 6)) say(2, "mac: 02:00:00:00:0" + std::to_string(i) + ":01");
    if (choices.chance(1, 8)) say(2, "stp: true");
    if (choices.chance(1, 6)) say(2, "ageing_time: " + choices.one_of(Names{"0", "60", "300"}));
  }

  void space(std::size_t i, Choices choices) {
    if (choices.chance(1, 5)) return;
    say(1, namespace_names[i] + ":");
    say(2, "attach:");
    for (std::size_t b = 0; b < bridge_names.size(); ++b) {
      if (choices.chance(2, 5)) attachment(i, b, choices);
    }
    if (choices.chance(1, 4)) say(2, "router: true");
    if (choices.chance(1, 5)) say(2, "gateway: " + choices.one_of(Names{"none", v4(0, 1), v4(1, 1), "auto"}));
    if (choices.chance(1, 6)) say(2, "nat: { eth0: masquerade }");
    if (choices.chance(1, 5))
      say(2, "devices: { lo: [10.99.0." + std::to_string(i) + "/32, \"fd99::" + std::to_string(i) + "/128\", 10.98.0.1/24, 10.98.0.2/24] }");
    routes(i, choices);
    sysctls(choices);
  }

  void attachment(std::size_t i, std::size_t b, Choices& choices) {
    const std::string& name = bridge_names[b];
    const std::string host = v4(b, 10 + i), other = v4(b, 30 + i);
    switch (choices.below(8)) {
      case 0:
      case 1:
        return say(3, "- " + name);
      case 2:
      case 3:
        return say(3, "- { " + name + ": " + host + " }");
      case 4:
        return say(3, "- { " + name + ": { address: [" + host + ", " + other + "], mtu: 1300 } }");
      case 5:
        return say(3, "- { " + name + ": { address: [" + other + ", " + host + ", \"" + v6(b, 10 + i) + "\"], name: up" + std::to_string(b) + " } }");
      case 6:
        return say(3, "- { " + name + ": { address: [172.16." + std::to_string(b) + "." + std::to_string(10 + i) + "/24] } }");
      default:
        return say(3, "- { " + name + ": { mac: 02:00:00:0a:0" + std::to_string(b) + ":0" + std::to_string(i) + " } }");
    }
  }

  void routes(std::size_t i, Choices& choices) {
    say(2, "routes:");
    const std::size_t b = choices.below(3);
    const std::string neighbour = v4(b, 10 + (i + 1) % 4), gateway = v4(b, 1);
    if (choices.chance(1, 4)) say(3, "10.200.0.0/16: " + neighbour);
    if (choices.chance(1, 5)) say(3, "10.201.0.0/16: [" + neighbour + ", { via: " + v4(b, 10 + (i + 2) % 4) + ", weight: 2 }]");
    if (choices.chance(1, 5)) say(3, "10.202.0.0/16: { type: " + choices.one_of(Names{"blackhole", "unreachable", "prohibit"}) + " }");
    if (choices.chance(1, 5)) say(3, "10.203.0.0/16: { via: " + gateway + ", src: " + v4(b, 10 + i) + ", metric: 7, table: 100 }");
    if (choices.chance(1, 6)) say(3, "10.204.0.0/16: " + choices.one_of(namespace_names));
    if (choices.chance(1, 6)) say(3, "10.205.0.0/16: { dev: eth0 }");
    if (choices.chance(1, 5)) say(3, "\"fd20::/64\": \"" + v6(b, 10 + (i + 1) % 4) + "\"");
    if (choices.chance(1, 6)) say(3, "\"fd21::/64\": [\"" + v6(b, 1) + "\", \"" + v6(b, 10 + (i + 2) % 4) + "\"]");
    say(2, "rules:");
    if (choices.chance(1, 5)) say(3, "- { from: " + v4(b, 0) + "/24, table: 100 }");
    if (choices.chance(1, 8)) say(3, "- { to: \"fd20::/64\", iif: eth0, table: 101, priority: 1000 }");
  }

  void sysctls(Choices& choices) {
    say(2, "sysctl:");
    for (const char* name : {"net.ipv4.tcp_syncookies", "net.ipv4.conf.all.accept_redirects", "net.ipv4.conf.eth0.rp_filter",
                             "net.ipv4.conf.eth0.forwarding", "net.ipv4.ip_forward", "net.ipv6.conf.all.forwarding", "net.ipv4.conf.all.rp_filter",
                             "net.ipv4.conf.eth0.log_martians", "net.ipv4.conf.default.log_martians", "net.ipv6.conf.eth0.accept_ra",
                             "net.ipv6.conf.default.accept_ra", "net.ipv4.conf.default.rp_filter", "net.ipv4.conf.eth1.arp_ignore",
                             "net.ipv6.conf.eth0.addr_gen_mode"}) {
      if (choices.chance(1, 9)) say(3, std::string(name) + ": " + (choices.chance(1, 2) ? "1" : "0"));
    }
    if (choices.chance(1, 12)) say(3, "net.ipv4.ip_local_port_range: 20000 30000");
  }

  void link(std::size_t i, Choices choices) {
    if (choices.chance(2, 5)) return;
    Names ends{"host"};
    ends.insert(ends.end(), namespace_names.begin(), namespace_names.end());
    ends.insert(ends.end(), bridge_names.begin(), bridge_names.end());
    const std::string named = choices.chance(1, 3) ? ":cable" + std::to_string(i) : "";
    say(1, "- between: [" + choices.one_of(ends) + ", " + choices.one_of(namespace_names) + named + "]");
    const std::string net = "10.5" + std::to_string(i) + ".0.";
    if (choices.chance(1, 2)) say(2, "addresses: [" + net + "1/24, " + net + "2/24]");
    if (choices.chance(1, 4)) say(2, "subnet: [" + net + "0/31, \"fd5" + std::to_string(i) + "::/127\"]");
    if (choices.chance(1, 4)) say(2, "mtu: " + choices.one_of(Names{"1400", "1280", "9000"}));
  }

  void ports(Choices choices) {
    const auto target = [&] { return choices.one_of(namespace_names); };
    if (choices.chance(1, 2)) say(1, "8080: " + target() + ":80");
    if (choices.chance(1, 4)) say(1, "53/udp: " + target() + ":53");
    if (choices.chance(1, 4)) say(1, "9000-9003: " + target() + ":7000-7003");
    if (choices.chance(1, 5)) say(1, "127.0.0.1:2222: " + target() + ":22");
  }

  void policy(Choices choices) {
    say(0, "zones:");
    if (choices.chance(1, 4)) say(1, "office: [203.0.113.0/24]");
    if (choices.chance(1, 4)) say(1, "mixed: [" + choices.one_of(bridge_names) + ", " + choices.one_of(namespace_names) + "]");
    say(0, "policy:");
    if (choices.chance(1, 5)) say(1, "default: allow");
    if (choices.chance(1, 4)) say(1, "reject: true");
    Names ends{"internet", "host", "any", "office", "mixed"};
    ends.insert(ends.end(), namespace_names.begin(), namespace_names.end());
    ends.insert(ends.end(), bridge_names.begin(), bridge_names.end());
    for (const char* verdict : {"allow", "deny"}) {
      say(1, std::string(verdict) + ":");
      for (std::size_t count = choices.below(4); count > 0; --count) {
        const std::string arrow = choices.chance(1, 3) ? " <-> " : " -> ";
        say(2, "- \"" + choices.one_of(ends) + arrow + choices.one_of(ends) + choices.one_of(Names{"", "", ":80", ":53/udp", ":icmp", ":8000-8010"}) +
                   "\"");
      }
    }
  }

  const Seeds& seeds_;
  std::vector<Line> lines_;
};

std::string text_of(const std::vector<Line>& lines) {
  std::string text;
  for (const Line& line : lines) text += std::string(2 * line.depth, ' ') + line.text + "\n";
  return text;
}

/// Without keys that have nothing below them; names of things may stand alone.
std::vector<Line> trimmed(std::vector<Line> lines) {
  for (std::size_t i = lines.size(); i-- > 0;) {
    const bool is_bare = lines[i].depth != 1 && lines[i].text.ends_with(':') && (i + 1 == lines.size() || lines[i + 1].depth <= lines[i].depth);
    if (is_bare) lines.erase(lines.begin() + static_cast<std::ptrdiff_t>(i));
  }
  return lines;
}

/// Takes out what no file may say, line by line: what contradicts itself, what names nothing.
RandomFile without_mistakes(std::vector<Line> lines) {
  for (;;) {
    lines = trimmed(std::move(lines));
    std::string text = text_of(lines);
    const Loaded loaded = load_text(text, "random.yaml");
    auto mistakes = loaded.diagnostics;
    if (mistakes.empty()) {
      Desired desired = desire(loaded.topology);
      if (desired.diagnostics.empty()) return {std::move(text), std::move(desired.graph)};
      mistakes = std::move(desired.diagnostics);
    }
    const std::size_t at = mistakes.front().at.line - 1;
    // "topology: lab" alone has no mistake.
    if (at == 0 || at >= lines.size()) throw std::logic_error(render(mistakes.front(), loaded.topology.sources) + "\n" + text);
    std::size_t end = at + 1;
    while (end < lines.size() && lines[end].depth > lines[at].depth) ++end;
    lines.erase(lines.begin() + static_cast<std::ptrdiff_t>(at), lines.begin() + static_cast<std::ptrdiff_t>(end));
  }
}

}  // namespace

std::pair<RandomFile, RandomFile> random_pair(std::uint64_t seed) {
  Choices choices(seed);
  const auto number = [&] {
    std::uint64_t drawn = 0;
    for (int i = 0; i < 8; ++i) drawn = drawn << 8U | choices.below(256);
    return drawn;
  };
  Seeds first{}, second{};
  const std::size_t changed = choices.one_of(std::vector<std::size_t>{1, 2, 3, 10});
  for (std::size_t i = 0; i < first.size(); ++i) {
    first[i] = number();
    second[i] = choices.chance(changed, 10) ? number() : first[i];
  }
  return {without_mistakes(Writer(first)()), without_mistakes(Writer(second)())};
}

}  // namespace topo::test
