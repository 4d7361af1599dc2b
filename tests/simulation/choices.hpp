// Decisions, one after the other, so that properties, repeated seeds and fuzzers choose by the same generators.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

namespace topo::test {

/// Each decision takes a byte. Where they come from a string of bytes, what is asked after its end is decided by 0: no, the first, none.
class Choices {
 public:
  explicit Choices(std::vector<std::uint8_t> bytes) : bytes_(std::move(bytes)) {}
  /// Endless, and the same for the same seed.
  explicit Choices(std::uint64_t seed) : state_(seed), is_endless_(true) {}

  [[nodiscard]] bool empty() const { return !is_endless_ && next_ >= bytes_.size(); }
  /// At most 256.
  std::size_t below(std::size_t count) { return count < 2 ? 0 : byte() % count; }
  bool chance(std::size_t of, std::size_t among) { return below(among) >= among - of; }
  template <class Items>
  const auto& one_of(const Items& items) {
    return items[below(items.size())];
  }

 private:
  std::uint8_t byte() {
    if (!is_endless_) return next_ < bytes_.size() ? bytes_[next_++] : 0;
    // splitmix64 (Steele, Lea and Flood, 2014)
    std::uint64_t mixed = state_ += 0x9e3779b97f4a7c15U;
    mixed = (mixed ^ (mixed >> 30U)) * 0xbf58476d1ce4e5b9U;
    mixed = (mixed ^ (mixed >> 27U)) * 0x94d049bb133111ebU;
    return static_cast<std::uint8_t>((mixed ^ (mixed >> 31U)) >> 24U);
  }

  std::vector<std::uint8_t> bytes_;
  std::size_t next_ = 0;
  std::uint64_t state_ = 0;
  bool is_endless_ = false;
};

}  // namespace topo::test
