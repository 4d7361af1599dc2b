#include "topo/ip.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cstring>

namespace topo {
namespace {

int inet_family(Family family) { return family == Family::v4 ? AF_INET : AF_INET6; }

/// Clears (or sets) all bits behind the first `prefix`.
IpAddress with_host_bits(const IpAddress& address, std::uint8_t prefix, bool ones) {
  auto bytes = address.bytes();
  for (std::size_t i = 0; i < address.bits() / 8U; ++i) {
    const int kept = std::clamp(static_cast<int>(prefix) - static_cast<int>(8 * i), 0, 8);
    const auto host = static_cast<std::uint8_t>(0xffU >> kept);
    bytes[i] = ones ? static_cast<std::uint8_t>(bytes[i] | host) : static_cast<std::uint8_t>(bytes[i] & ~host);
  }
  return IpAddress::from_bytes(address.family(), bytes.data());
}

}  // namespace

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
  if (text.empty() || text.size() >= INET6_ADDRSTRLEN || text.find('\0') != std::string_view::npos) return std::nullopt;
  const std::string terminated(text);
  IpAddress address;
  address.family_ = text.find(':') == std::string_view::npos ? Family::v4 : Family::v6;
  if (inet_pton(inet_family(address.family_), terminated.c_str(), address.bytes_.data()) != 1) return std::nullopt;
  return address;
}

IpAddress IpAddress::from_bytes(Family family, const void* bytes) {
  IpAddress address;
  address.family_ = family;
  std::memcpy(address.bytes_.data(), bytes, address.bits() / 8U);
  return address;
}

IpAddress IpAddress::any(Family family) {
  IpAddress address;
  address.family_ = family;
  return address;
}

std::string IpAddress::to_string() const {
  std::array<char, INET6_ADDRSTRLEN> text;
  if (family_ == Family::v4) {  // inet_ntop's sprintf takes ten times as long, and keys are full of these
    char* end = text.data();
    for (std::size_t i = 0; i < 4; ++i) {
      if (i > 0) *end++ = '.';
      end = std::to_chars(end, text.data() + text.size(), bytes_[i]).ptr;
    }
    return {text.data(), end};
  }
  return inet_ntop(inet_family(family_), bytes_.data(), text.data(), text.size());
}

bool IpAddress::is_unspecified() const { return bytes_ == std::array<std::uint8_t, 16>{}; }
bool IpAddress::is_loopback() const {
  if (family_ == Family::v4) return bytes_[0] == 127;
  return std::all_of(bytes_.begin(), bytes_.end() - 1, [](std::uint8_t byte) { return byte == 0; }) && bytes_[15] == 1;
}
bool IpAddress::is_multicast() const { return family_ == Family::v4 ? (bytes_[0] & 0xf0U) == 0xe0 : bytes_[0] == 0xff; }
bool IpAddress::is_link_local() const {
  return family_ == Family::v4 ? bytes_[0] == 169 && bytes_[1] == 254 : bytes_[0] == 0xfe && (bytes_[1] & 0xc0U) == 0x80;
}
bool IpAddress::is_v4_mapped() const {
  return family_ == Family::v6 && std::all_of(bytes_.begin(), bytes_.begin() + 10, [](std::uint8_t byte) { return byte == 0; }) &&
         bytes_[10] == 0xff && bytes_[11] == 0xff;
}

std::optional<IpAddress> IpAddress::plus(std::uint64_t offset) const {
  IpAddress sum = *this;
  for (std::size_t i = bits() / 8U; i-- > 0;) {
    offset += sum.bytes_[i];
    sum.bytes_[i] = static_cast<std::uint8_t>(offset & 0xffU);
    offset >>= 8U;
  }
  if (offset != 0) return std::nullopt;
  return sum;
}

const Cidr& Cidr::link_local(Family family) {
  static const Cidr v4 = *parse("169.254.0.0/16"), v6 = *parse("fe80::/10");
  return family == Family::v4 ? v4 : v6;
}

std::optional<Cidr> Cidr::parse(std::string_view text) {
  const auto slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const auto address = IpAddress::parse(text.substr(0, slash));
  const auto digits = text.substr(slash + 1);
  if (!address || digits.empty() || (digits.size() > 1 && digits.front() == '0')) return std::nullopt;
  std::uint8_t prefix = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), prefix);
  if (error != std::errc{} || end != digits.data() + digits.size() || prefix > address->bits()) return std::nullopt;
  return Cidr(*address, prefix);
}

std::string Cidr::to_string() const { return address_.to_string() + "/" + std::to_string(prefix_); }
Cidr Cidr::network() const { return {with_host_bits(address_, prefix_, false), prefix_}; }
IpAddress Cidr::last() const { return with_host_bits(address_, prefix_, true); }

bool Cidr::contains(const IpAddress& address) const {
  return address.family() == family() && with_host_bits(address, prefix_, false) == network().address_;
}
bool Cidr::contains(const Cidr& other) const { return other.prefix_ >= prefix_ && contains(other.address_); }
bool Cidr::overlaps(const Cidr& other) const { return contains(other) || other.contains(*this); }

bool Cidr::usable_by_host(const IpAddress& address) const {
  if (!contains(address)) return false;
  if (prefix_ + 1 >= address_.bits()) return true;
  return address != network().address_ && (family() == Family::v6 || address != last());
}

}  // namespace topo
