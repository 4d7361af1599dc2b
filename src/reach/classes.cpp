#include "reach/classes.hpp"

#include <algorithm>
#include <unordered_map>

namespace topo::reach {
namespace {

/// A text that tells values apart and is compared as a whole.
class Signature {
 public:
  Signature& operator<<(std::size_t number) {
    text_.append(reinterpret_cast<const char*>(&number), sizeof number);
    return *this;
  }
  Signature& operator<<(const std::string& text) {
    *this << text.size();
    text_ += text;
    return *this;
  }
  Signature& operator<<(const IpAddress& address) {
    *this << static_cast<std::size_t>(address.family());
    text_.append(reinterpret_cast<const char*>(address.bytes().data()), address.bytes().size());
    return *this;
  }
  Signature& operator<<(const policy::Decisions& ids) {
    *this << ids.size();
    for (const std::size_t id : ids) *this << id;
    return *this;
  }
  Signature& operator<<(const Cidr& cidr) { return *this << cidr.address() << std::size_t{cidr.prefix()}; }
  template <class T>
  Signature& operator<<(const std::optional<T>& value) {
    *this << std::size_t{value.has_value()};
    return value ? *this << *value : *this;
  }
  [[nodiscard]] std::string take() { return std::move(text_); }

 private:
  std::string text_;
};

/// Every prefix by which some station may treat one address otherwise than another.
class Prefixes {
 public:
  explicit Prefixes(const Network& network) {
    for (const Interface& interface : network.interfaces()) {
      for (const Cidr& address : interface.addresses) {
        // One address alone has no network that others would send into.
        if (address.prefix() != address.address().bits()) add(address.network(), interface.domain);
      }
    }
    for (const Station& station : network.stations()) {
      for (const auto& [number, table] : station.tables) {
        for (const RouteEntry& entry : table.entries()) {
          if (!entry.connected) add(entry.destination, none);
          for (const NextHop& hop : entry.next_hops) {
            if (hop.via) add({*hop.via, hop.via->bits()}, none);
          }
        }
      }
      for (const RuleEntry& rule : station.rules) {
        for (const auto& selector : {rule.from, rule.to}) {
          if (selector) add(*selector, none);
        }
      }
    }
  }

  /// Equal for addresses that no prefix tells apart.
  [[nodiscard]] std::size_t of(const IpAddress& address) const {
    const auto* found = table_.longest(address);
    return found == nullptr ? none : found->second;
  }
  /// The same, of an address of a network that nobody knows but who is on its Ethernet: not counting that network.
  [[nodiscard]] std::size_t around(const IpAddress& address) const {
    const auto* found = table_.longest(address);
    for (std::uint8_t prefix = found->first.prefix(); prefix > 0; --prefix) {
      const auto* wider = table_.exactly(Cidr(address, static_cast<std::uint8_t>(prefix - 1)).network());
      if (wider != nullptr) return wider->second;
    }
    return none;
  }
  /// Whether the longest prefix of the address is `network`, and only stations on that Ethernet have it.
  [[nodiscard]] bool is_only(const IpAddress& address, const Cidr& network, std::size_t domain) const {
    const auto* found = table_.longest(address);
    return found != nullptr && found->first == network && domains_[found->second] == domain;
  }

 private:
  /// `domain`: who has it connected; none: somebody has a route or a rule of it.
  void add(const Cidr& prefix, std::size_t domain) {
    const std::size_t number = table_.add(prefix, domains_.size()).second;
    if (number == domains_.size()) {
      domains_.push_back(domain);
    } else if (domains_[number] != domain) {
      domains_[number] = none;
    }
  }

  network::PrefixTable<std::size_t> table_;
  std::vector<std::size_t> domains_;
};

class Describer {
 public:
  Describer(const Network& network, const policy::Relations& relations) : network_(network), relations_(relations), prefixes_(network) {
    for (std::size_t i = 0; i < relations.intent.segments.size(); ++i) segments_.push_back(network.gateway_on(i) == none ? "" : text_of_segment(i));
  }

