// Guessed tokens make generation faster and nothing else: every test compares with the tokens of one step each.
#include "engine/speculation.hpp"

#include <gtest/gtest.h>

#include "base/random.hpp"
#include "engine/conversation.hpp"
#include "engine/generate.hpp"
#include "tests/support/chain_model.hpp"
#include "tests/support/gguf_image.hpp"
#include "tests/support/models.hpp"

namespace tern::engine {
namespace {

using Ids = std::vector<std::int32_t>;

bool on(std::string_view) {
  return true;
}

/// A text of few words that come again and again, as a summary and its source have them.
Ids repetitive_text(std::size_t n) {
  Random random(3);
  Ids ids{1};
  while (ids.size() < n) {
    const auto word = static_cast<std::int32_t>(random.below(5));
    for (std::int32_t i = 0; i < 4; ++i) ids.push_back(60 + 7 * word + i);
  }
  ids.resize(n);
  return ids;
}

class Speculates : public testing::Test {
 protected:
  void SetUp() override {
    bytes_ = test::small_image().bytes();
    model_ = test::must(Model::make(test::must(test::bound(bytes_))));
  }
  std::unique_ptr<Session> session(std::int64_t n_ctx, std::int64_t n_batch = 16) const {
    return test::must(Session::make(model_, {.n_threads = 2, .n_ctx = n_ctx, .n_batch = n_batch}));
  }
  GenerateResult made(Session& s, const Ids& history, GenerateOptions options, std::int64_t n_draft) const {
    options.n_draft = n_draft;
    return test::must(generate(s, history, options, on));
  }

