// The 64-bit hash of a data set's files: FNV-1a over their bytes, which three lines of any language can check. It finds
// damage and tells data sets apart; it is no proof against somebody who forges one.
// Source: Fowler, Noll, Vo (the constants are published with the function).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace tern::train {

class ContentHash {
 public:
  void add(std::span<const std::byte> bytes) {
    for (const std::byte byte : bytes) value_ = (value_ ^ static_cast<std::uint64_t>(byte)) * 0x100000001b3ULL;
  }
  void add(std::string_view text) { add(std::as_bytes(std::span(text))); }
  /// The number as 8 little-endian bytes.
  void add(std::uint64_t number) { add(std::as_bytes(std::span(&number, 1))); }
  [[nodiscard]] std::uint64_t value() const { return value_; }

 private:
  std::uint64_t value_ = 0xcbf29ce484222325ULL;
};

/// Spreads what little differs between two numbers over all bits (the finaliser of splitmix64); a bijection.
[[nodiscard]] constexpr std::uint64_t spread_bits(std::uint64_t z) {
  z += 0x9e3779b97f4a7c15ULL;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
  return z ^ (z >> 31);
}

}  // namespace tern::train