  /// The Ethernet that its kind need not tell, or none.
  [[nodiscard]] std::size_t home_of(std::size_t index) const {
    const Station& station = network_.stations()[index];
    if (station.forwards() || !station.amiss.empty() || !station.masking.empty()) return none;
    const Interface* only = nullptr;
    for (const std::size_t i : station.interfaces) {
      const Interface& interface = network_.interfaces()[i];
      if (interface.domain == none) continue;
      if (only != nullptr) return none;
      only = &interface;
    }
    if (only == nullptr || only->member == none || !only->amiss.empty()) return none;
    const policy::Segment& segment = relations_.intent.segments[only->segment];
    if (!segment.cables.empty() || network_.gateway_on(only->segment) == none) return none;
    const auto is_plain_address = [&](const Cidr& own) {
      return place_of(segment, own) != none && prefixes_.is_only(own.address(), own.network(), only->domain);
    };
    if (!std::all_of(only->addresses.begin(), only->addresses.end(), is_plain_address)) return none;
    for (const auto& [number, table] : station.tables) {
      for (const RouteEntry& entry : table.entries()) {
        const auto by_gateway = [&](const NextHop& hop) { return hop.via && gateway_place(segment, *hop.via) != none; };
        if (!entry.connected && !std::all_of(entry.next_hops.begin(), entry.next_hops.end(), by_gateway)) return none;
      }
    }
    return only->domain;
  }

  /// Equal for stations from and to which packets take the same ways.
  [[nodiscard]] std::string kind_of(std::size_t index, bool at_home) const {
    const Station& station = network_.stations()[index];
    Signature signature;
    if (station.forwards()) return (signature << index).take();
    signature << none << std::size_t{at_home} << station.amiss;
    const policy::Segment* segment = nullptr;
    for (const std::size_t i : station.interfaces) {
      const Interface& interface = network_.interfaces()[i];
      const bool is_home = at_home && interface.domain != none;
      if (is_home) segment = &relations_.intent.segments[interface.segment];
      is_home ? describe_home(signature, interface) : describe(signature, interface);
    }
    for (const auto& [number, table] : station.tables) {
      for (const RouteEntry& entry : table.entries()) {
        if (!entry.connected) describe(signature << std::size_t{number}, station, entry, segment);
      }
    }
    for (const RuleEntry& rule : station.rules) {
      signature << static_cast<std::size_t>(rule.family) << std::size_t{rule.priority} << rule.from << rule.to << position(station, rule.iif)
                << std::size_t{rule.local} << std::size_t{rule.table};
    }
    for (const Masking& masking : station.masking) {
      signature << position(station, masking.interface) << masking.families.size() << static_cast<std::size_t>(masking.families.front());
      if (masking.to) describe_own(signature, station, *masking.to);
    }
    return signature.take();
  }

 private:
  static std::size_t position(const Station& station, std::size_t interface) {
    const auto found = std::find(station.interfaces.begin(), station.interfaces.end(), interface);
    return found == station.interfaces.end() ? none : static_cast<std::size_t>(found - station.interfaces.begin());
  }

  /// Which of the gateway's networks on the segment the address is in; none: it has one of its own.
  static std::size_t place_of(const policy::Segment& segment, const Cidr& address) {
    const auto found =
        std::find_if(segment.gateway.begin(), segment.gateway.end(), [&](const Cidr& own) { return own.network() == address.network(); });
    return found == segment.gateway.end() ? none : static_cast<std::size_t>(found - segment.gateway.begin());
  }

  static std::size_t gateway_place(const policy::Segment& segment, const IpAddress& address) {
    const auto found = std::find_if(segment.gateway.begin(), segment.gateway.end(), [&](const Cidr& own) { return own.address() == address; });
    return found == segment.gateway.end() ? none : static_cast<std::size_t>(found - segment.gateway.begin());
  }

  void describe(Signature& signature, const Interface& interface) const {
    const bool member = interface.member != none;
    signature << interface.domain << interface.segment << std::size_t{member} << std::size_t{member && relations_.by_port(interface.member)}
              << interface.amiss << interface.addresses.size();
    for (const Cidr& address : interface.addresses) {
      signature << std::size_t{address.prefix()} << static_cast<std::size_t>(address.family()) << prefixes_.of(address.address());
    }
  }

