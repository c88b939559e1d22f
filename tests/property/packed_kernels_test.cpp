// Products with packed ternary and binary weights: every instruction set of this machine against integers added one by
// one, and at the extremes where sums that are widened too late would wrap.
#include <gtest/gtest.h>

#include "kernels/binary_pack.hpp"
#include "tests/support/emulated_amx.hpp"
#include "tests/support/kernel_cases.hpp"

namespace tern::kernels {
namespace {

using test::sets_of_this_machine;

/// And AMX's, where its instructions can be emulated at least.
std::vector<Kernels> ternary_sets() {
  std::vector<Kernels> sets = sets_of_this_machine();
  if (auto amx = test::amx_or_emulated(); amx && amx->emulated) sets.push_back(std::move(amx->kernels));
  return sets;
}

struct TernaryCase {
  std::int64_t n_rows, n_cols, k;
  AlignedBuffer w, x;
  std::vector<std::int32_t> sums;
};
TernaryCase ternary_case(std::int64_t n_rows, std::int64_t n_cols, std::int64_t k) {
  return {n_rows,
          n_cols,
          k,
          AlignedBuffer(static_cast<std::size_t>(n_rows * k / 4)),
          AlignedBuffer(static_cast<std::size_t>(n_cols * k)),
          std::vector<std::int32_t>(static_cast<std::size_t>(n_cols))};
}
void add_up(TernaryCase& t) {
  for (std::int64_t c = 0; c < t.n_cols; ++c) {
    std::int32_t sum = 0;
    for (std::int64_t i = 0; i < t.k; ++i) sum += t.x.as<std::int8_t>()[c * t.k + i];
    t.sums[static_cast<std::size_t>(c)] = sum;
  }
}
std::vector<std::int32_t> run_ternary(const Kernels& kernels, const TernaryCase& t) {
  const auto stride = static_cast<std::size_t>(t.n_rows) + 1;
  std::vector<std::int32_t> y(stride * static_cast<std::size_t>(t.n_cols), 12345);
  kernels.table.ternary({.w = t.w.as<std::uint8_t>(),
                         .n_rows = t.n_rows,
                         .x = t.x.as<std::int8_t>(),
                         .x_sums = t.sums.data(),
                         .n_cols = t.n_cols,
                         .k_padded = t.k,
                         .y = y.data(),
                         .y_stride = stride});
  return y;
}

TEST(PackedKernels, TernaryProductsAreTheSameIntegersOnEverySet) {
  const Kernels scalar = choose("scalar").value();
  Random random(1);
  for (const std::int64_t k : {128, 256, 1920, 2048, 2176, 2560, 4096, 6912, 8320}) {
    for (const std::int64_t n_cols : {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 16, 17, 129, 130, 131}) {
      TernaryCase t = ternary_case(1 + (n_cols * 3 + k / 128) % 19, n_cols, k);
      for (std::byte& b : t.w.bytes()) {
        b = static_cast<std::byte>(random.below(3) << 6 | random.below(3) << 4 | random.below(3) << 2 |
                                   random.below(3));
      }
      for (std::byte& b : t.x.bytes()) b = static_cast<std::byte>(random.below(256));
      add_up(t);
      const auto expected = run_ternary(scalar, t);
      for (const Kernels& kernels : ternary_sets()) {
        ASSERT_EQ(run_ternary(kernels, t), expected) << kernels.isa << " k=" << k << " columns " << n_cols;
      }
    }
  }
}

// All codes and activations at their extremes, for the longest rows: 16-bit sums that are widened too late wrap here.
TEST(PackedKernels, TernaryProductsSurviveTheWorstCases) {
  for (const std::int64_t k : {std::int64_t{2048}, std::int64_t{2176}, std::int64_t{32768}}) {
    for (const int code : {0, 1, 2}) {
      for (const int activation : {127, -127, -128}) {
        for (const std::int64_t n_cols : {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 34, 129, 130}) {
          constexpr std::int64_t kRows = 35;  // whole tiles of every set, and odd rows
          TernaryCase t = ternary_case(kRows, n_cols, k);
          for (std::byte& b : t.w.bytes()) b = static_cast<std::byte>(code * 0x55);
          for (std::byte& b : t.x.bytes()) b = static_cast<std::byte>(activation);
          add_up(t);
          for (const Kernels& kernels : ternary_sets()) {
            const auto y = run_ternary(kernels, t);
            for (std::int64_t c = 0; c < n_cols; ++c) {
              for (std::int64_t r = 0; r < kRows; ++r) {
                ASSERT_EQ(y[static_cast<std::size_t>(c * (kRows + 1) + r)],
                          static_cast<std::int32_t>(k) * activation * (code - 1))
                    << kernels.isa << " k=" << k << " code " << code << " x " << activation << " columns " << n_cols;
              }
              ASSERT_EQ(y[static_cast<std::size_t>(c * (kRows + 1) + kRows)], 12345) << "wrote beyond the rows";
            }
          }
        }
      }
    }
  }
}

struct BinaryCase {
  std::int64_t n_panels, n_cols, k;
  AlignedBuffer w, x;
  std::vector<std::int32_t> sums;
  std::vector<float> scales;
};
BinaryCase binary_case(std::int64_t n_panels, std::int64_t n_cols, std::int64_t k) {
  BinaryCase t{n_panels,
               n_cols,
               k,
               AlignedBuffer(static_cast<std::size_t>(n_panels * binary_panel_bytes(k))),
               AlignedBuffer(static_cast<std::size_t>(n_cols * k)),
               std::vector<std::int32_t>(static_cast<std::size_t>(n_cols)),
               std::vector<float>(static_cast<std::size_t>(n_cols))};
  for (std::size_t c = 0; c < t.scales.size(); ++c) t.scales[c] = 1.0F + static_cast<float>(c) / 3.0F;
  return t;
}
constexpr float kWeightScale = 0.37F;
constexpr std::size_t kBeyond = 3;  // outputs after the last row, which nobody may write
std::vector<float> run_binary(const Kernels& kernels, const BinaryCase& t) {
  const auto table_bytes = static_cast<std::size_t>(binary_table_bytes(t.k));
  AlignedBuffer tables(table_bytes * static_cast<std::size_t>(t.n_cols));
  for (std::int64_t c = 0; c < t.n_cols; ++c) {
    kernels.table.binary_tables(t.x.as<std::int8_t>() + c * t.k, t.k,
                                tables.as<std::uint8_t>() + static_cast<std::size_t>(c) * table_bytes);
  }
  const std::size_t stride = static_cast<std::size_t>(t.n_panels * 32) + kBeyond;
  std::vector<float> y(stride * static_cast<std::size_t>(t.n_cols), -777.0F);
  kernels.table.binary({.w = t.w.as<std::uint8_t>(),
                        .n_panels = t.n_panels,
                        .tables = tables.as<std::uint8_t>(),
                        .table_stride = table_bytes,
                        .codes = t.x.as<std::int8_t>(),
                        .code_stride = static_cast<std::size_t>(t.k),
                        .x_sums = t.sums.data(),
                        .x_scales = t.scales.data(),
                        .n_cols = t.n_cols,
                        .k_padded = t.k,
                        .w_scale = kWeightScale,
                        .y = y.data(),
                        .y_stride = stride});
  return y;
}
/// Sign by sign; the sums of the codes are filled in on the way.
std::vector<float> by_hand(BinaryCase& t) {
  const std::size_t stride = static_cast<std::size_t>(t.n_panels * 32) + kBeyond;
  std::vector<float> y(stride * static_cast<std::size_t>(t.n_cols), -777.0F);
  for (std::int64_t c = 0; c < t.n_cols; ++c) {
    const std::int8_t* x = t.x.as<std::int8_t>() + c * t.k;
    const auto column = static_cast<std::size_t>(c);
    t.sums[column] = 0;
    for (std::int64_t i = 0; i < t.k; ++i) t.sums[column] += x[i];
    for (std::int64_t r = 0; r < t.n_panels * 32; ++r) {
      const std::uint8_t* panel = t.w.as<std::uint8_t>() + r / 32 * binary_panel_bytes(t.k);
      std::int32_t sum = 0;
      for (std::int64_t i = 0; i < t.k; ++i) sum += (panel[i / 8 * 32 + r % 32] >> (i % 8) & 1) != 0 ? x[i] : -x[i];
      y[column * stride + static_cast<std::size_t>(r)] = static_cast<float>(sum) / t.scales[column] * kWeightScale;
    }
  }
  return y;
}

TEST(PackedKernels, BinaryProductsAreTheSameNumbersOnEverySet) {
  Random random(21);
  for (const std::int64_t k : {32, 64, 224, 256, 288, 1536, 2560}) {
    for (const std::int64_t n_cols : {1, 2, 3, 4, 5, 6, 9, 127, 128, 129}) {
      if (n_cols > 100 && k > 300) continue;
      BinaryCase t = binary_case(1 + (n_cols + k / 32) % 9, n_cols, k);
      for (std::byte& b : t.w.bytes()) b = static_cast<std::byte>(random.below(256));
      for (std::byte& b : t.x.bytes()) b = static_cast<std::byte>(random.below(256));
      const auto expected = by_hand(t);
      for (const Kernels& kernels : sets_of_this_machine()) {
        ASSERT_EQ(run_binary(kernels, t), expected) << kernels.isa << " k=" << k << " columns " << n_cols;
      }
    }
  }
}

// Parts of eight look-ups in a byte, 32 of them in 16 bits: any that is widened too late wraps here.
TEST(PackedKernels, BinaryProductsSurviveTheWorstCases) {
  for (const std::int64_t k : {std::int64_t{256}, std::int64_t{32768}}) {
    for (const int bits : {0x00, 0xff, 0x0f, 0x55}) {
      for (const int activation : {127, -127, -128}) {
        for (const std::int64_t n_cols : {1, 2, 3, 4, 32}) {
          BinaryCase t = binary_case(3, n_cols, k);
          for (std::byte& b : t.w.bytes()) b = static_cast<std::byte>(bits);
          for (std::byte& b : t.x.bytes()) b = static_cast<std::byte>(activation);
          const auto expected = by_hand(t);
          for (const Kernels& kernels : sets_of_this_machine()) {
            ASSERT_EQ(run_binary(kernels, t), expected)
                << kernels.isa << " k=" << k << " bits " << bits << " x " << activation << " columns " << n_cols;
          }
        }
      }
    }
  }
}

}  // namespace
}  // namespace tern::kernels
