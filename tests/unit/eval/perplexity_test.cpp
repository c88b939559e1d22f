// Perplexity of a tiny random model against a plain computation from its logits in double, the counting of chunks, and
// the same bits for any number of threads.
#include "eval/perplexity.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "formats/all.hpp"
#include "tests/support/gguf_image.hpp"
#include "tests/support/models.hpp"

namespace tern::eval {
namespace {

std::string letters(std::size_t n) {
  Random random(3);
  std::string out;
  for (std::size_t i = 0; i < n; ++i) out += static_cast<char>('a' + random.below(26));
  return out;
}

class PerplexityOfATinyModel : public testing::Test {
 protected:
  void SetUp() override {
    bytes_ = test::small_image().bytes();
    model_ = test::must(engine::Model::make(test::must(test::bound(bytes_))));
  }
  PerplexityResult run(const Chunks& chunks, int n_threads = 1, const engine::CacheFormats& cache = {}) {
    Progress quiet;
    return test::must(perplexity(
        model_, chunks, {.n_ctx = chunks.n_ctx, .max_chunks = -1, .n_threads = n_threads, .cache = cache}, quiet));
  }
  std::string bytes_;
  std::shared_ptr<const engine::Model> model_;
};

TEST_F(PerplexityOfATinyModel, EqualsTheDirectComputationFromTheLogits) {
  const std::string text = letters(100);
  const Chunks chunks = test::must(make_chunks(*model_, text, {.n_ctx = 16}));
  EXPECT_EQ(chunks.n_tokens, 101);  // BOS and one token a letter
  EXPECT_EQ(chunks.n_chunks, 6);
  const auto result = run(chunks);
  // By hand: the token stream, its first token of each chunk replaced by BOS, losses of tokens 9 to 15.
  std::vector<double> expected;
  double sum = 0.0;
  for (std::size_t chunk = 0; chunk < 6; ++chunk) {
    std::vector<std::int32_t> ids{1};
    for (std::size_t i = 1; i < 16; ++i) ids.push_back(3 + text[chunk * 16 + i - 1]);
    const auto logits = test::logits_of(model_, ids, {.n_threads = 1, .n_ctx = 16}, {16});
    for (std::size_t i = 8; i < 15; ++i) {
      long double total = 0.0L;
      for (std::size_t v = 0; v < 259; ++v) total += std::exp(static_cast<long double>(logits[i * 259 + v]));
      expected.push_back(static_cast<double>(
          std::log(total) - static_cast<long double>(logits[i * 259 + static_cast<std::size_t>(ids[i + 1])])));
      sum += expected.back();
    }
  }
  ASSERT_EQ(result.nll.size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_NEAR(result.nll[i], expected[i], 1e-6) << i;
  const double n = static_cast<double>(expected.size());
  EXPECT_NEAR(result.perplexity / std::exp(sum / n), 1.0, 1e-6);
  EXPECT_NEAR(result.bits_per_byte, sum / std::log(2.0) / n, 1e-5) << "every scored token is one byte";
  double variance = 0.0;
  for (const double v : expected) variance += (v - sum / n) * (v - sum / n);
  EXPECT_NEAR(result.standard_error / (std::exp(sum / n) * std::sqrt(variance / (n - 1) / n)), 1.0, 1e-6);
}

TEST_F(PerplexityOfATinyModel, OneTwoAndThreeThreadsGiveTheSameBits) {
  const Chunks chunks = test::must(make_chunks(*model_, letters(200), {.n_ctx = 64}));
  const auto one = run(chunks, 1);
  EXPECT_EQ(run(chunks, 2).nll, one.nll);
  EXPECT_EQ(run(chunks, 3).nll, one.nll);
  EXPECT_NE(run(chunks, 1, engine::CacheFormats::both(formats::kF32)).nll, one.nll) << "the cache's type is passed on";
}

TEST_F(PerplexityOfATinyModel, ChunksLongerThanABatchAreThoseOfSmallSteps) {
  const Chunks chunks = test::must(make_chunks(*model_, letters(1300), {.n_ctx = 600, .max_chunks = 1}));
  const auto result = run(chunks);
  const std::vector<std::int32_t> ids(chunks.ids.begin(), chunks.ids.end());
  const auto logits = test::logits_of(model_, ids, {.n_threads = 1, .n_ctx = 600}, {100});
  ASSERT_EQ(result.nll.size(), 299U);
  for (std::size_t i = 300; i < 599; ++i) {
    EXPECT_EQ(result.nll[i - 300], negative_log_likelihood(std::span(logits).subspan(i * 259, 259), ids[i + 1])) << i;
  }
}

TEST_F(PerplexityOfATinyModel, ScoresTheSecondHalfOfEachChunk) {
  const auto scored = [&](std::int64_t n_ctx) {
    const Chunks chunks = test::must(make_chunks(*model_, letters(1100), {.n_ctx = n_ctx}));
    EXPECT_EQ(chunks.scored_bytes.size(), static_cast<std::size_t>(chunks.n_chunks * chunks.n_scored()));
    EXPECT_EQ(chunks.ids.size(), static_cast<std::size_t>(chunks.n_chunks * n_ctx));
    return chunks.n_scored();
  };
  EXPECT_EQ(scored(512), 255);
  EXPECT_EQ(scored(256), 127);
  EXPECT_EQ(scored(5), 2);
  EXPECT_EQ(scored(4), 1);
}

TEST_F(PerplexityOfATinyModel, EveryChunkBeginsWithBosWhereTheVocabularyAddsIt) {
  const std::string text = letters(100);
  const Chunks with = test::must(make_chunks(*model_, text, {.n_ctx = 8}));
  for (std::int64_t chunk = 0; chunk < with.n_chunks; ++chunk)
    EXPECT_EQ(with.ids[static_cast<std::size_t>(chunk * 8)], 1);
  EXPECT_EQ(with.ids[9], 3 + text[8]) << "overwritten, not inserted";
  test::GgufImage image = test::small_image();
  image.metadata.set("tokenizer.ggml.add_bos_token", false);
  const std::string bytes = image.bytes();
  const auto model = test::must(engine::Model::make(test::must(test::bound(bytes))));
  const Chunks without = test::must(make_chunks(*model, text, {.n_ctx = 8}));
  EXPECT_EQ(without.n_tokens, 100);
  EXPECT_EQ(without.ids[0], 3 + text[0]);
  EXPECT_EQ(without.ids[8], 3 + text[8]);
}

TEST_F(PerplexityOfATinyModel, TheChunkIsTheTrainedContextAndTheCountIsLimited) {
  EXPECT_EQ(test::must(make_chunks(*model_, letters(500), {})).n_ctx, 64);
  const Chunks limited = test::must(make_chunks(*model_, letters(500), {.n_ctx = 16, .max_chunks = 3}));
  EXPECT_EQ(limited.n_chunks, 3);
  EXPECT_EQ(limited.n_tokens, 501);
  EXPECT_EQ(test::must(make_chunks(*model_, letters(100), {.n_ctx = 16, .max_chunks = 99})).n_chunks, 6);
}

TEST_F(PerplexityOfATinyModel, TextsTooShortAndChunksTooShortAreRefusedWithTheNumbers) {
  const auto message = [&](std::size_t n, std::int64_t n_ctx) {
    const auto chunks = make_chunks(*model_, letters(n), {.n_ctx = n_ctx});
    return chunks ? std::string("accepted") : chunks.error().message;
  };
  EXPECT_EQ(message(30, 16),
            "the text has 31 tokens, expected at least 32 (two chunks of 16); use a longer text or a smaller -c");
  EXPECT_EQ(message(31, 16), "accepted");
  EXPECT_EQ(message(100, 3), "a chunk of 3 tokens is too short; expected at least 4");
  EXPECT_NE(message(100, std::numeric_limits<std::int64_t>::max()).find("the text has 101 tokens, expected at least"),
            std::string::npos);
}

TEST_F(PerplexityOfATinyModel, CancellingSaysHowFarItCame) {
  struct Stop : Progress {
    bool cancelled() const override { return true; }
  } stop;
  const Chunks chunks = test::must(make_chunks(*model_, letters(100), {.n_ctx = 16}));
  const auto stopped = perplexity(model_, chunks, {.n_ctx = 16}, stop);
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().code, ErrorCode::cancelled);
  EXPECT_EQ(stopped.error().message, "stopped in chunk 1 of 6");
}

TEST(DamagedModel, IsAnErrorThatNamesTheChunk) {
  test::GgufImage image = test::small_image();
  image.tensor("blk.0.ffn_down.weight").values[5] = std::numeric_limits<float>::quiet_NaN();
  const std::string bytes = image.bytes();
  const auto model = test::must(engine::Model::make(test::must(test::bound(bytes))));
  const Chunks chunks = test::must(make_chunks(*model, letters(100), {.n_ctx = 16}));
  Progress quiet;
  const auto refused = perplexity(model, chunks, {.n_ctx = 16}, quiet);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::bad_input);
  EXPECT_NE(refused.error().message.find("a token of chunk 1: its weights hold NaN"), std::string::npos)
      << refused.error().message;
}

TEST(NegativeLogLikelihood, IsThatOfTheSoftmaxHoweverLargeTheLogits) {
  const std::vector<float> logits{1000.0F, 1000.0F + std::log(3.0F), -1e30F};
  EXPECT_NEAR(negative_log_likelihood(logits, 0), std::log(4.0), 1e-4);
  EXPECT_NEAR(negative_log_likelihood(logits, 1), std::log(4.0 / 3.0), 1e-4);
  EXPECT_GT(negative_log_likelihood(logits, 2), 1e29);
  EXPECT_EQ(negative_log_likelihood(std::vector<float>{5.0F}, 0), 0.0);
}

}  // namespace
}  // namespace tern::eval
