#include "formats/f32.hpp"

#include <cstring>

#include "formats/block_codec.hpp"

namespace tern::formats {

EncodeIssue encode_row_f32(const float* values, std::int64_t n, float, std::byte* out) {
  const EncodeIssue issue = codec::first_not_finite(values, n, 0);
  if (!issue) std::memcpy(out, values, static_cast<std::size_t>(n) * sizeof(float));
  return issue;
}

void decode_row_f32(const std::byte* bytes, std::int64_t n, float, float* values) {
  std::memcpy(values, bytes, static_cast<std::size_t>(n) * sizeof(float));
}

bool valid_row_f32(const std::byte* bytes, std::int64_t n) {
  return codec::all_blocks<float, 1>(bytes, n, [](float value) { return codec::is_finite(value); });
}

}  // namespace tern::formats
