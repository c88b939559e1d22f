// Attention of several queries against one key/value head: against a naive softmax in double precision, and each query
// alone against the same query among others, bit for bit. Rows of the cache in every format that a cache may have.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "formats/all.hpp"
#include "tests/support/kernel_cases.hpp"

namespace tern::kernels {
namespace {

/// Keys and values of consecutive positions in pages that lie in memory in reverse.
struct Cache {
  const formats::Format* format;
  std::int64_t head_dim, n_positions, page_positions;
  std::size_t row_bytes = 0;
  AlignedBuffer bytes = {};
  std::vector<const void*> k_pages = {}, v_pages = {};
  std::vector<float> k = {}, v = {};  // what the pages hold, as floats [n_positions, head_dim]

  [[nodiscard]] std::byte* row(bool key, std::int64_t position) {
    const auto page = static_cast<std::size_t>(position / page_positions);
    const auto offset = static_cast<const std::byte*>((key ? k_pages : v_pages)[page]) - bytes.data();
    return bytes.data() + offset + static_cast<std::size_t>(position % page_positions) * row_bytes;
  }
};

Cache make_cache(const formats::Format& format, std::int64_t head_dim, std::int64_t n_positions,
                 std::int64_t page_positions) {
  Cache cache{&format, head_dim, n_positions, page_positions};
  cache.row_bytes = static_cast<std::size_t>(format.row_bytes(head_dim));
  const std::int64_t n_pages = (n_positions + page_positions - 1) / page_positions;
  const std::size_t page_bytes = cache.row_bytes * static_cast<std::size_t>(page_positions);
  cache.bytes = AlignedBuffer(2 * page_bytes * static_cast<std::size_t>(n_pages));
  for (std::int64_t p = 0; p < n_pages; ++p) {
    const auto at = static_cast<std::size_t>(n_pages - 1 - p) * 2 * page_bytes;
    cache.k_pages.push_back(cache.bytes.data() + at);
    cache.v_pages.push_back(cache.bytes.data() + at + page_bytes);
  }
  const auto values = test::normal_values(2 * n_positions * head_dim, 5);
  std::vector<float> read(static_cast<std::size_t>(head_dim));
  for (std::int64_t p = 0; p < n_positions; ++p) {
    for (const bool key : {true, false}) {
      std::byte* row = cache.row(key, p);
      EXPECT_FALSE(format.encode_row(values.data() + (key ? p : n_positions + p) * head_dim, head_dim, 1.0F, row));
      format.decode_row(row, head_dim, 1.0F, read.data());
      auto& all = key ? cache.k : cache.v;
      all.insert(all.end(), read.begin(), read.end());
    }
  }
  return cache;
}

/// One query and the positions that it sees.
struct Query {
  std::vector<float> q;
  std::int64_t first;
  std::int64_t end;
};

std::vector<std::vector<float>> run(const Kernels& kernels, const Cache& cache, const std::vector<Query>& queries,
                                    float scale, float cap = 0.0F) {
  std::vector<std::vector<float>> outs;
  std::vector<const float*> q;
  std::vector<float*> out;
  std::vector<std::int64_t> first;
  std::vector<std::int64_t> end;
  outs.assign(queries.size(), std::vector<float>(static_cast<std::size_t>(cache.head_dim) + 1, -7.0F));
  for (std::size_t r = 0; r < queries.size(); ++r) {
    q.push_back(queries[r].q.data());
    out.push_back(outs[r].data());
    first.push_back(queries[r].first);
    end.push_back(queries[r].end);
  }
  const auto n = std::ssize(queries);
  const std::size_t n_scratch = attend_scratch(n, cache.head_dim, cache.page_positions);
  AlignedBuffer scratch((n_scratch + 1) * sizeof(float));
  // What scratch memory holds beforehand must not matter, and what lies behind it stays.
  for (std::size_t i = 0; i <= n_scratch; ++i) scratch.as<float>()[i] = std::nanf("");
  scratch.as<float>()[n_scratch] = 42.0F;
  const Kernels::Cache* rows = kernels.cache(*cache.format);
  kernels.table.attend({.q = q.data(),
                        .out = out.data(),
                        .n_queries = n,
                        .first = first.data(),
                        .end = end.data(),
                        .k_pages = cache.k_pages.data(),
                        .v_pages = cache.v_pages.data(),
                        .load_keys = rows->load,
                        .load_values = rows->load,
                        .k_halves = rows->halves,
                        .v_halves = rows->halves,
                        .k_row_bytes = cache.row_bytes,
                        .v_row_bytes = cache.row_bytes,
                        .page_positions = cache.page_positions,
                        .head_dim = cache.head_dim,
                        .scale = scale,
                        .soft_cap = cap,
                        .scratch = scratch.as<float>()});
  EXPECT_EQ(scratch.as<float>()[n_scratch], 42.0F) << "wrote beyond its scratch memory";
  for (auto& one : outs) {
    EXPECT_EQ(one.back(), -7.0F) << "wrote beyond the head";
    one.pop_back();
  }
  return outs;
}

std::vector<double> naive(const Cache& cache, const Query& query, double scale, double cap) {
  std::vector<double> weights;
  double sum = 0.0;
  for (std::int64_t p = query.first; p < query.end; ++p) {
    double score = 0.0;
    for (std::int64_t d = 0; d < cache.head_dim; ++d) {
      score += static_cast<double>(query.q[static_cast<std::size_t>(d)]) *
               static_cast<double>(cache.k[static_cast<std::size_t>(p * cache.head_dim + d)]);
    }
    score *= scale;
    if (cap != 0.0) score = cap * std::tanh(score / cap);
    weights.push_back(std::exp(score));
    sum += weights.back();
  }
  std::vector<double> out(static_cast<std::size_t>(cache.head_dim));
  for (std::int64_t p = query.first; p < query.end; ++p) {
    for (std::int64_t d = 0; d < cache.head_dim; ++d) {
      out[static_cast<std::size_t>(d)] +=
          weights[static_cast<std::size_t>(p - query.first)] / sum *
          static_cast<double>(cache.v[static_cast<std::size_t>(p * cache.head_dim + d)]);
    }
  }
  return out;
}

template <class Check>
void for_each_set(Check check) {
  for (const Kernels& kernels : test::sets_of_this_machine()) {
    SCOPED_TRACE(kernels.isa);
    check(kernels);
  }
}

TEST(Attend, AgreesWithASoftmaxInDoublePrecision) {
  for_each_set([](const Kernels& kernels) {
    for (const Kernels::Cache& kept : kernels.caches) {
      for (const std::int64_t head_dim : {8, 20, 48, 64, 80, 128}) {
        if (!kept.format->fits_row(head_dim)) continue;
        const Cache cache = make_cache(*kept.format, head_dim, 150, 32);
        const float scale = 1.0F / std::sqrt(static_cast<float>(head_dim));
        std::vector<Query> queries;
        for (const std::int64_t n : {1, 2, 7, 8, 9, 31, 32, 33, 64, 150}) {
          for (const std::int64_t first : {std::int64_t{0}, n / 2, n - 1})
            queries.push_back({test::normal_values(head_dim, 6 + queries.size()), first, n});
        }
        for (const float cap : {0.0F, 0.8F, 30.0F}) {
          const auto got = run(kernels, cache, queries, scale, cap);
          for (std::size_t r = 0; r < queries.size(); ++r) {
            const auto expected = naive(cache, queries[r], static_cast<double>(scale), static_cast<double>(cap));
            for (std::size_t d = 0; d < expected.size(); ++d) {
              // Scores of magnitude below 8 carry an error below 2^-20, weights the same relatively; values are below
              // 5.
              ASSERT_NEAR(got[r][d], expected[d], 5.0 * 0x1p-19)
                  << kept.format->name << " head " << head_dim << " positions " << queries[r].first << ".."
                  << queries[r].end << " cap " << cap;
            }
          }
        }
      }
    }
  });
}

TEST(Attend, AQueryAmongOthersGetsTheBitsThatItGetsAlone) {
  for_each_set([](const Kernels& kernels) {
    const Cache cache = make_cache(formats::kF16, 80, 200, 64);
    std::vector<Query> queries;
    // Neighbouring tokens, sliding windows, a query that begins where its neighbour ends, one that sees everything.
    for (std::int64_t i = 0; i < 7; ++i) queries.push_back({test::normal_values(80, 20 + queries.size()), 0, 60 + i});
    for (std::int64_t i = 0; i < 5; ++i)
      queries.push_back({test::normal_values(80, 20 + queries.size()), 90 + i, 140 + i});
    queries.push_back({test::normal_values(80, 50), 10, 20});
    queries.push_back({test::normal_values(80, 51), 20, 21});
    queries.push_back({test::normal_values(80, 52), 130, 190});
    queries.push_back({test::normal_values(80, 53), 0, 200});
    const auto together = run(kernels, cache, queries, 0.2F);
    for (std::size_t r = 0; r < queries.size(); ++r) {
      EXPECT_EQ(run(kernels, cache, {queries[r]}, 0.2F).front(), together[r]) << r;
    }
    std::vector<Query> reversed(queries.rbegin(), queries.rend());
    auto backwards = run(kernels, cache, reversed, 0.2F);
    std::ranges::reverse(backwards);
    EXPECT_EQ(backwards, together);
  });
}

// The heads that share keys and values, with one token: up to four read fp16 numbers where they lie.
TEST(Attend, HeadsThatShareKeysGetTheBitsThatTheyGetAlone) {
  for_each_set([](const Kernels& kernels) {
    for (const std::int64_t head_dim : {16, 48, 64, 96, 128}) {
      const Cache cache = make_cache(formats::kF16, head_dim, 200, 64);
      for (const auto& [first, end] : {std::pair<std::int64_t, std::int64_t>{0, 64}, {0, 200}, {37, 143}, {5, 6}}) {
        std::vector<Query> queries;
        for (std::uint64_t i = 0; i < 9; ++i) queries.push_back({test::normal_values(head_dim, 70 + i), first, end});
        const auto all = run(kernels, cache, queries, 0.2F);
        for (std::size_t n = 1; n < queries.size(); ++n) {
          const auto some =
              run(kernels, cache, {queries.begin(), queries.begin() + static_cast<std::ptrdiff_t>(n)}, 0.2F);
          for (std::size_t r = 0; r < n; ++r) EXPECT_EQ(some[r], all[r]) << r << " of " << n << ", head " << head_dim;
        }
        for (std::size_t r : {0, 4, 8}) {
          const auto expected = naive(cache, queries[r], 0.2, 0.0);
          for (std::size_t d = 0; d < expected.size(); ++d) ASSERT_NEAR(all[r][d], expected[d], 5.0 * 0x1p-18);
        }
      }
    }
  });
}

// Wider registers hold more places and elements, but every sum keeps its lanes and its order.
TEST(Attend, Avx512GivesTheBitsOfAvx2) {
  const auto features = sys::cpu_features();
  for (const Isa& isa : all_isas()) {
    if (isa.name == "avx512vnni" && !isa.supported(features)) GTEST_SKIP() << "SKIPPED: this processor has no AVX-512";
  }
  const Kernels narrow = choose("avx2").value();
  const Kernels wide = choose("avx512vnni").value();
  ASSERT_NE(wide.table.attend, narrow.table.attend);
  for (const std::int64_t head_dim : {8, 20, 48, 64, 80, 96, 128, 160}) {
    const Cache cache = make_cache(formats::kF16, head_dim, 300, 64);
    std::vector<Query> queries;
    for (std::int64_t i = 0; i < 33; ++i)
      queries.push_back({test::normal_values(head_dim, 60 + queries.size()), i < 20 ? 0 : 3 * i, 250 + i});
    queries.push_back({test::normal_values(head_dim, 50), 10, 20});
    queries.push_back({test::normal_values(head_dim, 51), 130, 190});
    for (const std::size_t n : {1, 2, 3, 4, 7, 8, 35}) {
      const std::vector<Query> some(queries.end() - static_cast<std::ptrdiff_t>(n), queries.end());
      for (const float cap : {0.0F, 20.0F}) {
        EXPECT_EQ(run(wide, cache, some, 0.11F, cap), run(narrow, cache, some, 0.11F, cap))
            << n << " queries, head " << head_dim << ", cap " << cap;
      }
    }
  }
}

TEST(Attend, WhatIsNotSeenHasNoEffectWhateverItIs) {
  for_each_set([](const Kernels& kernels) {
    Cache cache = make_cache(formats::kF32, 64, 130, 64);
    const std::vector<Query> queries{{test::normal_values(64, 30), 0, 50},
                                     {test::normal_values(64, 31), 0, 51},
                                     {test::normal_values(64, 32), 40, 51}};
    const auto before = run(kernels, cache, queries, 0.2F);
    std::vector<float> poison(64, std::numeric_limits<float>::infinity());
    poison[3] = std::nanf("");
    for (std::int64_t p = 51; p < 130; ++p) {
      for (const bool key : {true, false}) std::memcpy(cache.row(key, p), poison.data(), 64 * sizeof(float));
    }
    EXPECT_EQ(run(kernels, cache, queries, 0.2F), before);
    // The position that only the second and third see.
    for (const bool key : {true, false}) std::memcpy(cache.row(key, 50), poison.data(), 64 * sizeof(float));
    const auto after = run(kernels, cache, queries, 0.2F);
    EXPECT_EQ(after[0], before[0]);
    EXPECT_TRUE(std::isnan(after[1][0]) && std::isnan(after[2][0]));
  });
}

TEST(Attend, LargeScoresNeitherOverflowNorVanish) {
  for_each_set([](const Kernels& kernels) {
    const Cache cache = make_cache(formats::kF16, 64, 40, 16);
    const auto q = test::normal_values(64, 7, 40.0);
    const auto got = run(kernels, cache, {{q, 0, 40}}, 1.0F).front();
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

TEST(Attend, ANotANumberInAKeyReachesTheOutput) {
  for_each_set([](const Kernels& kernels) {
    Cache cache = make_cache(formats::kF32, 16, 20, 32);
    const float nan = std::nanf("");
    std::memcpy(cache.row(true, 3), &nan, sizeof nan);
    const auto out = run(kernels, cache, {{test::normal_values(16, 9), 0, 20}}, 0.25F).front();
    for (const float v : out) EXPECT_TRUE(std::isnan(v));
  });
}

TEST(CacheRows, AreStoredAsTheFormatsEncodersDoAndLoadedWithZerosBehind) {
  for_each_set([](const Kernels& kernels) {
    for (const Kernels::Cache& kept : kernels.caches) {
      SCOPED_TRACE(kept.format->name);
      for (const std::int64_t n : {32, 64, 96, 128, 72, 20}) {
        if (!kept.format->fits_row(n)) continue;
        const auto row_bytes = static_cast<std::size_t>(kept.format->row_bytes(n));
        for (const double scale : {1.0, 1e-4, 100.0}) {
          const auto values = test::normal_values(3 * n, 11, scale);
          std::vector<std::byte> got(3 * row_bytes);
          std::vector<std::byte> expected(3 * row_bytes);
          std::vector<float> decoded(static_cast<std::size_t>(3 * n));
          for (std::size_t i = 0; i < 3; ++i) {
            const float* from = values.data() + static_cast<std::int64_t>(i) * n;
            kept.store(from, n, got.data() + i * row_bytes);
            ASSERT_FALSE(kept.format->encode_row(from, n, 1.0F, expected.data() + i * row_bytes));
          }
          ASSERT_EQ(got, expected) << n << " values of scale " << scale;
          std::vector<float> loaded(static_cast<std::size_t>(3 * (n + 16)), -1.0F);
          kept.load(got.data(), row_bytes, 3, n, n + 16, loaded.data());
          for (std::int64_t i = 0; i < 3; ++i) {
            kept.format->decode_row(got.data() + static_cast<std::size_t>(i) * row_bytes, n, 1.0F, decoded.data());
            for (std::int64_t d = 0; d < n + 16; ++d) {
              ASSERT_EQ(loaded[static_cast<std::size_t>(i * (n + 16) + d)],
                        d < n ? decoded[static_cast<std::size_t>(d)] : 0.0F);
            }
          }
        }
      }
    }
  });
}

TEST(CacheRows, WhatCannotBeStoredIsReadBackAsNotFinite) {
  for_each_set([](const Kernels& kernels) {
    for (const Kernels::Cache& kept : kernels.caches) {
      for (const float bad : {std::nanf(""), std::numeric_limits<float>::infinity(), 1e30F}) {
        if (kept.format == &formats::kF32 && bad == 1e30F) continue;
        auto values = test::normal_values(64, 12);
        values[40] = bad;
        std::vector<std::byte> row(static_cast<std::size_t>(kept.format->row_bytes(64)));
        kept.store(values.data(), 64, row.data());
        std::vector<float> loaded(64);
        kept.load(row.data(), row.size(), 1, 64, 64, loaded.data());
        EXPECT_FALSE(std::isfinite(loaded[40])) << kept.format->name << " " << bad;
        EXPECT_TRUE(std::isfinite(loaded[0])) << kept.format->name;
      }
    }
  });
}

}  // namespace
}  // namespace tern::kernels
