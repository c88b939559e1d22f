// Two look-up tables with open addressing, filled once and then only read: token bytes -> id, and a 64-bit key -> two
// numbers. Not general containers: no removal, no iteration; they exist because a tokenizer does little but look up.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>
#include <vector>

namespace tern::text {

/// Mixes all bits of a 64-bit number (a product's two halves folded together).
[[nodiscard]] inline std::uint64_t mix_bits(std::uint64_t a, std::uint64_t b = 0x9E3779B97F4A7C15ULL) {
  __extension__ using Wide = unsigned __int128;
  const Wide product = static_cast<Wide>(a ^ 0xA0761D6478BD642FULL) * (b ^ 0xE7037ED1A0B428DBULL);
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

[[nodiscard]] inline std::uint64_t hash_bytes(std::string_view bytes) {
  const char* at = bytes.data();
  std::size_t left = bytes.size();
  std::uint64_t hash = 0x8EBC6AF09C88C6E3ULL ^ left;
  while (left > 8) {
    std::uint64_t word;
    std::memcpy(&word, at, 8);
    hash = mix_bits(hash ^ word);
    at += 8;
    left -= 8;
  }
  std::uint64_t tail = 0;
  if (left != 0) std::memcpy(&tail, at, left);
  return mix_bits(hash, tail);
}

/// Token bytes -> id. The bytes are borrowed and must stay where they are.
class StringIndex {
 public:
  StringIndex() = default;
  explicit StringIndex(std::size_t n_expected) : slots_(std::bit_ceil(n_expected * 2 + 2)) {}

  /// False when the bytes are there already (the first id stays). Requires fewer than n_expected earlier inserts.
  bool insert(std::string_view bytes, std::uint32_t id) {
    const std::uint64_t hash = hash_bytes(bytes);
    for (std::size_t at = hash & mask();; at = (at + 1) & mask()) {
      Slot& slot = slots_[at];
      if (slot.data == nullptr) {
        slot = {bytes.data(), static_cast<std::uint32_t>(bytes.size()), static_cast<std::uint32_t>(hash >> 32), id};
        return true;
      }
      if (slot.is(bytes, hash)) return false;
    }
  }

  [[nodiscard]] std::optional<std::uint32_t> find(std::string_view bytes) const {
    if (slots_.empty()) return std::nullopt;
    const std::uint64_t hash = hash_bytes(bytes);
    for (std::size_t at = hash & mask();; at = (at + 1) & mask()) {
      const Slot& slot = slots_[at];
      if (slot.data == nullptr) return std::nullopt;
      if (slot.is(bytes, hash)) return slot.id;
    }
  }

 private:
  struct Slot {
    const char* data = nullptr;  // null: free
    std::uint32_t length = 0;
    std::uint32_t hash_high = 0;
    std::uint32_t id = 0;
    [[nodiscard]] bool is(std::string_view bytes, std::uint64_t hash) const {
      return hash_high == static_cast<std::uint32_t>(hash >> 32) && length == bytes.size() &&
             std::memcmp(data, bytes.data(), length) == 0;
    }
  };
  [[nodiscard]] std::size_t mask() const { return slots_.size() - 1; }
  std::vector<Slot> slots_;
};

/// What two neighbours merge into, and how urgently (a lower rank goes first).
struct Merge {
  static constexpr std::uint32_t kNone = 0xFFFFFFFFU;
  std::uint32_t rank = kNone;
  std::uint32_t id = 0;
};

/// A pair of ids -> Merge.
class PairIndex {
 public:
  PairIndex() = default;
  explicit PairIndex(std::size_t n_expected) : slots_(std::bit_ceil(n_expected * 2 + 2)) {}

  /// False when the pair is there already (the first merge stays). Requires left and right below 2^32 - 1.
  bool insert(std::uint32_t left, std::uint32_t right, Merge merge) {
    const std::uint64_t key = key_of(left, right);
    for (std::size_t at = mix_bits(key) & mask();; at = (at + 1) & mask()) {
      if (slots_[at].key == key) return false;
      if (slots_[at].key == kFree) {
        slots_[at] = {key, merge};
        return true;
      }
    }
  }

  [[nodiscard]] Merge find(std::uint32_t left, std::uint32_t right) const {
    if (slots_.empty()) return {};
    const std::uint64_t key = key_of(left, right);
    for (std::size_t at = mix_bits(key) & mask();; at = (at + 1) & mask()) {
      if (slots_[at].key == key) return slots_[at].merge;
      if (slots_[at].key == kFree) return {};
    }
  }

 private:
  static constexpr std::uint64_t kFree = ~std::uint64_t{0};
  struct Slot {
    std::uint64_t key = kFree;
    Merge merge;
  };
  static std::uint64_t key_of(std::uint32_t left, std::uint32_t right) {
    return (static_cast<std::uint64_t>(left) << 32) | right;
  }
  [[nodiscard]] std::size_t mask() const { return slots_.size() - 1; }
  std::vector<Slot> slots_;
};

}  // namespace tern::text
