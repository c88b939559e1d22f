// Remembers, during one call, the ids of words already seen: real text repeats itself, so most words are merged once.
// Bounded in entries and in the length of a word; a full or crowded table just stops learning. Keys are views into the
// text being encoded, so an entry costs no copy.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "text/hash_index.hpp"

namespace tern::text {

class WordCache {
 public:
  static constexpr std::size_t kMaxWordBytes = 256;
  static constexpr std::size_t kMaxEntries = std::size_t{1} << 17;

  /// The ids of `word`; a span without data when it is not known.
  [[nodiscard]] std::span<const std::int32_t> find(std::string_view word) {
    if (word.size() > kMaxWordBytes || slots_.empty()) return {};
    const std::uint64_t hash = hash_bytes(word);
    for (std::size_t probe = 0; probe < kMaxProbes; ++probe) {
      const Slot& slot = slots_[(hash + probe) & (slots_.size() - 1)];
      if (slot.word.data() == nullptr) return {};
      if (slot.hash == hash && slot.word == word) return {ids_.data() + slot.first, slot.count};
    }
    return {};
  }

  void insert(std::string_view word, std::span<const std::int32_t> ids) {
    if (word.size() > kMaxWordBytes || word.empty() || ids.empty() || n_entries_ == kMaxEntries) return;
    if (n_entries_ * 2 >= slots_.size()) grow();
    if (place({hash_bytes(word), word, static_cast<std::uint32_t>(ids_.size()),
               static_cast<std::uint32_t>(ids.size())})) {
      ids_.insert(ids_.end(), ids.begin(), ids.end());
      ++n_entries_;
    }
  }

  /// Appends the ids of `word` to `out`: those known, or else those that encode(), a Result<void>, leaves in `ids`.
  template <typename Encode>
  [[nodiscard]] Result<void> append(std::string_view word, std::vector<std::int32_t>& ids,
                                    std::vector<std::int32_t>& out, const Encode& encode) {
    std::span<const std::int32_t> known = find(word);
    if (known.empty()) {
      TERN_TRY_DO(encode());
      insert(word, ids);
      known = ids;
    }
    out.insert(out.end(), known.begin(), known.end());
    return {};
  }

 private:
  static constexpr std::size_t kMaxProbes = 16;
  struct Slot {
    std::uint64_t hash = 0;
    std::string_view word;
    std::uint32_t first = 0;
    std::uint32_t count = 0;
  };
  bool place(const Slot& entry) {
    for (std::size_t probe = 0; probe < kMaxProbes; ++probe) {
      Slot& slot = slots_[(entry.hash + probe) & (slots_.size() - 1)];
      if (slot.word.data() != nullptr) continue;
      slot = entry;
      return true;
    }
    return false;
  }
  void grow() {
    std::vector<Slot> old(slots_.empty() ? 256 : slots_.size() * 4);
    old.swap(slots_);
    for (const Slot& slot : old) {
      if (slot.word.data() != nullptr) place(slot);
    }
  }

  std::vector<Slot> slots_;
  std::vector<std::int32_t> ids_;
  std::size_t n_entries_ = 0;
};

}  // namespace tern::text
