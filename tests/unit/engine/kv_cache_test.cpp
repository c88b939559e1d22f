// The paged cache: rows found again across page borders, sequences apart, pages given back, the pool's end.
#include "engine/kv_cache.hpp"

#include <gtest/gtest.h>

#include "formats/all.hpp"
#include "kernels/kernels.hpp"
#include "models/all.hpp"
#include "tests/support/gguf_image.hpp"

namespace tern::engine {
namespace {

models::Plan plan_of(std::int64_t n_layers) {
  models::HyperParameters p = test::small_parameters(models::kLlama);
  p.n_layers = n_layers;
  return models::kLlama.plan(p);
}

constexpr std::int64_t kHeads = 2;
constexpr std::int64_t kDim = 16;

// A number that names its place and is exact in fp16.
float value_at(int layer, int sequence, std::int64_t position, std::int64_t i, bool is_key) {
  return static_cast<float>((layer * 701 + sequence * 311 + position * 13 + i * 3 + (is_key ? 1 : 0)) % 2048);
}

void store(KvCache& cache, int layer, int sequence, std::int64_t position) {
  std::vector<float> key(kHeads * kDim);
  std::vector<float> value(kHeads * kDim);
  for (std::int64_t i = 0; i < kHeads * kDim; ++i) {
    key[static_cast<std::size_t>(i)] = value_at(layer, sequence, position, i, true);
    value[static_cast<std::size_t>(i)] = value_at(layer, sequence, position, i, false);
  }
  const kernels::Kernels kernels = kernels::choose("scalar").value();
  for (std::int64_t head = 0; head < kHeads; ++head) {
    const KvCache::Rows rows = cache.rows(layer, sequence, position, head);
    kernels.cache(*cache.formats().keys)->store(key.data() + head * kDim, kDim, rows.key);
    kernels.cache(*cache.formats().values)->store(value.data() + head * kDim, kDim, rows.value);
  }
}

void expect_stored(const KvCache& cache, int layer, int sequence, std::int64_t position) {
  for (std::int64_t head = 0; head < kHeads; ++head) {
    std::vector<const void*> keys;
    std::vector<const void*> values;
    cache.head_pages(layer, sequence, head, keys, values);
    const auto page = static_cast<std::size_t>(position / KvCache::kPagePositions);
    ASSERT_LT(page, keys.size());
    ASSERT_EQ(keys.size(), values.size());
    const auto at = static_cast<std::size_t>(position % KvCache::kPagePositions);
    std::vector<float> key(kDim);
    std::vector<float> value(kDim);
    cache.formats().keys->decode_row(static_cast<const std::byte*>(keys[page]) + at * cache.key_row_bytes(layer), kDim,
                                     1.0F, key.data());
    cache.formats().values->decode_row(static_cast<const std::byte*>(values[page]) + at * cache.value_row_bytes(layer),
                                       kDim, 1.0F, value.data());
    for (std::int64_t i = 0; i < kDim; ++i) {
      ASSERT_EQ(key[static_cast<std::size_t>(i)], value_at(layer, sequence, position, head * kDim + i, true))
          << position;
      ASSERT_EQ(value[static_cast<std::size_t>(i)], value_at(layer, sequence, position, head * kDim + i, false))
          << position;
    }
  }
}

class KvCaches : public testing::TestWithParam<CacheFormats> {};

TEST_P(KvCaches, EveryRowIsFoundAgainInItsSequenceLayerAndPage) {
  KvCache cache(plan_of(3), GetParam(), 2, 300);
  EXPECT_EQ(cache.n_sequences(), 2);
  EXPECT_EQ(cache.bytes_per_position(),
            3U * 32U * static_cast<unsigned>(GetParam().keys->block_bytes + GetParam().values->block_bytes));
  const std::int64_t lengths[] = {130, 65};
  // Grown turn by turn, so that their pages lie interleaved in the pool.
  for (std::int64_t position = 0; position < 130; ++position) {
    for (int s = 0; s < 2; ++s) {
      if (position >= lengths[s]) continue;
      ASSERT_TRUE(cache.extend(s, 1).has_value());
      for (int layer = 0; layer < 3; ++layer) store(cache, layer, s, position);
    }
  }
  for (int s = 0; s < 2; ++s) {
    EXPECT_EQ(cache.length(s), lengths[s]);
    for (std::int64_t position = 0; position < lengths[s]; ++position) {
      for (int layer = 0; layer < 3; ++layer) expect_stored(cache, layer, s, position);
    }
  }
  // Forgetting one sequence leaves the other, and what is left of the first, in place.
  cache.truncate(0, 64);
  EXPECT_EQ(cache.length(0), 64);
  ASSERT_TRUE(cache.extend(1, 70).has_value());
  for (std::int64_t position = 65; position < 135; ++position) store(cache, 1, 1, position);
  for (std::int64_t position = 0; position < 64; ++position) expect_stored(cache, 1, 0, position);
  for (std::int64_t position = 0; position < 135; ++position) expect_stored(cache, 1, 1, position);
}

INSTANTIATE_TEST_SUITE_P(Types, KvCaches,
                         testing::Values(CacheFormats::both(formats::kF16), CacheFormats::both(formats::kF32),
                                         CacheFormats{&formats::kF32, &formats::kF16}));

std::size_t n_pages(const KvCache& cache, int sequence) {
  std::vector<const void*> keys;
  std::vector<const void*> values;
  cache.head_pages(0, sequence, 0, keys, values);
  return keys.size();
}

TEST(KvCache, TakesAPageAtItsFirstPositionAndGivesItBackAtItsLast) {
  KvCache cache(plan_of(1), {}, 1, 200);
  EXPECT_EQ(n_pages(cache, 0), 0U);
  ASSERT_TRUE(cache.extend(0, 63).has_value());
  EXPECT_EQ(n_pages(cache, 0), 1U);
  ASSERT_TRUE(cache.extend(0, 1).has_value());
  EXPECT_EQ(n_pages(cache, 0), 1U) << "64 positions fill one page";
  ASSERT_TRUE(cache.extend(0, 1).has_value());
  EXPECT_EQ(n_pages(cache, 0), 2U);
  cache.truncate(0, 64);
  EXPECT_EQ(n_pages(cache, 0), 1U);
  cache.truncate(0, 1000);
  EXPECT_EQ(cache.length(0), 64) << "truncating never lengthens";
  cache.truncate(0, -5);
  EXPECT_EQ(cache.length(0), 0);
  EXPECT_EQ(n_pages(cache, 0), 0U);
  ASSERT_TRUE(cache.extend(0, 0).has_value());
  EXPECT_EQ(n_pages(cache, 0), 0U);
}

TEST(KvCache, AnEmptyPoolIsAnErrorThatLeavesTheLengthAndPagesCanComeBack) {
  KvCache cache(plan_of(1), {}, 1, 128);
  ASSERT_TRUE(cache.extend(0, 128).has_value());
  const auto full = cache.extend(0, 1);
  ASSERT_FALSE(full);
  EXPECT_EQ(full.error().code, ErrorCode::out_of_memory);
  EXPECT_NE(full.error().message.find("2 pages of 64 positions"), std::string::npos) << full.error().message;
  EXPECT_EQ(cache.length(0), 128);
  cache.truncate(0, 64);
  EXPECT_TRUE(cache.extend(0, 64).has_value());
}

TEST(KvCache, HoldsEverySequenceAtItsFullLengthWhateverTheRemainders) {
  for (const int n_sequences : {1, 2, 3, 7}) {
    for (const std::int64_t n_ctx : {1, 63, 64, 65, 100, 128, 129}) {
      KvCache cache(plan_of(1), {}, n_sequences, n_ctx * n_sequences);
      for (int s = 0; s < n_sequences; ++s)
        ASSERT_TRUE(cache.extend(s, n_ctx).has_value()) << n_sequences << " x " << n_ctx;
    }
  }
}

}  // namespace
}  // namespace tern::engine
