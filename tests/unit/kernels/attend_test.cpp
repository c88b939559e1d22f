// Attention of one head against a naive softmax in double precision.
#include <gtest/gtest.h>

#include <cmath>

#include "base/half.hpp"
#include "tests/support/kernel_cases.hpp"

namespace tern::kernels {
namespace {

/// Keys and values of consecutive positions, cut into pages; rows have room for two heads and this one is the second.
struct Cache {
  std::int64_t head_dim, n_positions, page_positions;
  std::vector<float> k, v;  // what the pages hold, as floats [n_positions, head_dim]
  AlignedBuffer bytes;
  std::vector<const void*> k_pages, v_pages;
  std::size_t row_stride = 0;

  template <class Value, class Store, class Read>
  void fill(std::uint64_t seed, Store store, Read read) {
    const auto values = test::normal_values(2 * n_positions * head_dim, seed);
    const std::int64_t n_pages = (n_positions + page_positions - 1) / page_positions;
    row_stride = static_cast<std::size_t>(2 * head_dim) * sizeof(Value);
    const std::size_t page_bytes = row_stride * static_cast<std::size_t>(page_positions);
    bytes = AlignedBuffer(2 * page_bytes * static_cast<std::size_t>(n_pages));
    for (std::int64_t p = 0; p < n_pages; ++p) {  // pages lie in memory in reverse
      const auto at = static_cast<std::size_t>(n_pages - 1 - p) * 2 * page_bytes;
      k_pages.push_back(bytes.data() + at + row_stride / 2);
      v_pages.push_back(bytes.data() + at + page_bytes + row_stride / 2);
    }
    for (std::int64_t p = 0; p < n_positions; ++p) {
      for (std::int64_t d = 0; d < head_dim; ++d) {
        for (const bool key : {true, false}) {
          const Value stored =
              store(values[static_cast<std::size_t>((key ? 0 : n_positions * head_dim) + p * head_dim + d)]);
          const auto* page =
              static_cast<const std::byte*>((key ? k_pages : v_pages)[static_cast<std::size_t>(p / page_positions)]);
          std::byte* to = bytes.data() + (page - bytes.data()) +
                          static_cast<std::ptrdiff_t>(static_cast<std::size_t>(p % page_positions) * row_stride) +
                          d * static_cast<std::ptrdiff_t>(sizeof(Value));
          std::memcpy(to, &stored, sizeof stored);
          (key ? k : v).push_back(read(stored));
        }
      }
    }
  }
};

Cache make_cache(std::int64_t head_dim, std::int64_t n_positions, std::int64_t page_positions, bool half) {
  Cache cache{head_dim, n_positions, page_positions, {}, {}, {}, {}, {}, 0};
  if (half) {
    cache.fill<std::uint16_t>(
        5, [](float x) { return fp32_to_fp16(x); }, [](std::uint16_t h) { return fp16_to_fp32(h); });
  } else {
    cache.fill<float>(5, [](float x) { return x; }, [](float x) { return x; });
  }
  return cache;
}

std::vector<float> run(AttendFn attend, const Cache& cache, const std::vector<float>& q, std::int64_t first,
                       std::int64_t n_positions, float scale, float cap) {
  std::vector<float> scores(static_cast<std::size_t>(n_positions));
  std::vector<float> out(q.size() + 1, -7.0F);
  attend({.q = q.data(),
          .k_pages = cache.k_pages.data(),
          .v_pages = cache.v_pages.data(),
          .row_stride = cache.row_stride,
          .page_positions = cache.page_positions,
          .first = first,
          .n_positions = n_positions,
          .head_dim = cache.head_dim,
          .scale = scale,
          .soft_cap = cap,
          .scores = scores.data(),
          .out = out.data()});
  EXPECT_EQ(out.back(), -7.0F) << "wrote beyond the head";
  out.pop_back();
  return out;
}

std::vector<double> naive(const Cache& cache, const std::vector<float>& q, std::int64_t first, std::int64_t n_positions,
                          double scale, double cap) {
  std::vector<double> weights;
  double sum = 0.0;
  for (std::int64_t p = first; p < n_positions; ++p) {
    double score = 0.0;
    for (std::int64_t d = 0; d < cache.head_dim; ++d) {
      score += static_cast<double>(q[static_cast<std::size_t>(d)]) *
               static_cast<double>(cache.k[static_cast<std::size_t>(p * cache.head_dim + d)]);
    }
    score *= scale;
    if (cap != 0.0) score = cap * std::tanh(score / cap);
    weights.push_back(std::exp(score));
    sum += weights.back();
  }
  std::vector<double> out(static_cast<std::size_t>(cache.head_dim));
  for (std::int64_t p = first; p < n_positions; ++p) {
    for (std::int64_t d = 0; d < cache.head_dim; ++d) {
      out[static_cast<std::size_t>(d)] +=
          weights[static_cast<std::size_t>(p - first)] / sum *
          static_cast<double>(cache.v[static_cast<std::size_t>(p * cache.head_dim + d)]);
    }
  }
  return out;
}

template <class Check>
void for_each_set(Check check) {
  for (const Isa& isa : all_isas()) {
    if (isa.supported(sys::cpu_features())) check(choose(isa.name).value());
  }
}

TEST(Attend, AgreesWithASoftmaxInDoublePrecision) {
  for_each_set([](const Kernels& kernels) {
    for (const std::int64_t head_dim : {8, 20, 48, 64, 80, 128}) {
      for (const bool half : {true, false}) {
        const Cache cache = make_cache(head_dim, 150, 32, half);
        const auto q = test::normal_values(head_dim, 6);
        const float scale = 1.0F / std::sqrt(static_cast<float>(head_dim));
        for (const std::int64_t n : {1, 2, 7, 8, 9, 31, 32, 33, 64, 150}) {
          for (const std::int64_t first : {std::int64_t{0}, n / 2, n - 1}) {
            for (const float cap : {0.0F, 0.8F, 30.0F}) {
              const auto got =
                  run(half ? kernels.table.attend_f16 : kernels.table.attend_f32, cache, q, first, n, scale, cap);
              const auto expected = naive(cache, q, first, n, static_cast<double>(scale), static_cast<double>(cap));
              for (std::size_t d = 0; d < got.size(); ++d) {
                // Scores of magnitude below 8 carry an error below 2^-20, weights the same relatively; values are
                // below 5.
                ASSERT_NEAR(got[d], expected[d], 5.0 * 0x1p-19)
                    << kernels.isa << " head " << head_dim << " positions " << first << ".." << n << " cap " << cap;
              }
            }
          }
        }
      }
    }
  });
}

TEST(Attend, LargeScoresNeitherOverflowNorVanish) {
  for_each_set([](const Kernels& kernels) {
    const Cache cache = make_cache(64, 40, 16, true);
    auto q = test::normal_values(64, 7, 40.0);
    const auto got = run(kernels.table.attend_f16, cache, q, 0, 40, 1.0F, 0.0F);
    // Scores in the hundreds: the winner takes all, and the result is its value.
    std::int64_t best = 0;
    double best_score = -1e300;
    for (std::int64_t p = 0; p < 40; ++p) {
      double score = 0.0;
      for (std::size_t d = 0; d < 64; ++d)
        score += static_cast<double>(q[d]) * static_cast<double>(cache.k[static_cast<std::size_t>(p) * 64 + d]);
      if (score > best_score) best_score = score, best = p;
    }
    ASSERT_GT(best_score, 200.0);
    for (std::size_t d = 0; d < 64; ++d) ASSERT_NEAR(got[d], cache.v[static_cast<std::size_t>(best) * 64 + d], 1e-3);
  });
}

TEST(Attend, ThePageSizeDoesNotChangeABit) {
  for_each_set([](const Kernels& kernels) {
    const auto q = test::normal_values(48, 8);
    const Cache whole = make_cache(48, 150, 150, true);
    const auto expected = run(kernels.table.attend_f16, whole, q, 13, 149, 0.2F, 0.0F);
    for (const std::int64_t page : {1, 5, 16, 64, 256}) {
      const Cache cut = make_cache(48, 150, page, true);
      EXPECT_EQ(run(kernels.table.attend_f16, cut, q, 13, 149, 0.2F, 0.0F), expected)
          << kernels.isa << " page " << page;
    }
  });
}

TEST(Attend, ANotANumberInAKeyReachesTheOutput) {
  for_each_set([](const Kernels& kernels) {
    Cache cache = make_cache(16, 20, 32, false);
    const float nan = std::nanf("");
    std::memcpy(cache.bytes.data() + (static_cast<const std::byte*>(cache.k_pages[0]) - cache.bytes.data()) +
                    3 * static_cast<std::ptrdiff_t>(cache.row_stride),
                &nan, sizeof nan);
    const auto out = run(kernels.table.attend_f32, cache, test::normal_values(16, 9), 0, 20, 0.25F, 0.0F);
    for (const float v : out) EXPECT_TRUE(std::isnan(v)) << kernels.isa;
  });
}

}  // namespace
}  // namespace tern::kernels