  /// All of a segment that matters to its members, without what tells it from others that are like it.
  [[nodiscard]] std::string text_of_segment(std::size_t index) const {
    const policy::Segment& segment = relations_.intent.segments[index];
    Signature signature;
    signature << std::size_t{segment.bridge} << std::size_t{segment.plain} << std::size_t{segment.isolated} << std::size_t{segment.filtered}
              << static_cast<std::size_t>(segment.nat.kind) << segment.nat.to << std::size_t{relations_.switches(index)}
              << std::size_t{relations_.checks_sources(index)} << network_.interfaces()[network_.gateway_on(index)].amiss << segment.gateway.size();
    for (const Cidr& own : segment.gateway) {
      signature << std::size_t{own.prefix()} << static_cast<std::size_t>(own.family()) << prefixes_.around(own.network().address());
    }
    return signature.take();
  }

  /// The same as `describe` without what tells the Ethernet from others that are like it.
  void describe_home(Signature& signature, const Interface& interface) const {
    signature << segments_[interface.segment] << std::size_t{relations_.by_port(interface.member)} << interface.addresses.size();
    for (const Cidr& address : interface.addresses) signature << place_of(relations_.intent.segments[interface.segment], address);
  }

  void describe(Signature& signature, const Station& station, const RouteEntry& entry, const policy::Segment* home) const {
    signature << entry.destination << std::size_t{entry.metric} << static_cast<std::size_t>(entry.type) << entry.next_hops.size();
    for (const NextHop& hop : entry.next_hops) {
      signature << position(station, hop.interface);
      home != nullptr ? signature << gateway_place(*home, *hop.via) : signature << hop.via;
    }
    signature << std::size_t{entry.source.has_value()};
    if (entry.source) describe_own(signature, station, *entry.source);
  }

  /// One of its own addresses by its place, any other as it is.
  void describe_own(Signature& signature, const Station& station, const IpAddress& address) const {
    for (std::size_t i = 0; i < station.interfaces.size(); ++i) {
      const auto& own = network_.interfaces()[station.interfaces[i]].addresses;
      const auto found = std::find_if(own.begin(), own.end(), [&](const Cidr& each) { return each.address() == address; });
      if (found == own.end()) continue;
      signature << i << static_cast<std::size_t>(found - own.begin());
      return;
    }
    signature << none << address;
  }

  const Network& network_;
  const policy::Relations& relations_;
  Prefixes prefixes_;
  std::vector<std::string> segments_;
};

/// By a text of each.
template <class Describe>
Partition partition(const Network& network, Describe describe) {
  Partition made;
  made.of_station.assign(network.stations().size(), none);
  std::unordered_map<std::string, std::size_t> known;
  for (std::size_t station = gateway + 1; station < network.stations().size(); ++station) {
    const auto [found, fresh] = known.emplace(describe(station), made.classes.size());
    if (fresh) made.classes.emplace_back();
    made.classes[found->second].push_back(station);
    made.of_station[station] = found->second;
  }
  return made;
}

}  // namespace

Kinds kinds_of(const Network& network, const policy::Relations& relations) {
  const Describer describer(network, relations);
  Kinds kinds;
  for (std::size_t station = 0; station < network.stations().size(); ++station)
    kinds.home.push_back(station == gateway ? none : describer.home_of(station));
  static_cast<Partition&>(kinds) = partition(network, [&](std::size_t station) { return describer.kind_of(station, kinds.home[station] != none); });
  return kinds;
}

Partition classes_of(const Network& network, const policy::Relations& relations, const Judge& judge, const Kinds& kinds, Roles roles) {
  return partition(network, [&](std::size_t station) {
    Signature signature;
    signature << kinds.of_station[station] << kinds.home[station];
    for (const std::size_t own : network.stations()[station].interfaces) {
      const std::size_t member = network.interfaces()[own].member;
      if (member == none) continue;
      signature << none;
      if (roles.sender) signature << relations.from_member[member];
      if (roles.receiver) signature << judge.to_member(member);
    }
    return signature.take();
  });
}

}  // namespace topo::reach
