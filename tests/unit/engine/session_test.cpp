// What a session refuses, and that a refused batch leaves every sequence as it was.
#include "engine/session.hpp"

#include <gtest/gtest.h>

#include "engine/memory_estimate.hpp"
#include "formats/all.hpp"
#include "tests/support/gguf_image.hpp"
#include "tests/support/models.hpp"

namespace tern::engine {
namespace {

class Sessions : public testing::Test {
 protected:
  void SetUp() override {
    bytes_ = test::small_image().bytes();
    model_ = test::must(Model::make(test::must(test::bound(bytes_)), {.isa = {}, .check_memory = false}));
  }
  std::unique_ptr<Session> session(const SessionOptions& options) { return test::must(Session::make(model_, options)); }
  static std::string refusal(Session& session, const std::vector<BatchItem>& batch) {
    const auto result = session.decode(batch);
    if (result) return "accepted";
    EXPECT_EQ(result.error().code, ErrorCode::usage);
    return result.error().message;
  }

  std::string bytes_;
  std::shared_ptr<const Model> model_;
};

TEST_F(Sessions, TokensPositionsAndSequencesOutOfPlaceAreRefusedAndChangeNothing) {
  const auto s = session({.n_threads = 1, .n_ctx = 8, .n_sequences = 2});
  test::must(s->decode(std::vector<BatchItem>{{1, 0, 0, false}, {2, 1, 0, true}, {3, 0, 1, false}}));
  EXPECT_EQ(refusal(*s, {{259, 2, 0, true}}), "token 259 is outside the vocabulary of 259");
  EXPECT_EQ(refusal(*s, {{-1, 2, 0, true}}), "token -1 is outside the vocabulary of 259");
  EXPECT_EQ(refusal(*s, {{1, 3, 0, true}}), "position 3 does not continue sequence 0, which has 2 tokens");
  EXPECT_EQ(refusal(*s, {{1, 1, 0, true}}), "position 1 does not continue sequence 0, which has 2 tokens");
  EXPECT_EQ(refusal(*s, {{1, 2, 0, true}, {1, 2, 0, true}}),
            "position 2 does not continue sequence 0, which has 3 tokens");
  EXPECT_EQ(refusal(*s, {{1, 0, 2, true}}), "sequence 2 of 2 does not exist");
  EXPECT_EQ(refusal(*s, {{1, 0, -1, true}}), "sequence -1 of 2 does not exist");
  EXPECT_EQ(s->length(0), 2);
  EXPECT_EQ(s->length(1), 1);
  // A bad item late in a batch keeps the good ones before it out as well.
  EXPECT_NE(refusal(*s, {{1, 2, 0, true}, {1, 1, 1, true}, {999, 3, 0, true}}), "accepted");
  EXPECT_EQ(s->length(0), 2);
  EXPECT_EQ(s->length(1), 1);
  test::must(s->decode(std::vector<BatchItem>{{1, 2, 0, true}}));
  EXPECT_EQ(s->length(0), 3);
}

TEST_F(Sessions, AFullContextIsNamedAndLeavesTheSequenceUsable) {
  const auto s = session({.n_threads = 1, .n_ctx = 4});
  std::vector<BatchItem> batch;
  for (std::int32_t i = 0; i < 5; ++i) batch.push_back({i, i, 0, i == 4});
  EXPECT_EQ(refusal(*s, batch), "the text is longer than the context of 4 tokens; use a larger context (-c)");
  EXPECT_EQ(s->length(0), 0);
  batch.pop_back();
  batch.back().want_logits = true;
  test::must(s->decode(batch));
  const std::vector<float> first(s->logits(0).begin(), s->logits(0).end());
  EXPECT_NE(refusal(*s, {{1, 4, 0, true}}), "accepted");
  EXPECT_EQ(s->length(0), 4);
  s->truncate(0, 3);
  test::must(s->decode(std::vector<BatchItem>{batch.back()}));
  EXPECT_EQ(std::vector<float>(s->logits(0).begin(), s->logits(0).end()), first);
}

TEST_F(Sessions, LogitsAreThereForWhatAskedAndInOrder) {
  const auto s = session({.n_threads = 1, .n_ctx = 16, .n_sequences = 1, .n_batch = 2});
  test::must(s->decode(
      std::vector<BatchItem>{{5, 0, 0, true}, {6, 1, 0, false}, {7, 2, 0, true}, {8, 3, 0, false}, {9, 4, 0, true}}));
  ASSERT_EQ(s->n_logits(), 3U);
  const auto all = test::logits_of(model_, {5, 6, 7, 8, 9}, {.n_threads = 1, .n_ctx = 16}, {5});
  for (std::size_t i = 0; i < 3; ++i) {
    const std::vector<float> row(s->logits(i).begin(), s->logits(i).end());
    EXPECT_EQ(row, std::vector<float>(all.begin() + static_cast<std::ptrdiff_t>(2 * i * 259),
                                      all.begin() + static_cast<std::ptrdiff_t>((2 * i + 1) * 259)))
        << i;
  }
  test::must(s->decode(std::vector<BatchItem>{{5, 5, 0, false}}));
  EXPECT_EQ(s->n_logits(), 0U);
  test::must(s->decode({}));
  EXPECT_EQ(s->length(0), 6);
}

TEST_F(Sessions, ImpossibleOptionsAreRefused) {
  const auto message = [&](const SessionOptions& options) {
    const auto made = Session::make(model_, options);
    return made ? std::string("accepted") : made.error().message;
  };
  EXPECT_EQ(message({.n_threads = 0}), "number of threads is 0, expected 1 to 1024");
  EXPECT_EQ(message({.n_threads = 1025}), "number of threads is 1025, expected 1 to 1024");
  EXPECT_NE(message({.n_threads = 1, .n_ctx = -1}).find("must be at least 1"), std::string::npos);
  EXPECT_NE(message({.n_threads = 1, .n_ctx = 8, .n_sequences = 0}).find("must be at least 1"), std::string::npos);
  EXPECT_NE(message({.n_threads = 1, .n_ctx = 8, .n_sequences = 1, .n_batch = 0}).find("must be at least 1"),
            std::string::npos);
  // Numbers whose products would overflow.
  EXPECT_NE(message({.n_threads = 1, .n_ctx = std::int64_t{1} << 62, .n_sequences = 4}).find("must be at most"),
            std::string::npos);
  EXPECT_NE(message({.n_threads = 1, .n_ctx = 1 << 30, .n_sequences = 65537}).find("must be at most"),
            std::string::npos);
  const std::string huge =
      message({.n_threads = 1, .n_ctx = 1 << 30, .n_sequences = 65536, .n_batch = std::int64_t{1} << 62});
  EXPECT_NE(huge.find("a context of 1073741824 tokens x 65536 sequences needs"), std::string::npos) << huge;
  EXPECT_NE(huge.find("use a smaller context (-c)"), std::string::npos);
}

TEST_F(Sessions, ContextZeroIsWhatTheModelWasTrainedWith) {
  EXPECT_EQ(session({.n_threads = 1})->options().n_ctx, 64);
  EXPECT_EQ(session({.n_threads = 1, .n_ctx = 100})->options().n_ctx, 100);
}

TEST_F(Sessions, TheEstimateCountsWhatIsTaken) {
  const auto estimate = estimate_memory(model_->file(), 64, 16, {});
  EXPECT_EQ(estimate.weights, model_->file().weight_bytes());
  EXPECT_EQ(estimate.packed, model_->plan().packed_bytes());
  EXPECT_EQ(estimate.kv, session({.n_threads = 1, .n_ctx = 64})->kv_bytes());
  EXPECT_GE(estimate.buffers, 259U * 4U);
  const std::string ternary = test::small_image("bitnet-b1.58", formats::kF32).bytes();
  const auto bitnet = test::must(Model::make(test::must(test::bound(ternary)), {.isa = {}, .check_memory = false}));
  EXPECT_GT(bitnet->plan().packed_bytes(), 0U) << "ternary values in F32 are packed";
}

TEST_F(Sessions, TwoTypesOfCacheAgreeWithinHalfPrecision) {
  const auto half = test::logits_of(model_, {1, 2, 3, 4, 5},
                                    {.n_threads = 1, .n_ctx = 8, .n_sequences = 1, .n_batch = 8, .cache = {}}, {5});
  const auto full = test::logits_of(
      model_, {1, 2, 3, 4, 5},
      {.n_threads = 1, .n_ctx = 8, .n_sequences = 1, .n_batch = 8, .cache = CacheFormats::both(formats::kF32)}, {5});
  double worst = 0.0;
  double largest = 0.0;
  for (std::size_t i = 0; i < full.size(); ++i) {
    worst = std::max(worst, static_cast<double>(std::fabs(half[i] - full[i])));
    largest = std::max(largest, static_cast<double>(std::fabs(full[i])));
  }
  EXPECT_GT(worst, 0.0);
  EXPECT_LT(worst, largest * 0.01);
}

TEST(Model, WithoutATokenizerRunsAndSaysWhyItCannotRead) {
  test::GgufImage image = test::small_image();
  image.metadata.erase("tokenizer.ggml.model");
  const std::string bytes = image.bytes();
  const auto model = test::must(Model::make(test::must(test::bound(bytes))));
  EXPECT_EQ(model->tokenizer(), nullptr);
  EXPECT_NE(model->tokenizer_error().find("tokenizer.ggml.model is missing"), std::string::npos);
  EXPECT_EQ(test::logits_of(model, {1}, {.n_threads = 1}, {1}).size(), 259U);
}

TEST(Model, ATokenizerWithMoreTokensThanRowsIsNotUsed) {
  test::GgufImage image = test::small_image();
  image.metadata.set("tokenizer.ggml.model", std::string("llama"));
  models::write_vocabulary(test::tiny_vocabulary(260), image.metadata);
  const std::string bytes = image.bytes();
  const auto model = test::must(Model::make(test::must(test::bound(bytes))));
  EXPECT_EQ(model->tokenizer(), nullptr);
  EXPECT_EQ(model->tokenizer_error(), "the tokenizer has 260 tokens but the embedding table only 259 rows");
}

}  // namespace
}  // namespace tern::engine
