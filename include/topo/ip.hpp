// IP addresses and prefixes, both families in one type.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace topo {

enum class Family : std::uint8_t { v4 = 4, v6 = 6 };

/// One IPv4 or IPv6 address. Ordered by family, then numerically.
class IpAddress {
 public:
  IpAddress() = default;

  /// Dotted quad of four decimal parts (no octal, no short forms) or RFC 4291 text without a zone. Anything else is nullopt.
  [[nodiscard]] static std::optional<IpAddress> parse(std::string_view text);
  /// `bytes` are in network order: 4 of them for v4, 16 for v6.
  [[nodiscard]] static IpAddress from_bytes(Family family, const void* bytes);
  [[nodiscard]] static IpAddress any(Family family);

  [[nodiscard]] Family family() const { return family_; }
  /// 32 or 128.
  [[nodiscard]] std::uint8_t bits() const { return family_ == Family::v4 ? 32 : 128; }
  /// Network order; the first `bits() / 8` count, the rest are zero.
  [[nodiscard]] const std::array<std::uint8_t, 16>& bytes() const { return bytes_; }
  /// inet_ntop's form: the canonical text of RFC 5952.
  [[nodiscard]] std::string to_string() const;

  [[nodiscard]] bool is_unspecified() const;
  [[nodiscard]] bool is_loopback() const;    ///< 127.0.0.0/8, ::1
  [[nodiscard]] bool is_multicast() const;   ///< 224.0.0.0/4, ff00::/8
  [[nodiscard]] bool is_link_local() const;  ///< 169.254.0.0/16, fe80::/10
  [[nodiscard]] bool is_v4_mapped() const;   ///< ::ffff:0:0/96

  /// The address `offset` above this one; nullopt past the end of the family's space.
  [[nodiscard]] std::optional<IpAddress> plus(std::uint64_t offset) const;

  auto operator<=>(const IpAddress&) const = default;

 private:
  Family family_ = Family::v4;
  std::array<std::uint8_t, 16> bytes_{};
};

/// An address with a prefix length: an interface's address (host bits kept) or a network.
class Cidr {
 public:
  Cidr() = default;
  /// `prefix` must not exceed `address.bits()`.
  Cidr(IpAddress address, std::uint8_t prefix) : address_(address), prefix_(prefix) {}

  /// 169.254.0.0/16 (RFC 3927), fe80::/10 (RFC 4291).
  [[nodiscard]] static const Cidr& link_local(Family family);
  /// `ADDRESS/PREFIX`, both mandatory; the prefix without leading zeros or sign.
  [[nodiscard]] static std::optional<Cidr> parse(std::string_view text);

  [[nodiscard]] const IpAddress& address() const { return address_; }
  [[nodiscard]] std::uint8_t prefix() const { return prefix_; }
  [[nodiscard]] Family family() const { return address_.family(); }
  [[nodiscard]] std::string to_string() const;

  /// The same prefix with the host bits cleared.
  [[nodiscard]] Cidr network() const;
  [[nodiscard]] bool is_network() const { return network() == *this; }
  /// The highest address of the network (the broadcast address in IPv4 up to /30).
  [[nodiscard]] IpAddress last() const;
  [[nodiscard]] bool contains(const IpAddress& address) const;
  [[nodiscard]] bool contains(const Cidr& other) const;
  [[nodiscard]] bool overlaps(const Cidr& other) const;
  /// True where `address` may be given to a host: inside, and in a prefix shorter than /31 (/127) neither the network's own nor, in IPv4, the broadcast address.
  [[nodiscard]] bool usable_by_host(const IpAddress& address) const;

  auto operator<=>(const Cidr&) const = default;

 private:
  IpAddress address_;
  std::uint8_t prefix_ = 0;
};

}  // namespace topo
