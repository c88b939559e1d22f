// Every kernel of every instruction set of this machine against decoding and adding in double precision.
#include <gtest/gtest.h>

#include <cstdlib>

#include "tests/support/kernel_cases.hpp"

namespace tern::kernels {
namespace {

using test::encoded_rows;
using test::make_columns;
using test::normal_values;
using test::sets_of_this_machine;

MatmulArgs args_of(const formats::Format& format, const AlignedBuffer& w, std::int64_t n_rows, const test::Columns& x,
                   std::int64_t n_cols, std::int64_t k, std::vector<float>& y, std::size_t stride) {
  return {.w = w.data(),
          .w_row_bytes = static_cast<std::size_t>(format.row_bytes(k)),
          .n_rows = n_rows,
          .x = x.bytes.data(),
          .x_col_bytes = x.col_bytes,
          .n_cols = n_cols,
          .k = k,
          .y = y.data(),
          .y_stride = stride};
}

/// Bound on |kernel - exact|: every output is a chain of at most `k` float additions (8 lanes or whole blocks: k / 8)
/// of terms that are themselves within three roundings, so (k / 8 + 16) * 2^-24 of the sum of the terms' magnitudes.
/// Formats with a minimum subtract terms up to the block's range, which max |w| * sum |x| covers.
double tolerance(const std::vector<float>& row, const std::vector<float>& x) {
  double w_max = 0.0;
  double x_sum = 0.0;
  for (const float v : row) w_max = std::max(w_max, std::fabs(static_cast<double>(v)));
  for (const float v : x) x_sum += std::fabs(static_cast<double>(v));
  return (static_cast<double>(row.size()) / 8.0 + 16.0) * 0x1p-24 * w_max * x_sum + 1e-30;
}

void expect_near_generic(const Kernels& kernels, const Kernels::Bound& bound, std::int64_t n_rows, std::int64_t n_cols,
                         std::int64_t k, std::uint64_t seed) {
  const formats::Format& format = *bound.weight;
  const AlignedBuffer w = encoded_rows(format, n_rows, k, seed);
  const auto x = make_columns(kernels.table, bound.activation, normal_values(n_cols * k, seed + 1), n_cols, k);
  const auto stride = static_cast<std::size_t>(n_rows) + 3;
  std::vector<float> y(stride * static_cast<std::size_t>(n_cols), -77.0F);
  std::vector<float> reference = y;
  bound.run(args_of(format, w, n_rows, x, n_cols, k, y, stride));
  matmul_generic(format, 1.0F, bound.activation, args_of(format, w, n_rows, x, n_cols, k, reference, stride));
  std::vector<float> row(static_cast<std::size_t>(k));
  for (std::int64_t c = 0; c < n_cols; ++c) {
    const std::vector<float> column = test::decoded_column(bound.activation, x, c, k);
    for (std::size_t r = 0; r < stride; ++r) {
      const std::size_t i = static_cast<std::size_t>(c) * stride + r;
      if (r >= static_cast<std::size_t>(n_rows)) {
        ASSERT_EQ(y[i], -77.0F) << "wrote beyond the rows";
        continue;
      }
      format.decode_row(w.data() + r * static_cast<std::size_t>(format.row_bytes(k)), k, 1.0F, row.data());
      ASSERT_NEAR(y[i], reference[i], tolerance(row, column))
          << kernels.isa << " " << format.name << " k=" << k << " row " << r << " column " << c << " of " << n_cols
          << " seed " << seed;
    }
  }
}

TEST(Kernels, EveryMatmulAgreesWithDecodingForEveryLengthAndNumberOfColumns) {
  int n_pairs = 0;
  for (const Kernels& kernels : sets_of_this_machine()) {
    for (const auto& bound : kernels.matmuls) {
      ++n_pairs;
      const bool any_length = bound.weight->block_values == 1;
      const std::int64_t unit = std::max<std::int64_t>(bound.weight->block_values, any_length ? 1 : 32);
      std::vector<std::int64_t> lengths;
      if (any_length) {
        lengths = {1, 7, 8, 9, 63, 64, 65, 511, 512, 513, 1100};
      } else {
        const std::int64_t step = bound.activation == Activation::q8_k ? 256 : unit;
        lengths = {step, 2 * step, 3 * step, 5 * step, 1280 / step * step + step, 2560 / step * step};
      }
      for (const std::int64_t k : lengths) {
        for (const std::int64_t n_cols : {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 17, 129, 130, 131}) {
          const std::int64_t n_rows = 1 + (n_cols * 5 + k) % 27;
          expect_near_generic(kernels, bound, n_rows, n_cols, k, static_cast<std::uint64_t>(k * 100 + n_cols));
        }
      }
      expect_near_generic(kernels, bound, 13, 67, 512, 9);
    }
  }
  RecordProperty("pairs", n_pairs);
}

// A column with a single 1 picks out one weight, so a swapped, shifted or doubly counted position cannot hide in a sum.
TEST(Kernels, OneHotColumnsReadEveryWeightOfEveryFormat) {
  const std::int64_t k = 512;
  const std::int64_t n_rows = 11;
  for (const Kernels& kernels : sets_of_this_machine()) {
    for (const auto& bound : kernels.matmuls) {
      const formats::Format& format = *bound.weight;
      const AlignedBuffer w = encoded_rows(format, n_rows, k, 5);
      std::vector<float> x(static_cast<std::size_t>(k * k));
      for (std::int64_t i = 0; i < k; ++i) x[static_cast<std::size_t>(i * k + i)] = 1.0F;
      const auto columns = make_columns(kernels.table, bound.activation, x, k, k);
      std::vector<float> y(static_cast<std::size_t>(n_rows * k));
      bound.run(args_of(format, w, n_rows, columns, k, k, y, static_cast<std::size_t>(n_rows)));
      std::vector<float> row(static_cast<std::size_t>(k));
      for (std::int64_t r = 0; r < n_rows; ++r) {
        format.decode_row(w.data() + r * format.row_bytes(k), k, 1.0F, row.data());
        for (std::int64_t i = 0; i < k; ++i) {
          // The 1 itself is rounded: 127 * fp16(1 / 127) is 1 within 2^-11.
          const double allowed = std::fabs(static_cast<double>(row[static_cast<std::size_t>(i)])) * 0x1p-11 + 1e-6;
          ASSERT_NEAR(y[static_cast<std::size_t>(i * n_rows + r)], row[static_cast<std::size_t>(i)], allowed)
              << kernels.isa << " " << format.name << " row " << r << " weight " << i;
        }
      }
    }
  }
}

// Random bytes are legal blocks of most formats (every code, every factor), which encoders never write.
TEST(Kernels, RandomCodesOfEveryFormatAgreeWithDecoding) {
  const std::int64_t k = 1024;
  const std::int64_t n_rows = 9;
  for (const Kernels& kernels : sets_of_this_machine()) {
    for (const auto& bound : kernels.matmuls) {
      const formats::Format& format = *bound.weight;
      if (format.is_float) continue;
      Random random(17);
      AlignedBuffer w = encoded_rows(format, n_rows, k, 6);
      const AlignedBuffer sane = encoded_rows(format, n_rows, k, 6);
      const auto row_bytes = static_cast<std::size_t>(format.row_bytes(k));
      const auto block_bytes = static_cast<std::size_t>(format.block_bytes);
      for (std::size_t b = 0; b < w.size(); b += block_bytes) {
        for (std::size_t i = 0; i < block_bytes; ++i) w.data()[b + i] = static_cast<std::byte>(random.below(256));
        // Scales stay sane: put back the first and the last four bytes, where every format has them.
        std::memcpy(w.data() + b, sane.data() + b, 4);
        std::memcpy(w.data() + b + block_bytes - 4, sane.data() + b + block_bytes - 4, 4);
      }
      for (const std::int64_t n_cols : {1, 5}) {
        const auto x = make_columns(kernels.table, bound.activation, normal_values(n_cols * k, 8), n_cols, k);
        std::vector<float> y(static_cast<std::size_t>(n_rows * n_cols));
        std::vector<float> reference = y;
        const auto stride = static_cast<std::size_t>(n_rows);
        bound.run(args_of(format, w, n_rows, x, n_cols, k, y, stride));
        matmul_generic(format, 1.0F, bound.activation, args_of(format, w, n_rows, x, n_cols, k, reference, stride));
        std::vector<float> row(static_cast<std::size_t>(k));
        for (std::size_t i = 0; i < y.size(); ++i) {
          format.decode_row(w.data() + i % stride * row_bytes, k, 1.0F, row.data());
          const auto column = test::decoded_column(bound.activation, x, static_cast<std::int64_t>(i / stride), k);
          ASSERT_NEAR(y[i], reference[i], tolerance(row, column)) << kernels.isa << " " << format.name << " " << i;
        }
      }
    }
  }
}

TEST(Kernels, OneColumnAndManyColumnsGiveTheSameBits) {
  for (const Kernels& kernels : sets_of_this_machine()) {
    for (const auto& bound : kernels.matmuls) {
      const formats::Format& format = *bound.weight;
      for (const std::int64_t k : {std::int64_t{256}, std::int64_t{2560}, std::int64_t{16640}}) {
        const std::int64_t n_rows = 21;
        const std::int64_t n_cols = 71;
        const AlignedBuffer w = encoded_rows(format, n_rows, k, 3);
        const auto x = make_columns(kernels.table, bound.activation, normal_values(n_cols * k, 4), n_cols, k);
        const auto stride = static_cast<std::size_t>(n_rows);
        std::vector<float> all(stride * static_cast<std::size_t>(n_cols));
        bound.run(args_of(format, w, n_rows, x, n_cols, k, all, stride));
        // Other cuts of the same work: columns in pieces of every size, rows in pieces of another size.
        for (const std::int64_t piece : {1, 2, 3, 4, 6, 64}) {
          for (const std::int64_t row_piece : {std::int64_t{1}, std::int64_t{5}, n_rows}) {
            if (k > 2560 && row_piece == 1) continue;
            std::vector<float> cut(all.size());
            for (std::int64_t c = 0; c < n_cols; c += piece) {
              for (std::int64_t r = 0; r < n_rows; r += row_piece) {
                MatmulArgs a =
                    args_of(format, w, std::min(row_piece, n_rows - r), x, std::min(piece, n_cols - c), k, cut, stride);
                a.w = w.data() + r * format.row_bytes(k);
                a.x = x.bytes.data() + static_cast<std::size_t>(c) * x.col_bytes;
                a.y = cut.data() + c * n_rows + r;
                bound.run(a);
              }
            }
            ASSERT_EQ(std::memcmp(all.data(), cut.data(), all.size() * sizeof(float)), 0)
                << kernels.isa << " " << format.name << " k=" << k << " columns by " << piece << " rows by "
                << row_piece;
          }
        }
      }
    }
  }
}

// Every code of a block format at its largest against activations of one sign: the integer sums of the kernels at their
// bounds. All bytes 0xff but for the scales.
TEST(Kernels, BlockProductsSurviveTheWorstCases) {
  const std::int64_t k = 2048;
  const std::int64_t n_rows = 41;  // two panels of sixteen rows, one of eight, and a rest
  for (const Kernels& kernels : sets_of_this_machine()) {
    for (const auto& bound : kernels.matmuls) {
      const formats::Format& format = *bound.weight;
      if (format.is_float) continue;
      for (const int fill : {0xff, 0x00, 0x80, 0x7f}) {
        const AlignedBuffer sane = encoded_rows(format, n_rows, k, 6);
        AlignedBuffer w = encoded_rows(format, n_rows, k, 6);
        const auto block_bytes = static_cast<std::size_t>(format.block_bytes);
        for (std::size_t b = 0; b < w.size(); b += block_bytes) {
          std::memset(w.data() + b, fill, block_bytes);
          const std::size_t n_scales = format.name == "Q5_1" || format.name == "Q4_1" ? 4 : 2;
          // fp16 1.0 wherever a scale may stand; formats with scales elsewhere just see two more codes.
          const std::uint16_t one = 0x3c00;
          for (std::size_t i = 0; i < n_scales; i += 2) std::memcpy(w.data() + b + i, &one, 2);
          if (block_bytes >= 54) {
            std::memcpy(w.data() + b + 2, &one, 2);
            std::memcpy(w.data() + b + block_bytes - 2, &one, 2);
            std::memcpy(w.data() + b + block_bytes - 4, &one, 2);
          }
        }
        for (const float sign : {1.0F, -1.0F}) {
          for (const std::int64_t n_cols : {1, 3, 7, 13}) {  // in streams, and by panels in tiles of all sizes
            const auto x = make_columns(kernels.table, bound.activation,
                                        std::vector<float>(static_cast<std::size_t>(n_cols * k), sign), n_cols, k);
            std::vector<float> y(static_cast<std::size_t>(n_rows * n_cols));
            std::vector<float> reference = y;
            const auto stride = static_cast<std::size_t>(n_rows);
            bound.run(args_of(format, w, n_rows, x, n_cols, k, y, stride));
            matmul_generic(format, 1.0F, bound.activation, args_of(format, w, n_rows, x, n_cols, k, reference, stride));
            std::vector<float> row(static_cast<std::size_t>(k));  // all rows are the same
            format.decode_row(w.data(), k, 1.0F, row.data());
            for (std::size_t i = 0; i < y.size(); ++i) {
              const auto column = test::decoded_column(bound.activation, x, static_cast<std::int64_t>(i / stride), k);
              ASSERT_NEAR(y[i], reference[i], tolerance(row, column))
                  << kernels.isa << " " << format.name << " fill " << fill << " sign " << sign;
            }
          }
        }
      }
    }
  }
}

// The sets differ in how they form a block's integer sums, and in nothing else: the same bits, for random bytes in the
// place of codes and factors, whatever the number of blocks, rows and columns. What a model says must not depend on the
// processor where this can be had.
TEST(Kernels, BlockProductsHaveTheSameBitsOnEverySetOfVectors) {
  const std::vector<Kernels> sets = sets_of_this_machine();
  int n_compared = 0;
  for (const Kernels& kernels : sets) {
    for (const Kernels& other : sets) {
      for (const auto& bound : kernels.matmuls) {
        const MatmulFn run = other.matmul(*bound.weight, bound.activation);
        if (run == nullptr || run == bound.run || bound.weight->is_float) continue;
        ++n_compared;
        const formats::Format& format = *bound.weight;
        const auto block_bytes = static_cast<std::size_t>(format.block_bytes);
        for (const std::int64_t blocks : {1, 2, 5, 16, 65, 521}) {
          if (blocks > 65 && format.block_values > 32) continue;  // only short blocks are prepared in parts, of 512
          const std::int64_t k = blocks * format.block_values;
          const std::int64_t n_rows = 37;
          Random random(static_cast<std::uint64_t>(k));
          AlignedBuffer w = encoded_rows(format, n_rows, k, 7);
          for (std::size_t b = 0; b < w.size(); b += block_bytes) {
            // Scales of every format lie in the first or in the last four bytes.
            const bool heads = format.block_bytes < 54 || format.name == "Q4_K" || format.name == "Q5_K";
            const std::size_t first = heads ? (format.name.ends_with("_0") ? 2 : 4) : 0;
            const std::size_t last = block_bytes - (heads ? 0 : format.name == "Q2_K" ? 4 : 2);
            for (std::size_t i = first; i < last; ++i) w.data()[b + i] = static_cast<std::byte>(random.below(256));
          }
          for (const std::int64_t n_cols : {1, 7, 131}) {
            const auto x = make_columns(kernels.table, bound.activation, normal_values(n_cols * k, 8), n_cols, k);
            std::vector<float> got(static_cast<std::size_t>(n_rows * n_cols));
            std::vector<float> expected = got;
            const auto stride = static_cast<std::size_t>(n_rows);
            bound.run(args_of(format, w, n_rows, x, n_cols, k, got, stride));
            run(args_of(format, w, n_rows, x, n_cols, k, expected, stride));
            ASSERT_EQ(std::memcmp(got.data(), expected.data(), got.size() * sizeof(float)), 0)
                << kernels.isa << " and " << other.isa << " " << format.name << " k=" << k << " columns " << n_cols;
          }
        }
      }
    }
  }
  if (n_compared == 0) GTEST_SKIP() << "this processor has one set of vector kernels for blocks, nothing to compare";
}

TEST(Kernels, QuantisersGiveTheSameBytesOnEverySet) {
  const Kernels scalar = choose("scalar").value();
  for (const Kernels& kernels : sets_of_this_machine()) {
    for (const double scale : {1.0, 1e-3, 1e-6, 1e-20, 1e-38, 1e-41, 1e5, 1e30, 0.0}) {
      for (const std::int64_t n : {256, 512, 2560}) {
        for (std::uint64_t seed = 1; seed <= 6; ++seed) {
          std::vector<float> x = normal_values(n, seed, scale);
          if (seed == 2) x[static_cast<std::size_t>(n) - 3] = -std::fabs(x[5] * 30.0F);
          if (seed == 3) {  // exact ties of both roundings
            for (std::size_t i = 0; i < x.size(); ++i)
              x[i] = static_cast<float>(static_cast<int>(i % 255) - 127) * 0.5F;
            x[0] = 127.0F;
          }
          if (seed == 4) x[9] = std::nanf("");
          if (seed == 5) x[100] = -INFINITY;
          if (seed == 6) x[17] = -(x[200] = 40.0F);  // the same magnitude twice
          std::vector<std::byte> a(static_cast<std::size_t>(n) * 2, std::byte{1});
          std::vector<std::byte> b = a;
          kernels.table.quantize_q8_0(x.data(), n, a.data());
          scalar.table.quantize_q8_0(x.data(), n, b.data());
          ASSERT_EQ(a, b) << "q8_0 scale " << scale << " n " << n << " seed " << seed;
          kernels.table.quantize_q8_k(x.data(), n, a.data());
          scalar.table.quantize_q8_k(x.data(), n, b.data());
          ASSERT_EQ(a, b) << "q8_k scale " << scale << " n " << n << " seed " << seed;
          for (const std::int64_t m : {n, n - 1, n - 27, std::int64_t{5}}) {
            std::vector<std::int8_t> p(static_cast<std::size_t>(n), 99);
            std::vector<std::int8_t> q = p;
            std::int32_t p_sum = 0;
            std::int32_t q_sum = 1;
            const float p_scale = kernels.table.quantize_token(x.data(), m, p.data(), &p_sum);
            const float q_scale = scalar.table.quantize_token(x.data(), m, q.data(), &q_sum);
            ASSERT_EQ(p, q) << "token scale " << scale << " n " << m << " seed " << seed;
            ASSERT_EQ(p_sum, q_sum);
            ASSERT_TRUE(p_scale == q_scale || (std::isnan(p_scale) && std::isnan(q_scale)));
          }
        }
      }
    }
  }
}

TEST(Kernels, TheForcedSetIsTheOneThatRuns) {
  for (const Isa& isa : all_isas()) {
    if (!runs_here(isa)) continue;
    const Kernels kernels = choose(isa.name).value();
    EXPECT_EQ(kernels.isa, isa.name);
    EXPECT_EQ(kernels.table.ternary, isa.set()->ternary) << "the set's own function must be in the table";
    ASSERT_EQ(::setenv("TERN_ISA", std::string(isa.name).c_str(), 1), 0);
    EXPECT_EQ(choose().value().isa, isa.name);
    ::unsetenv("TERN_ISA");
  }
  EXPECT_EQ(choose("scalar").value().isa, "scalar");
  EXPECT_TRUE(choose("scalar").value().matmuls.empty());
  EXPECT_EQ(choose("SCALAR").value().isa, "scalar");
}

TEST(Kernels, AnUnknownSetIsRefusedWithTheNearestName) {
  const auto refused = choose("scaler");
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::usage);
  EXPECT_NE(refused.error().message.find("did you mean scalar"), std::string::npos) << refused.error().message;
  ASSERT_EQ(::setenv("TERN_ISA", "fast", 1), 0);
  const auto from_environment = choose();
  ::unsetenv("TERN_ISA");
  ASSERT_FALSE(from_environment.has_value());
  EXPECT_NE(from_environment.error().message.find("TERN_ISA"), std::string::npos);
}

TEST(Kernels, EveryProofPasses) {
  for (const Isa& isa : all_isas()) {
    if (!runs_here(isa)) continue;
    const auto proofs = prove(isa.name);
    ASSERT_TRUE(proofs.has_value());
    EXPECT_GE(proofs->size(), 10U);
    for (const Proof& proof : *proofs) EXPECT_TRUE(proof.passed) << proof.kernel << ": " << proof.detail;
  }
}

}  // namespace
}  // namespace tern::kernels
