#include "load/scalars.hpp"

#include <algorithm>
#include <charconv>

#include "topo/names.hpp"

namespace topo::reading {
namespace {

std::string with_family(std::string_view what) { return std::string(what) + " takes an IPv4 or IPv6 address, not "; }

/// Why `text` is no number although it looks like one.
std::string number_hint(std::string_view text) {
  const auto has = [&](std::string_view set) { return text.find_first_of(set) != std::string_view::npos; };
  const bool digit_first = !text.empty() && text.find_first_of("0123456789") <= 1;
  if (!digit_first) return {};
  if (text.front() == '+' || text.front() == '-') return "numbers have no sign";
  if (text.size() > 1 && text[0] == '0' && has("xXoObB")) return "numbers are decimal";
  if (has("eE.")) return "numbers are written out in decimal digits";
  if (has("_,")) return "numbers have no separators";
  if (text.front() == '0' && text.size() > 1) return "numbers have no leading zeros";
  return {};
}

Cidr network_of(const char* text) { return *Cidr::parse(text); }

std::optional<std::string> subnet_problem(const Cidr& subnet) {
  if (subnet.prefix() == 0) return "is the whole address space";
  static const std::pair<Cidr, const char*> unusable[]{
      {network_of("127.0.0.0/8"), "holds loopback addresses"},      {network_of("::1/128"), "holds the loopback address"},
      {network_of("224.0.0.0/4"), "holds multicast addresses"},     {network_of("ff00::/8"), "holds multicast addresses"},
      {network_of("::ffff:0:0/96"), "holds IPv4-mapped addresses"}, {network_of("0.0.0.0/8"), "holds addresses that no machine can have"},
  };
  for (const auto& [network, why] : unusable) {
    if (network.overlaps(subnet)) return why;
  }
  return std::nullopt;
}

/// An address, or a mistake; `why` says what it is for.
std::optional<IpAddress> parse_address(Mistakes& mistakes, const Node& node, std::string_view what) {
  if (!is_scalar(mistakes, node, what, "an address")) return std::nullopt;
  if (auto address = IpAddress::parse(node.text)) return address;
  const auto cidr = Cidr::parse(node.text);
  tell_no_address(mistakes, node, what, cidr ? "without the prefix length: " + cidr->address().to_string() : "");
  return std::nullopt;
}

std::string prefix_hint(const std::string& text) {
  const auto slash = text.find('/');
  if (slash == std::string::npos) return {};
  const auto address = IpAddress::parse(std::string_view(text).substr(0, slash));
  if (!address) return {};
  return "the prefix length of an " + std::string(address->family() == Family::v4 ? "IPv4" : "IPv6") + " network is a number from 0 to " +
         std::to_string(address->bits());
}

}  // namespace

void tell_no_address(Mistakes& mistakes, const Node& node, std::string_view what, std::string hint) {
  mistakes.add(node, with_family(what) + in_quotes(node.text), std::move(hint));
}

std::string described(const Node& node) {
  switch (node.kind) {
    case Node::Kind::null:
      return "nothing";
    case Node::Kind::list:
      return "a list";
    case Node::Kind::map:
      return "a map";
    default:
      return in_quotes(node.text);
  }
}

bool is_scalar(Mistakes& mistakes, const Node& node, std::string_view what, std::string_view wanted) {
  if (node.is_scalar()) return true;
  if (!node.is_refused()) mistakes.add(node, std::string(what) + " takes " + std::string(wanted) + ", not " + described(node));
  return false;
}

std::optional<std::uint64_t> decimal(std::string_view text) {
  if (text.empty() || text.front() == '-' || (text.size() > 1 && text.front() == '0')) return std::nullopt;
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<std::uint32_t> read_number(Mistakes& mistakes, const Node& node, std::string_view what, std::uint32_t least, std::uint32_t most) {
  const std::string range = "a number from " + std::to_string(least) + " to " + std::to_string(most);
  if (!is_scalar(mistakes, node, what, range)) return std::nullopt;
  const auto value = decimal(node.text);
  if (value && *value >= least && *value <= most) return static_cast<std::uint32_t>(*value);
  mistakes.add(node, std::string(what) + " takes " + range + ", not " + (value ? node.text : in_quotes(node.text)), number_hint(node.text));
  return std::nullopt;
}

std::optional<bool> read_boolean(Mistakes& mistakes, const Node& node, std::string_view what) {
  if (!is_scalar(mistakes, node, what, "true or false")) return std::nullopt;
  const bool yes = node.text == "true";
  if (yes || node.text == "false") {
    if (node.plain) return yes;
    mistakes.add(node, std::string(what) + " takes true or false, not text", "without the quotes: " + node.text);
    return std::nullopt;
  }
  std::string lower = node.text;
  std::transform(lower.begin(), lower.end(), lower.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  std::string hint;
  if (lower == "yes" || lower == "on" || lower == "y" || lower == "true") hint = "write true";
  if (lower == "no" || lower == "off" || lower == "n" || lower == "false") hint = "write false";
  mistakes.add(node, std::string(what) + " takes true or false, not " + in_quotes(node.text), hint);
  return std::nullopt;
}

std::optional<std::size_t> read_word(Mistakes& mistakes, const Node& node, std::string_view what, std::initializer_list<std::string_view> words) {
  std::string wanted;
  for (const auto& word : words) wanted += (wanted.empty() ? "" : &word == words.end() - 1 ? " or " : ", ") + std::string(word);
  if (!is_scalar(mistakes, node, what, wanted)) return std::nullopt;
  const auto found = std::find(words.begin(), words.end(), node.text);
  if (found != words.end()) return static_cast<std::size_t>(found - words.begin());
  mistakes.add(node, std::string(what) + " takes " + wanted + ", not " + in_quotes(node.text),
               mistakes.suggestion(node.text, {words.begin(), words.end()}));
  return std::nullopt;
}

std::optional<std::string> address_problem(const IpAddress& address) {
  if (address.is_unspecified()) return "is the unspecified address";
  if (address.is_loopback()) return "is a loopback address";
  if (address.is_multicast()) return "is a multicast address";
  if (address.is_v4_mapped()) return "is an IPv4-mapped address: write it as IPv4";
  if (address.to_string() == "255.255.255.255") return "is the broadcast address";
  return std::nullopt;
}

std::optional<IpAddress> read_address(Mistakes& mistakes, const Node& node, std::string_view what) {
  const auto address = parse_address(mistakes, node, what);
  if (!address) return std::nullopt;
  if (const auto problem = address_problem(*address)) {
    mistakes.add(node, node.text + " " + *problem);
    return std::nullopt;
  }
  return address;
}

std::optional<InterfaceAddress> read_interface_address(Mistakes& mistakes, const Node& node, std::string_view what, bool on_loopback) {
  if (!is_scalar(mistakes, node, what, "an address")) return std::nullopt;
  InterfaceAddress read;
  if (const auto cidr = Cidr::parse(node.text)) {
    read = {cidr->address(), cidr->prefix()};
  } else if (const auto address = IpAddress::parse(node.text)) {
    read = {*address, std::nullopt};
  } else {
    mistakes.add(node, with_family(what) + in_quotes(node.text), prefix_hint(node.text));
    return std::nullopt;
  }
  auto problem = address_problem(read.address);
  if (on_loopback && read.address.is_loopback()) {
    const bool by_itself = read.address == IpAddress::parse("127.0.0.1") || read.address == IpAddress::parse("::1");
    problem = by_itself ? std::optional<std::string>("is on lo by itself") : std::nullopt;
  }
  if (!problem && read.prefix == std::uint8_t{0}) problem = "cannot have the prefix length 0";
  if (!problem && read.prefix && !Cidr(read.address, *read.prefix).usable_by_host(read.address)) {
    const Cidr network = Cidr(read.address, *read.prefix).network();
    problem = read.address == network.address() ? "is the network's own address" : "is the network's broadcast address";
  }
  if (!problem) return read;
  mistakes.add(node, node.text + " " + *problem);
  return std::nullopt;
}

Cidr usual_network(const IpAddress& address) { return Cidr(address, address.family() == Family::v4 ? 24 : 64).network(); }

std::optional<Cidr> read_network(Mistakes& mistakes, const Node& node, std::string_view what) {
  if (!is_scalar(mistakes, node, what, "a network as ADDRESS/PREFIX")) return std::nullopt;
  const auto cidr = Cidr::parse(node.text);
  if (!cidr) {
    const auto address = IpAddress::parse(node.text);
    std::string hint = address ? "for this address alone: " + Cidr(*address, address->bits()).to_string() : prefix_hint(node.text);
    if (address && what == "subnet") hint = "as in " + usual_network(*address).to_string();
    mistakes.add(node, std::string(what) + " takes a network as ADDRESS/PREFIX, not " + in_quotes(node.text), std::move(hint));
    return std::nullopt;
  }
  if (!cidr->is_network()) {
    mistakes.add(node, node.text + " is not a network: it has host bits", "did you mean " + cidr->network().to_string() + "?");
    return std::nullopt;
  }
  if (cidr->family() == Family::v6 && network_of("::ffff:0:0/96").contains(*cidr)) {
    mistakes.add(node, node.text + " holds IPv4-mapped addresses", "write it as IPv4");
    return std::nullopt;
  }
  return cidr;
}

std::optional<Cidr> read_subnet(Mistakes& mistakes, const Node& node, std::string_view what) {
  const auto subnet = read_network(mistakes, node, what);
  if (!subnet) return std::nullopt;
  if (const auto problem = subnet_problem(*subnet)) {
    mistakes.add(node, node.text + " " + *problem);
    return std::nullopt;
  }
  return subnet;
}

std::optional<Mac> read_mac(Mistakes& mistakes, const Node& node, std::string_view what) {
  if (!is_scalar(mistakes, node, what, "a MAC address")) return std::nullopt;
  const auto mac = Mac::parse(node.text);
  if (!mac) {
    mistakes.add(node, std::string(what) + " takes a MAC address as 02:00:00:00:00:01, not " + in_quotes(node.text));
  } else if (mac->is_zero()) {
    mistakes.add(node, node.text + " is no address: it is all zeros");
  } else if (mac->is_multicast()) {
    mistakes.add(node, node.text + " is a multicast address", "the first octet of an interface's address is even");
  } else {
    return mac;
  }
  return std::nullopt;
}

std::optional<Located<std::string>> read_interface_name(Mistakes& mistakes, const Node& node) {
  if (!is_scalar(mistakes, node, "name", "an interface's name")) return std::nullopt;
  if (const auto problem = interface_name_problem(node.text)) {
    mistakes.add(node, "interface name " + in_quotes(node.text) + " " + *problem);
    return std::nullopt;
  }
  return Located<std::string>{node.text, node.at};
}

}  // namespace topo::reading
