#include "topo/mac.hpp"

#include "topo/names.hpp"

namespace topo {
namespace {

constexpr std::string_view digits = "0123456789abcdef";

int value_of(char digit) {
  if (digit >= '0' && digit <= '9') return digit - '0';
  if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
  if (digit >= 'A' && digit <= 'F') return digit - 'A' + 10;
  return -1;
}

}  // namespace

std::optional<Mac> Mac::parse(std::string_view text) {
  if (text.size() != 17) return std::nullopt;
  std::array<std::uint8_t, 6> bytes{};
  for (std::size_t i = 0; i < 6; ++i) {
    const int high = value_of(text[3 * i]);
    const int low = value_of(text[3 * i + 1]);
    if (high < 0 || low < 0 || (i < 5 && text[3 * i + 2] != ':')) return std::nullopt;
    bytes[i] = static_cast<std::uint8_t>(16 * high + low);
  }
  return Mac(bytes);
}

Mac Mac::derived_from(std::string_view seed) {
  const std::uint64_t hash = stable_hash(seed);
  std::array<std::uint8_t, 6> bytes{};
  for (std::size_t i = 0; i < 6; ++i) bytes[i] = static_cast<std::uint8_t>(hash >> (8 * i));
  bytes[0] = static_cast<std::uint8_t>((bytes[0] & 0xfcU) | 0x02U);
  return Mac(bytes);
}

std::string Mac::to_string() const {
  std::string text;
  for (const std::uint8_t byte : bytes_) {
    if (!text.empty()) text += ':';
    text += digits[byte >> 4U];
    text += digits[byte & 0xfU];
  }
  return text;
}

Cidr Mac::link_local() const {
  const std::array<std::uint8_t, 16> address{
      0xfe, 0x80, 0, 0, 0, 0, 0, 0, static_cast<std::uint8_t>(bytes_[0] ^ 0x02U), bytes_[1], bytes_[2], 0xff, 0xfe, bytes_[3], bytes_[4], bytes_[5]};
  return {IpAddress::from_bytes(Family::v6, address.data()), 64};
}

}  // namespace topo
