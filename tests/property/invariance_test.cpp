// Within one instruction set the logits of a token depend on its sequence's tokens alone: not on threads, not on how
// the prompt was split into batches, not on what else is in the batch. Bit for bit.
#include <gtest/gtest.h>

#include <cstring>

#include "base/random.hpp"
#include "formats/all.hpp"
#include "sys/page_arena.hpp"
#include "tests/support/kernel_cases.hpp"
#include "tests/support/models.hpp"
#include "tests/support/tiny_model.hpp"

namespace tern::test {
namespace {

std::vector<std::int32_t> random_ids(std::size_t n, std::int64_t n_vocab, std::uint64_t seed) {
  Random random(seed);
  std::vector<std::int32_t> ids;
  for (std::size_t i = 0; i < n; ++i)
    ids.push_back(static_cast<std::int32_t>(random.below(static_cast<std::uint64_t>(n_vocab))));
  return ids;
}

bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

struct Case {
  const char* name;
  TinyModel model;
};

void PrintTo(const Case& c, std::ostream* out) {
  *out << c.name;
}

/// Each set has ways of its own to take few and many tokens.
std::vector<std::string> set_names() {
  std::vector<std::string> names;
  for (const kernels::Kernels& kernels : sets_of_this_machine()) names.emplace_back(kernels.isa);
  return names;
}

class Invariance : public testing::TestWithParam<std::tuple<Case, std::string>> {
 protected:
  void SetUp() override {
    const auto& [c, isa] = GetParam();
    model_ = load(write_tiny_model(folder_, c.model), isa);
    ids_ = random_ids(150, model_->parameters().n_vocab, 7);
  }
  engine::SessionOptions options(int n_threads) const {
    return {.n_threads = n_threads, .n_ctx = 256, .n_sequences = 1, .n_batch = 64};
  }

