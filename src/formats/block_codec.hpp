// What the encoders and decoders of the block formats share: walking a row block by block, refusing what no format can
// hold, and the two roundings of the reference library in plain arithmetic. Not a format, and nothing a caller needs.
//
// Blocks are copied in and out of the byte buffer, so a buffer needs no alignment. A scale so small that its inverse is
// infinite (|d| < 2.94e-39) encodes as zero codes; the reference library converts infinity to an integer there.
#pragma once

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "base/half.hpp"
#include "formats/format.hpp"

namespace tern::formats::codec {

inline bool is_finite(float value) {
  return (std::bit_cast<std::uint32_t>(value) & 0x7f800000u) != 0x7f800000u;
}
inline bool is_finite_fp16(std::uint16_t bits) {
  return (bits & 0x7c00u) != 0x7c00u;
}

/// The first NaN or infinity of values[n], its column counted from first_column.
inline EncodeIssue first_not_finite(const float* values, std::int64_t n, std::int64_t first_column) {
  std::uint32_t largest_exponent = 0;  // a loop without exits, so that it vectorises; the search below is rare
  for (std::int64_t i = 0; i < n; ++i) {
    const std::uint32_t exponent = std::bit_cast<std::uint32_t>(values[i]) & 0x7f800000u;
    largest_exponent = exponent > largest_exponent ? exponent : largest_exponent;
  }
  if (largest_exponent != 0x7f800000u) return {};
  for (std::int64_t i = 0; i < n; ++i) {
    if (!is_finite(values[i])) return {EncodeIssue::Kind::not_finite, first_column + i, values[i]};
  }
  return {};
}

/// A block's scale became infinite in fp16: the value of largest magnitude is to blame.
inline EncodeIssue overflow_in(const float* values, std::int64_t n, std::int64_t first_column) {
  std::int64_t largest = 0;
  for (std::int64_t i = 1; i < n; ++i) {
    if (std::fabs(values[i]) > std::fabs(values[largest])) largest = i;
  }
  return {EncodeIssue::Kind::scale_overflows_fp16, first_column + largest, values[largest]};
}

/// 1 / d, or 0 where that is not a finite number.
inline float inverse_or_zero(float d) {
  const float inverse = d != 0.0F ? 1.0F / d : 0.0F;
  return is_finite(inverse) ? inverse : 0.0F;
}

/// Nearest integer, ties away from zero, |x| < 2^31. (x + 0.5 would be wrong just below a half.)
inline int round_half_away(float x) {
  const int whole = static_cast<int>(x);
  const float rest = x - static_cast<float>(whole);
  return whole + (rest >= 0.5F ? 1 : 0) - (rest <= -0.5F ? 1 : 0);
}

/// Nearest integer, ties to even, |x| <= 2^22: adding 1.5 * 2^23 leaves the integer in the low bits of the sum.
inline int round_half_even(float x) {
  const float shifted = x + 12582912.0F;
  return static_cast<int>(std::bit_cast<std::uint32_t>(shifted) & 0x007fffffu) - 0x00400000;
}

/// Largest magnitude of finite values[n], without its sign. By their bits, which are in the order of the magnitudes: a
/// maximum of integers vectorises.
inline float largest_magnitude(const float* values, std::int64_t n) {
  std::uint32_t largest = 0;
  for (std::int64_t i = 0; i < n; ++i) {
    const std::uint32_t bits = std::bit_cast<std::uint32_t>(values[i]) & 0x7fffffffu;
    largest = bits > largest ? bits : largest;
  }
  return std::bit_cast<float>(largest);
}

/// The first value of largest magnitude, with its sign (+0 for a block of zeros).
inline float signed_extreme(const float* values, std::int64_t n) {
  float magnitude = 0.0F;
  float extreme = 0.0F;
  for (std::int64_t i = 0; i < n; ++i) {
    if (std::fabs(values[i]) > magnitude) {
      magnitude = std::fabs(values[i]);
      extreme = values[i];
    }
  }
  return extreme;
}

/// Whether one of n bytes of four 2-bit codes holds code 3, which ternary formats do not define.
template <typename Byte>
bool holds_code_3(const Byte* codes, std::int64_t n) {
  constexpr std::int64_t kAtOnce = 512;  // without exits, so that it vectorises: models are looked through at load
  for (std::int64_t i = 0; i < n; i += kAtOnce) {
    const std::int64_t end = n - i < kAtOnce ? n : i + kAtOnce;
    unsigned found = 0;
    for (std::int64_t j = i; j < end; ++j) {
      const auto bits = static_cast<std::uint8_t>(codes[j]);
      found |= static_cast<std::uint8_t>(bits & bits >> 1);
    }
    if ((found & 0x55u) != 0) return true;
  }
  return false;
}

struct Extremes {
  float lowest;
  float highest;
};

/// Smallest and largest of values[n], n > 0; of equal ones (-0 and +0) the first.
inline Extremes extremes(const float* values, std::int64_t n) {
  Extremes found{values[0], values[0]};
  for (std::int64_t i = 1; i < n; ++i) {
    found.lowest = values[i] < found.lowest ? values[i] : found.lowest;
    found.highest = values[i] > found.highest ? values[i] : found.highest;
  }
  return found;
}

/// Encodes a row with `bool encode_block(const float* values, Block& block)`, which is given finite values and returns
/// false when the block's scale overflows fp16.
template <typename Block, int kValues, typename EncodeBlock>
EncodeIssue encode_blocks(const float* values, std::int64_t n, std::byte* out, EncodeBlock encode_block) {
  for (std::int64_t column = 0; column < n; column += kValues, out += sizeof(Block)) {
    const EncodeIssue issue = first_not_finite(values + column, kValues, column);
    if (issue) return issue;
    Block block{};
    if (!encode_block(values + column, block)) return overflow_in(values + column, kValues, column);
    std::memcpy(out, &block, sizeof(Block));
  }
  return {};
}

/// Decodes a row with `void decode_block(const Block& block, float* values)`.
template <typename Block, int kValues, typename DecodeBlock>
void decode_blocks(const std::byte* blocks, std::int64_t n, float* values, DecodeBlock decode_block) {
  for (std::int64_t column = 0; column < n; column += kValues, blocks += sizeof(Block)) {
    Block block;
    std::memcpy(&block, blocks, sizeof(Block));
    decode_block(block, values + column);
  }
}

/// Whether `bool is_valid(const Block& block)` holds for every block of a row.
template <typename Block, int kValues, typename IsValid>
bool all_blocks(const std::byte* blocks, std::int64_t n, IsValid is_valid) {
  for (std::int64_t column = 0; column < n; column += kValues, blocks += sizeof(Block)) {
    Block block;
    std::memcpy(&block, blocks, sizeof(Block));
    if (!is_valid(block)) return false;
  }
  return true;
}

}  // namespace tern::formats::codec
