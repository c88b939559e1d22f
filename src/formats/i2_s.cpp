#include "formats/i2_s.hpp"

#include <algorithm>
#include <vector>

#include "base/words.hpp"
#include "formats/block_codec.hpp"

namespace tern::formats {
namespace {

constexpr int kLanes = 32;  // bytes of a group, and the distance of the four values of one byte

/// Counts distinct magnitudes up to a limit in bounded memory: a hash set of their bits that is made when the second
/// magnitude is met, so a ternary tensor costs a comparison a value and no memory.
class MagnitudeScan final : public TensorScaleScan {
 public:
  EncodeIssue observe(std::span<const float> row) override {
    const EncodeIssue issue = codec::first_not_finite(row.data(), static_cast<std::int64_t>(row.size()), 0);
    if (issue) return issue;
    constexpr std::size_t kAtOnce = 256;
    for (std::size_t i = 0; i < row.size(); i += kAtOnce) {
      const auto part = row.subspan(i, std::min(kAtOnce, row.size() - i));
      // Nothing new in most of them: a loop without exits, so that it vectorises.
      std::uint32_t news = 0;
      for (const float value : part) news |= is_new(magnitude_bits(value)) ? 1U : 0U;
      if (news == 0) continue;
      for (const float value : part) {
        if (const std::uint32_t bits = magnitude_bits(value); is_new(bits)) insert(bits);
      }
    }
    return {};
  }

  [[nodiscard]] Result<float> finish() const override {
    if (n_distinct_ <= 1) return std::bit_cast<float>(last_);
    return fail(ErrorCode::bad_input, "I2_S holds only {{−s, 0, +s}}; this tensor has {}{} distinct magnitudes",
                n_distinct_ > kLimit ? "more than " : "", with_separators(std::min(n_distinct_, kLimit)));
  }

 private:
  static constexpr std::uint64_t kLimit = 1u << 16;  // exact for every tensor that was F16 or BF16
  static constexpr std::size_t kSlots = kLimit * 2;

  static std::uint32_t magnitude_bits(float value) { return std::bit_cast<std::uint32_t>(value) & 0x7fffffffu; }
  [[nodiscard]] bool is_new(std::uint32_t bits) const { return (bits != 0) & (bits != last_); }

  void insert(std::uint32_t bits) {
    if (n_distinct_ > kLimit) return;
    if (n_distinct_ == 0) {
      last_ = bits;
      n_distinct_ = 1;
      return;
    }
    if (slots_.empty()) {
      slots_.resize(kSlots);
      add(last_);
    }
    last_ = bits;
    if (add(bits)) ++n_distinct_;
  }

  bool add(std::uint32_t bits) {
    std::size_t slot = (bits * 0x9e3779b1u) >> 15;  // the upper 17 bits: kSlots is 2^17
    while (slots_[slot] != 0) {
      if (slots_[slot] == bits) return false;
      slot = (slot + 1) % kSlots;
    }
    slots_[slot] = bits;
    return true;
  }

  std::uint32_t last_ = 0;  // the magnitude met last; 0: none yet
  std::uint64_t n_distinct_ = 0;
  std::vector<std::uint32_t> slots_;  // bits of a magnitude, 0: free
};

}  // namespace

TensorScaleScan* new_i2_s_scan() {
  return new MagnitudeScan;
}

void write_i2_s_tail(float scale, std::byte* tail) {
  std::memset(tail, 0, kI2STailBytes);
  std::memcpy(tail, &scale, sizeof(scale));
}

Result<float> read_i2_s_tail(const std::byte* tail) {
  float copies[kI2STailBytes / sizeof(float)];
  std::memcpy(copies, tail, sizeof(copies));
  const float scale = copies[0];
  if (!codec::is_finite(scale)) {
    return fail(ErrorCode::bad_input, "the I2_S scale is {}, expected a finite number: the file is damaged", scale);
  }
  for (const float copy : copies) {
    const auto bits = std::bit_cast<std::uint32_t>(copy);
    if (bits != 0 && bits != std::bit_cast<std::uint32_t>(scale)) {
      return fail(
          ErrorCode::bad_input,
          "the I2_S tail contradicts itself: scale {}, repeated as {}; expected zeros or the same scale after it",
          scale, copy);
    }
  }
  return scale;
}

namespace {

/// Of a group of a row, which begins at `column`.
EncodeIssue first_not_ternary(const float* values, std::int64_t column, float scale) {
  const auto is_other = [scale](float value) { return (value != 0.0F) & (std::fabs(value) != scale); };
  std::uint32_t others = 0;  // a loop without exits, so that it vectorises; the search below is rare
  for (int i = 0; i < kI2SValues; ++i) others |= is_other(values[i]) ? 1U : 0U;
  if (others == 0) return {};
  for (int i = 0; i < kI2SValues; ++i) {
    if (!is_other(values[i])) continue;
    const auto kind = codec::is_finite(values[i]) ? EncodeIssue::Kind::not_ternary : EncodeIssue::Kind::not_finite;
    return {kind, column + i, values[i]};
  }
  return {};
}

}  // namespace

EncodeIssue encode_row_i2_s(const float* values, std::int64_t n, float tensor_scale, std::byte* blocks) {
  for (std::int64_t column = 0; column < n; column += kI2SValues, blocks += kLanes) {
    if (const EncodeIssue issue = first_not_ternary(values + column, column, tensor_scale)) return issue;
    std::uint8_t codes[kI2SValues];
    for (int i = 0; i < kI2SValues; ++i) {
      const float value = values[column + i];
      codes[i] = static_cast<std::uint8_t>(1 + (value > 0.0F ? 1 : 0) - (value < 0.0F ? 1 : 0));
    }
    for (int p = 0; p < kLanes; ++p) {
      blocks[p] = static_cast<std::byte>(codes[p] << 6 | codes[kLanes + p] << 4 | codes[2 * kLanes + p] << 2 |
                                         codes[3 * kLanes + p]);
    }
  }
  return {};
}

void decode_row_i2_s(const std::byte* blocks, std::int64_t n, float tensor_scale, float* values) {
  const float meanings[4] = {-tensor_scale, 0.0F, tensor_scale, 2.0F * tensor_scale};
  for (std::int64_t column = 0; column < n; column += kI2SValues, blocks += kLanes) {
    for (int p = 0; p < kLanes; ++p) {
      const auto codes = std::to_integer<unsigned>(blocks[p]);
      for (int l = 0; l < 4; ++l) values[column + kLanes * l + p] = meanings[codes >> (6 - 2 * l) & 3u];
    }
  }
}

bool valid_row_i2_s(const std::byte* blocks, std::int64_t n) {
  return !codec::holds_code_3(blocks, n / 4);
}

}  // namespace tern::formats
