// Ethernet addresses.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "topo/ip.hpp"

namespace topo {

/// A 48-bit Ethernet address.
class Mac {
 public:
  Mac() = default;
  explicit Mac(std::array<std::uint8_t, 6> bytes) : bytes_(bytes) {}

  /// Six hexadecimal octets joined by colons; upper or lower case.
  [[nodiscard]] static std::optional<Mac> parse(std::string_view text);
  /// A locally administered unicast address that depends on nothing but `seed`.
  [[nodiscard]] static Mac derived_from(std::string_view seed);

  [[nodiscard]] const std::array<std::uint8_t, 6>& bytes() const { return bytes_; }
  [[nodiscard]] std::string to_string() const;
  [[nodiscard]] bool is_multicast() const { return (bytes_[0] & 1U) != 0; }
  [[nodiscard]] bool is_zero() const { return bytes_ == std::array<std::uint8_t, 6>{}; }
  /// fe80::/64 with the modified EUI-64 of this address (RFC 4291, appendix A).
  [[nodiscard]] Cidr link_local() const;

  auto operator<=>(const Mac&) const = default;

 private:
  std::array<std::uint8_t, 6> bytes_{};
};

}  // namespace topo
