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
    const auto plain_session = session(200);
    const auto plain = made(*plain_session, history, options, 0);
    EXPECT_EQ(plain.n_drafted, 0);
    std::int64_t n_accepted = 0;
    std::int64_t n_refused = 0;
    for (const std::int64_t n_draft : {1, 2, 3, 8, 40}) {
      const auto s = session(200);
      const auto drafted = made(*s, history, options, n_draft);
      EXPECT_EQ(drafted.ids, plain.ids) << n_draft << " guesses at temperature " << sampler.temperature;
      EXPECT_EQ(drafted.text, plain.text);
      EXPECT_EQ(s->length(0), plain_session->length(0)) << "what was guessed stays behind";
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
  speculation.finish();
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
  EXPECT_GT(full_too.n_drafted, 0);
  // Every number of tokens.
  for (std::int64_t n = 0; n < 12; ++n) {
    const auto some = made(*session(64), history, {.n_predict = n, .sampler = greedy, .ignore_eos = true}, 8);
    EXPECT_EQ(some.ids, Ids(full.ids.begin(), full.ids.begin() + n));
    EXPECT_EQ(some.reason, StopReason::length);
  }
}

// Whatever ends a text, the session then holds what plain decoding leaves in it, and goes on from there in the same
// way: nothing of a guess that was wrong, or not looked at, may stay.
TEST_F(Speculates, WhateverEndsATextLeavesTheSessionAsPlainDecodingDoes) {
  const Ids history = repetitive_text(40);
  const GenerateOptions options{
      .n_predict = 30, .sampler = {.temperature = 0.0F, .repeat_penalty = 1.02F}, .stop = {}, .ignore_eos = true};
  const auto whole = made(*session(200), history, options, 0);
  std::int64_t n_drafted = 0;
  const auto compare = [&](const auto& ended) {
    const auto plain = session(200);
    const auto guessing = session(200);
    const GenerateResult want = ended(*plain, 0);
    const GenerateResult got = ended(*guessing, 8);
    n_drafted += got.n_drafted;
    EXPECT_EQ(got.ids, want.ids);
    EXPECT_EQ(got.text, want.text);
    EXPECT_EQ(got.reason, want.reason);
    ASSERT_EQ(guessing->length(0), plain->length(0));
    Ids more = history;
    more.insert(more.end(), want.ids.begin(), want.ids.end());
    more.insert(more.end(), {61, 62, 70});
    EXPECT_EQ(made(*guessing, more, options, 0).ids, made(*plain, more, options, 0).ids);
    for (std::size_t i = 0; i < guessing->logits(0).size(); ++i) {
      ASSERT_EQ(guessing->logits(0)[i], plain->logits(0)[i]) << i;
    }
  };
  for (std::size_t at = 1; at + 2 < whole.text.size(); at += 2) {
    SCOPED_TRACE("a stop text at " + std::to_string(at));
    compare([&](Session& s, std::int64_t n_draft) {
      GenerateOptions stopping = options;
      stopping.stop = {whole.text.substr(at, 2)};
      return made(s, history, stopping, n_draft);
    });
  }
  for (int after = 1; after < 20; ++after) {
    SCOPED_TRACE("a reader who leaves after " + std::to_string(after));
    compare([&](Session& s, std::int64_t n_draft) {
      GenerateOptions leaving = options;
      leaving.n_draft = n_draft;
      int n = 0;
      return test::must(generate(s, history, leaving, [&](std::string_view) { return ++n < after; }));
    });
  }
  EXPECT_GT(n_drafted, 100) << "too few guesses: the test shows nothing";
}

TEST_F(Speculates, GuessesLongerThanTheSessionsBatchAreCut) {
  const Ids history = repetitive_text(70);
  const GenerateOptions options{.n_predict = 60, .sampler = {.temperature = 0.0F}, .stop = {}, .ignore_eos = true};
  const auto cut = made(*session(200, 2), history, options, 12);
  EXPECT_EQ(cut.ids, made(*session(200), history, options, 0).ids);
  EXPECT_GT(cut.n_drafted, 12);
}

TEST_F(Speculates, AConversationGoesOnAsIfNothingHadBeenGuessed) {
  std::int64_t n_drafted = 0;
  const auto answers = [&](std::int64_t n_draft, const std::string& stop) {
    auto conversation = test::must(Conversation::make(session(160), nullptr, ""));
    std::vector<Ids> out;
    for (const char* message : {"the cat the cat the cat", " and the cat the cat", " the cat and"}) {
      const auto answer = test::must(conversation.ask(message,
                                                      {.n_predict = 25,
                                                       .sampler = {.temperature = 0.0F, .repeat_penalty = 1.02F},
                                                       .stop = {stop},
                                                       .ignore_eos = true,
                                                       .n_draft = n_draft},
                                                      on));
      n_drafted += answer.result.n_drafted;
      out.push_back(answer.result.ids);
    }
    return out;
  };
  for (const char* stop : {"", "e", "a", "t"}) EXPECT_EQ(answers(6, stop), answers(0, stop)) << stop;
  EXPECT_GT(n_drafted, 0);
}

}  // namespace
}  // namespace tern::engine
