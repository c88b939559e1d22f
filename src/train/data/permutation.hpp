// A seeded bijection of 0 .. n-1 that needs no memory: the order of an epoch, for any number of windows. A Feistel
// network of six rounds permutes the numbers below the next power of four; what falls outside n is permuted again until
// it is inside (at most four times on average). Not for cryptography: the rounds only have to look unrelated.
// Source: Black and Rogaway, "Ciphers with arbitrary finite domains" (cycle walking).
#pragma once

#include <array>
#include <cstdint>

namespace tern::train {

class Permutation {
 public:
  /// n >= 1, at most 2^62.
  Permutation(std::uint64_t n, std::uint64_t seed);

  /// Requires: i < n. The result is below n, and differs for different i.
  [[nodiscard]] std::uint64_t operator()(std::uint64_t i) const;
  [[nodiscard]] std::uint64_t n() const { return n_; }

 private:
  [[nodiscard]] std::uint64_t once(std::uint64_t i) const;
  static constexpr int kRounds = 6;
  std::uint64_t n_;
  int half_bits_ = 1;
  std::array<std::uint64_t, kRounds> keys_{};
};

}  // namespace tern::train
