#include "formats/bf16.hpp"

#include "formats/block_codec.hpp"

namespace tern::formats {
namespace {

constexpr std::uint16_t kExponent = 0x7f80u;

bool is_finite_bits(std::uint16_t bits) {
  return (bits & kExponent) != kExponent;
}

}  // namespace

EncodeIssue encode_row_bf16(const float* values, std::int64_t n, float, std::byte* out) {
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
