// The same question as paired.hpp without Student's formula: a sign-flip permutation test and a cluster bootstrap, both
// over whole chunks. They check the t interval where chunks are few or their differences far from normal.
//
// Both are seeded: the same seed gives the same figures on every machine.
// Sources: Phipson and Smyth 2010 (p = (1 + hits) / (1 + draws), never zero); Efron and Tibshirani, percentile
// interval.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "stats/interval.hpp"
#include "stats/paired.hpp"

namespace tern::stats {

struct SignFlipTest {
  double p_value = 1.0;     // two-sided
  bool exact = false;       // every sign pattern was counted
  std::uint64_t draws = 0;  // patterns looked at
};

/// If the models were equal, each chunk's sum could as well have had the other sign: how often is the total then as far
/// from zero as the one seen? Counts all 2^G patterns up to kExactClusters chunks (the smallest p is then 2^(1 - G)),
/// draws `draws` >= 1 random ones beyond. At least one chunk.
inline constexpr std::size_t kExactClusters = 20;
[[nodiscard]] SignFlipTest sign_flip_test(const ClusteredDifference& difference, std::uint64_t draws = 10000,
                                          std::uint64_t seed = 1);

/// Percentile interval of the mean difference (nats per token) from `draws` >= 1 resamples of whole chunks with
/// replacement; empty below two chunks. `level` in (0, 1).
[[nodiscard]] std::optional<Interval> bootstrap_interval(const ClusteredDifference& difference, double level = 0.95,
                                                         std::size_t draws = 10000, std::uint64_t seed = 1);

}  // namespace tern::stats
