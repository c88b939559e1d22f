#include "train/data/permutation.hpp"

#include "base/error.hpp"
#include "train/data/content_hash.hpp"

namespace tern::train {

Permutation::Permutation(std::uint64_t n, std::uint64_t seed) : n_(n) {
  TERN_CHECK(n >= 1 && n <= (std::uint64_t{1} << 62));
  while ((std::uint64_t{1} << (2 * half_bits_)) < n) ++half_bits_;
  for (std::uint64_t& key : keys_) key = seed = spread_bits(seed);
}

std::uint64_t Permutation::once(std::uint64_t i) const {
  const std::uint64_t mask = (std::uint64_t{1} << half_bits_) - 1;
  std::uint64_t left = i >> half_bits_;
  std::uint64_t right = i & mask;
  for (const std::uint64_t key : keys_) {
    const std::uint64_t next = left ^ (spread_bits(right ^ key) & mask);
    left = right;
    right = next;
  }
  return (left << half_bits_) | right;
}

std::uint64_t Permutation::operator()(std::uint64_t i) const {
  do {
    i = once(i);
  } while (i >= n_);
  return i;
}

}  // namespace tern::train