  TemporaryFolder folder_;
  std::shared_ptr<const engine::Model> model_;
  std::vector<std::int32_t> ids_;
};

TEST_P(Invariance, OneTwoAndThreeThreadsGiveTheSameBits) {
  const auto one = logits_of(model_, ids_, options(1), {ids_.size()});
  EXPECT_TRUE(same_bits(one, logits_of(model_, ids_, options(2), {ids_.size()})));
  EXPECT_TRUE(same_bits(one, logits_of(model_, ids_, options(3), {ids_.size()})));
}

TEST_P(Invariance, EverySplitOfThePromptGivesTheSameBits) {
  const auto whole = logits_of(model_, ids_, options(1), {ids_.size()});
  const std::vector<std::vector<std::size_t>> splits{{1}, {2}, {3}, {5}, {63, 1, 64}, {7, 100, 1}, {64, 64}, {149, 1}};
  for (const auto& split : splits) {
    EXPECT_TRUE(same_bits(whole, logits_of(model_, ids_, options(2), split))) << "first batch " << split.front();
  }
  auto small = options(2);
  small.n_batch = 9;
  EXPECT_TRUE(same_bits(whole, logits_of(model_, ids_, small, {ids_.size()})));
}

TEST_P(Invariance, OtherSequencesInTheBatchLeaveNoTrace) {
  const auto alone = logits_of(model_, ids_, options(1), {ids_.size()});
  const auto n_vocab = static_cast<std::size_t>(model_->plan().n_vocab());
  auto session = must(engine::Session::make(model_, {.n_threads = 2, .n_ctx = 256, .n_sequences = 3, .n_batch = 50}));
  // Sequence 1 is ours; 0 and 2 run beside it with other texts and at other speeds.
  const auto other = random_ids(256, model_->parameters().n_vocab, 8);
  std::size_t at0 = 0;
  std::size_t at2 = 0;
  std::vector<float> got;
  for (std::size_t i = 0; i < ids_.size(); i += 10) {
    std::vector<engine::BatchItem> batch;
    for (int k = 0; k < 3; ++k, ++at0) batch.push_back({other[at0], static_cast<std::int32_t>(at0), 0, false});
    const std::size_t end = std::min(i + 10, ids_.size());
    for (std::size_t t = i; t < end; ++t) {
      batch.push_back({ids_[t], static_cast<std::int32_t>(t), 1, true});
      batch.push_back({other[255 - at2], static_cast<std::int32_t>(at2), 2, false});
      ++at2;
    }
    must(session->decode(batch));
    for (std::size_t t = i; t < end; ++t) {
      const auto row = session->logits(t - i);
      got.insert(got.end(), row.begin(), row.end());
    }
  }
  ASSERT_EQ(got.size(), ids_.size() * n_vocab);
  EXPECT_TRUE(same_bits(alone, got));
}

TEST_P(Invariance, ForgettingAndRecomputingGivesTheSameBits) {
  auto session = must(engine::Session::make(model_, options(2)));
  std::vector<engine::BatchItem> batch;
  for (std::size_t i = 0; i < ids_.size(); ++i)
    batch.push_back({ids_[i], static_cast<std::int32_t>(i), 0, i + 1 == ids_.size()});
  must(session->decode(batch));
  const std::vector<float> first(session->logits(0).begin(), session->logits(0).end());
  session->truncate(0, 70);
  const std::vector<engine::BatchItem> wrong{{1, 70, 0, false}, {2, 71, 0, false}};
  must(session->decode(wrong));
  session->truncate(0, 70);
  must(session->decode(std::span(batch).subspan(70)));
  const std::vector<float> second(session->logits(0).begin(), session->logits(0).end());
  EXPECT_TRUE(same_bits(first, second));
}

TEST_P(Invariance, WhereWeightsLieLeavesNoTrace) {
  if (!sys::PageArena::kernel_has_huge_pages()) GTEST_SKIP() << "this kernel gives no 2 MiB pages";
  const auto& [c, isa] = GetParam();
  const auto moved = must(engine::Model::load(write_tiny_model(folder_, c.model),
                                              {.isa = isa, .pages = engine::Pages::huge, .n_threads = 3}));
  ASSERT_GT(moved->plan().weights().taken_bytes(), 0U);
  for (const auto& split : std::vector<std::vector<std::size_t>>{{150}, {1}}) {
    EXPECT_TRUE(same_bits(logits_of(model_, ids_, options(2), split), logits_of(moved, ids_, options(2), split)));
  }
}

TEST_P(Invariance, EveryKindOfCacheGivesTheSameBitsHoweverItIsFilled) {
  for (const formats::Format* format : {&formats::kQ8_0, &formats::kQ4_0}) {
    auto of_format = options(1);
    of_format.cache = {.keys = format, .values = &formats::kF16};
    const auto whole = logits_of(model_, ids_, of_format, {ids_.size()});
    of_format.n_threads = 2;
    EXPECT_TRUE(same_bits(whole, logits_of(model_, ids_, of_format, {1}))) << format->name;
    EXPECT_TRUE(same_bits(whole, logits_of(model_, ids_, of_format, {63, 1, 64}))) << format->name;
    EXPECT_FALSE(same_bits(whole, logits_of(model_, ids_, options(1), {ids_.size()}))) << "the format is used";
  }
}

INSTANTIATE_TEST_SUITE_P(
    Models, Invariance,
    testing::Combine(testing::Values(Case{"llama_f16", {.architecture = "llama", .format = "F16"}},
                                     Case{"llama_q4_k", {.architecture = "llama", .format = "Q4_K"}},
                                     Case{"llama_q8_0", {.architecture = "llama", .format = "Q8_0"}},
                                     Case{"llama_tq2_0", {.architecture = "llama", .format = "TQ2_0"}},
                                     Case{"bitnet_i2_s", {.architecture = "bitnet-b1.58", .format = "I2_S"}},
                                     Case{"bitnet_q1_0", {.architecture = "bitnet-b1.58", .format = "Q1_0"}},
                                     Case{"bitnet_q6_k", {.architecture = "bitnet-b1.58", .format = "Q6_K"}}),
                     testing::ValuesIn(set_names())));

}  // namespace
}  // namespace tern::test
