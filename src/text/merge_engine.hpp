// The greedy merging that all BPE shares: again and again, of all neighbours that merge, the pair with the lowest rank
// (leftmost among equals) becomes one symbol. Words of a few symbols scan an array; long ones use a heap, so that a
// megabyte without a space takes n log n, not n^2. Both give the same symbols.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <vector>

#include "text/hash_index.hpp"

namespace tern::text {

struct Symbol {
  std::uint32_t id = 0;
  std::uint32_t start = 0;   // first byte in the word
  std::uint32_t length = 0;  // bytes; never 0 for a live symbol
};

/// Reusable scratch space; one a thread.
class MergeEngine {
 public:
  static constexpr std::size_t kShort = 64;  // symbols; both ways cost about the same there

  /// Merges `symbols` in place. lookup(left, right) -> Merge; rank Merge::kNone means that the two do not merge.
  template <typename Lookup>
  void run(std::vector<Symbol>& symbols, const Lookup& lookup) {
    if (symbols.size() < 2) return;
    if (symbols.size() <= kShort) {
      run_short(symbols, lookup);
    } else {
      run_long(symbols, lookup);
    }
  }

  template <typename Lookup>
  void run_short(std::vector<Symbol>& symbols, const Lookup& lookup) {
    pairs_.clear();
    for (std::size_t i = 0; i + 1 < symbols.size(); ++i) pairs_.push_back(lookup(symbols[i], symbols[i + 1]));
    while (!pairs_.empty()) {
      std::size_t best = 0;
      for (std::size_t i = 1; i < pairs_.size(); ++i) {
        if (pairs_[i].rank < pairs_[best].rank) best = i;
      }
      if (pairs_[best].rank == Merge::kNone) return;
      symbols[best] = {pairs_[best].id, symbols[best].start, symbols[best].length + symbols[best + 1].length};
      symbols.erase(symbols.begin() + static_cast<std::ptrdiff_t>(best) + 1);
      pairs_.erase(pairs_.begin() + static_cast<std::ptrdiff_t>(best));
      if (best > 0) pairs_[best - 1] = lookup(symbols[best - 1], symbols[best]);
      if (best < pairs_.size()) pairs_[best] = lookup(symbols[best], symbols[best + 1]);
    }
  }

  template <typename Lookup>
  void run_long(std::vector<Symbol>& symbols, const Lookup& lookup) {
    constexpr std::uint32_t kEnd = std::numeric_limits<std::uint32_t>::max();
    const auto n = static_cast<std::uint32_t>(symbols.size());
    next_.resize(n);
    previous_.resize(n);
    heap_.clear();
    const auto candidate = [&](std::uint32_t left, std::uint32_t right) -> Candidate {
      const Merge merge = lookup(symbols[left], symbols[right]);
      return {merge.rank, left, merge.id, symbols[left].length + symbols[right].length};
    };
    for (std::uint32_t i = 0; i < n; ++i) {
      previous_[i] = i == 0 ? kEnd : i - 1;
      next_[i] = i + 1 == n ? kEnd : i + 1;
      if (i + 1 == n) break;
      const Candidate found = candidate(i, i + 1);
      if (found.rank != Merge::kNone) heap_.push_back(found);
    }
    std::make_heap(heap_.begin(), heap_.end());
    while (!heap_.empty()) {
      std::pop_heap(heap_.begin(), heap_.end());
      const Candidate best = heap_.back();
      heap_.pop_back();
      // Stale when the left symbol is gone or either side has grown: a symbol's start never moves, so the pair is the
      // one that was looked up exactly when its length is.
      Symbol& left = symbols[best.left];
      if (left.length == 0) continue;
      const std::uint32_t right_at = next_[best.left];
      if (right_at == kEnd || left.length + symbols[right_at].length != best.length) continue;
      left.id = best.id;
      left.length = best.length;
      symbols[right_at].length = 0;
      next_[best.left] = next_[right_at];
      if (next_[right_at] != kEnd) previous_[next_[right_at]] = best.left;
      push(previous_[best.left] == kEnd ? Candidate{} : candidate(previous_[best.left], best.left));
      push(next_[best.left] == kEnd ? Candidate{} : candidate(best.left, next_[best.left]));
    }
    std::erase_if(symbols, [](const Symbol& symbol) { return symbol.length == 0; });
  }

 private:
  struct Candidate {
    std::uint32_t rank = Merge::kNone;
    std::uint32_t left = 0;  // index of the left symbol
    std::uint32_t id = 0;
    std::uint32_t length = 0;  // bytes of both
    // The heap's top is its largest element: the lowest rank, then the leftmost.
    bool operator<(const Candidate& other) const { return rank != other.rank ? rank > other.rank : left > other.left; }
  };
  void push(const Candidate& found) {
    if (found.rank == Merge::kNone) return;
    heap_.push_back(found);
    std::push_heap(heap_.begin(), heap_.end());
  }

  std::vector<Merge> pairs_;
  std::vector<std::uint32_t> next_, previous_;
  std::vector<Candidate> heap_;
};

}  // namespace tern::text
