#include "formats/bf16.hpp"

#include <bit>
#include <cstring>

#include "formats/block_codec.hpp"

namespace tern::formats {
namespace {

constexpr std::uint16_t kExponent = 0x7f80u;
constexpr std::uint32_t kExponent32 = 0x7f800000u;

bool is_finite_bits(std::uint16_t bits) {
  return (bits & kExponent) != kExponent;
}

}  // namespace

EncodeIssue encode_row_bf16(const float* values, std::int64_t n, float, std::byte* out) {
  // One pass without a branch, which compilers turn into vector code: rounding up may carry into the exponent, and a
  // sum whose exponent is all ones stands for NaN, infinity or overflow. Only a row with such a value is looked at
  // again.
  std::uint32_t faults = 0;
  for (std::int64_t i = 0; i < n; ++i) {
    const auto bits = std::bit_cast<std::uint32_t>(values[i]);
    const std::uint32_t rounded = bits + 0x7fffU + ((bits >> 16) & 1U);
    faults |= static_cast<std::uint32_t>((bits & kExponent32) == kExponent32) |
              static_cast<std::uint32_t>((rounded & kExponent32) == kExponent32);
    const auto high = static_cast<std::uint16_t>(rounded >> 16);
    std::memcpy(out + i * 2, &high, sizeof high);
  }
  if (faults == 0) return {};
  return codec::encode_blocks<std::uint16_t, 1>(values, n, out, [](const float* value, std::uint16_t& bits) {
    bits = fp32_to_bf16(*value);
    return is_finite_bits(bits);
  });
}

void decode_row_bf16(const std::byte* bytes, std::int64_t n, float, float* values) {
  codec::decode_blocks<std::uint16_t, 1>(bytes, n, values,
                                         [](std::uint16_t bits, float* value) { *value = bf16_to_fp32(bits); });
}

bool valid_row_bf16(const std::byte* bytes, std::int64_t n) {
  return codec::all_blocks<std::uint16_t, 1>(bytes, n, is_finite_bits);
}

}  // namespace tern::formats