  std::string bytes_;
  std::shared_ptr<const Model> model_;
};

TEST_F(Speculates, GivesTheTokensOfPlainDecodingForEverySampler) {
  // Four letters of which each is followed by one of two: what followed before is right every other time.
  const auto letter = [](char c) { return test::token_of(static_cast<unsigned char>(c)); };
  std::vector<std::pair<std::int32_t, std::int32_t>> next;
  for (const char* pair : {"ab", "ac", "bc", "bd", "cd", "ca", "da", "db"}) {
    next.emplace_back(letter(pair[0]), letter(pair[1]));
  }
  bytes_ = test::chain_model(next);
  model_ = test::must(Model::make(test::must(test::bound(bytes_))));
  const Ids history{1, letter('a'), letter('c'), letter('d'), letter('a'), letter('b'), letter('d')};
  const std::vector<SamplerOptions> samplers{{.temperature = 0.0F},
                                             {.temperature = 0.0F, .repeat_penalty = 1.3F, .repeat_last_n = 5},
                                             {.temperature = 0.7F, .top_k = 2, .seed = 5},
                                             {.temperature = 0.9F, .top_k = 0, .min_p = 0.9F, .seed = 9}};
  for (const SamplerOptions& sampler : samplers) {
    const GenerateOptions options{.n_predict = 90, .sampler = sampler, .stop = {}, .ignore_eos = true};
    const auto plain = made(*session(200), history, options, 0);
    EXPECT_EQ(plain.n_drafted, 0);
    std::int64_t n_accepted = 0;
    std::int64_t n_refused = 0;
    for (const std::int64_t n_draft : {1, 2, 3, 8, 40}) {
      const auto s = session(200);
      const auto drafted = made(*s, history, options, n_draft);
      EXPECT_EQ(drafted.ids, plain.ids) << n_draft << " guesses at temperature " << sampler.temperature;
      EXPECT_EQ(drafted.text, plain.text);
      EXPECT_LE(s->length(0), std::ssize(history) + std::ssize(plain.ids)) << "nothing guessed stays behind";
      n_accepted += drafted.n_accepted;
      n_refused += drafted.n_drafted - drafted.n_accepted;
    }
    EXPECT_GT(n_accepted, 20) << "too few guesses were right: the test shows nothing";
    EXPECT_GT(n_refused, sampler.temperature == 0.0F ? -1 : 20) << "too few guesses were wrong: the test shows nothing";
  }
}

TEST_F(Speculates, LogitsAreThoseOfPlainDecodingBitForBit) {
  const Ids text = repetitive_text(120);
  const auto plain = session(200);
  const auto guessing = session(200);
  const std::size_t n_prompt = 40;
  std::vector<BatchItem> prompt;
  for (std::size_t i = 0; i < n_prompt; ++i) {
    prompt.push_back({text[i], static_cast<std::int32_t>(i), 0, i + 1 == n_prompt});
  }
  test::must(plain->decode(prompt));
  test::must(guessing->decode(prompt));
  Speculation speculation(*guessing, 6);
  // The text goes on as it is written, whatever the model thinks.
  for (std::size_t n = n_prompt + 1; n <= text.size(); ++n) {
    const BatchItem next{text[n - 1], static_cast<std::int32_t>(n - 1), 0, true};
    test::must(plain->decode({&next, 1}));
    test::must(speculation.advance(std::span(text).first(n), std::ssize(text)));
    ASSERT_TRUE(std::ranges::equal(speculation.logits(), plain->logits(0))) << "behind token " << n - 1;
  }
  EXPECT_GT(speculation.n_accepted(), 30);
  EXPECT_LT(speculation.n_accepted(), speculation.n_drafted());
  speculation.finish(std::ssize(text));
  EXPECT_EQ(guessing->length(0), std::ssize(text));
}

TEST_F(Speculates, StopsWherePlainDecodingStops) {
  const Ids history = repetitive_text(40);
  const SamplerOptions greedy{.temperature = 0.0F};
  // The context is full.
  const GenerateOptions endless{.n_predict = -1, .sampler = greedy, .stop = {}, .ignore_eos = true};
  const auto full = made(*session(64), history, endless, 0);
  ASSERT_EQ(full.reason, StopReason::context_full);
  const auto small = session(64);
  const auto full_too = made(*small, history, endless, 8);
  EXPECT_EQ(full_too.ids, full.ids);
  EXPECT_EQ(full_too.reason, full.reason);
  EXPECT_EQ(small->length(0), 64);
  // Every number of tokens, a word of them, and a stop string in the middle of what was guessed.
  for (std::int64_t n = 0; n < 12; ++n) {
    const auto some = made(*session(64), history, {.n_predict = n, .sampler = greedy, .ignore_eos = true}, 8);
    EXPECT_EQ(some.ids, Ids(full.ids.begin(), full.ids.begin() + n));
    EXPECT_EQ(some.reason, StopReason::length);
  }
  const std::string stop = full.text.substr(5, 2);
  const GenerateOptions stopping{.n_predict = -1, .sampler = greedy, .stop = {stop}, .ignore_eos = true};
  const auto stopped = made(*session(64), history, stopping, 0);
  const auto stopped_too = made(*session(64), history, stopping, 8);
  EXPECT_EQ(stopped_too.ids, stopped.ids);
  EXPECT_EQ(stopped_too.text, stopped.text);
  EXPECT_EQ(stopped_too.reason, stopped.reason);
}

TEST_F(Speculates, GuessesLongerThanTheSessionsBatchAreCut) {
  const Ids history = repetitive_text(70);
  const GenerateOptions options{.n_predict = 60, .sampler = {.temperature = 0.0F}, .stop = {}, .ignore_eos = true};
  EXPECT_EQ(made(*session(200, 2), history, options, 12).ids, made(*session(200), history, options, 0).ids);
}

TEST_F(Speculates, AConversationGoesOnAsIfNothingHadBeenGuessed) {
  const auto answers = [&](std::int64_t n_draft) {
    auto conversation = test::must(Conversation::make(session(120), nullptr, ""));
    std::vector<Ids> out;
    for (const char* message : {"the cat the cat the cat", " and the cat the cat", " the cat and"}) {
      out.push_back(
          test::must(conversation.ask(
                         message,
                         {.n_predict = 25, .sampler = {.temperature = 0.0F}, .ignore_eos = true, .n_draft = n_draft},
                         on))
              .result.ids);
    }
    return out;
  };
  EXPECT_EQ(answers(6), answers(0));
}

}  // namespace
}  // namespace tern::engine
