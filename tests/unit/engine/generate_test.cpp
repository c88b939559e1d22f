// Generation: where it stops and why, what it hands over, what it reuses; by a model whose text is known.
#include "engine/generate.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <map>

#include "tests/support/chain_model.hpp"
#include "tests/support/gguf_image.hpp"
#include "tests/support/models.hpp"

namespace tern::engine {
namespace {

using test::chain_model;
using test::token_of;

// "<s>" -> a -> b -> c -> ... -> z -> "</s>"
std::map<std::int32_t, std::int32_t> alphabet() {
  std::map<std::int32_t, std::int32_t> next{{1, token_of('a')}, {token_of('z'), 2}};
  for (unsigned char c = 'a'; c < 'z'; ++c) next[token_of(c)] = token_of(static_cast<unsigned char>(c + 1));
  return next;
}

class Generates : public testing::Test {
 protected:
  void use(const std::map<std::int32_t, std::int32_t>& next) {
    bytes_ = chain_model(next);
    model_ = test::must(Model::make(test::must(test::bound(bytes_))));
  }
  void SetUp() override { use(alphabet()); }
  std::unique_ptr<Session> session(std::int64_t n_ctx = 64) {
    return test::must(Session::make(model_, {.n_threads = 1, .n_ctx = n_ctx, .n_sequences = 1, .n_batch = 4}));
  }
  static GenerateOptions options(std::int64_t n_predict = -1, std::vector<std::string> stop = {}) {
    return {.n_predict = n_predict, .sampler = {.temperature = 0.0F}, .stop = std::move(stop)};
  }
  // Runs and checks that what the sink got is the text.
  GenerateResult run(Session& s, const std::vector<std::int32_t>& history, const GenerateOptions& o) {
    std::string streamed;
    auto result = test::must(generate(s, history, o, [&](std::string_view piece) {
      EXPECT_FALSE(piece.empty());
      streamed += piece;
      pieces_.emplace_back(piece);
      return true;
    }));
    EXPECT_EQ(streamed, result.text);
    return result;
  }

  std::string bytes_;
  std::shared_ptr<const Model> model_;
  std::vector<std::string> pieces_;
};

TEST_F(Generates, TheWholeTextUntilEndOfText) {
  const auto s = session();
  const auto result = run(*s, {1}, options());
  EXPECT_EQ(result.text, "abcdefghijklmnopqrstuvwxyz");
  EXPECT_EQ(result.reason, StopReason::end_of_text);
  EXPECT_EQ(result.ids.size(), 26U) << "the end-of-text token is not in the result";
  EXPECT_EQ(result.n_prompt, 1);
  EXPECT_EQ(pieces_.size(), 26U);
}

TEST_F(Generates, IgnoringEndOfTextGoesOn) {
  auto next = alphabet();
  next[2] = token_of('a');
  use(next);
  auto o = options(30);
  o.ignore_eos = true;
  const auto s = session();
  const auto result = run(*s, {1}, o);
  EXPECT_EQ(result.text, "abcdefghijklmnopqrstuvwxyzabc");
  EXPECT_EQ(result.ids.size(), 30U);
  EXPECT_EQ(result.reason, StopReason::length);
}

TEST_F(Generates, AStopStringAcrossTokensEndsTheTextBeforeIt) {
  const auto s = session();
  const auto result = run(*s, {1}, options(-1, {"xyz", "fgh", "fgz"}));
  EXPECT_EQ(result.text, "abcde");
  EXPECT_EQ(result.reason, StopReason::stop_string);
  EXPECT_EQ(result.ids.size(), 8U);
}

TEST_F(Generates, WhatOnlyBeganLikeAStopStringIsShownAfterAll) {
  const auto s = session();
  const auto result = run(*s, {1}, options(6, {"cdx", "efg"}));
  EXPECT_EQ(result.text, "abcdef") << "the held beginning of efg comes at the end";
  EXPECT_EQ(result.reason, StopReason::length);
  const auto end = run(*s, {1}, options(-1, {"z!"}));
  EXPECT_EQ(end.text, "abcdefghijklmnopqrstuvwxyz");
  EXPECT_EQ(end.reason, StopReason::end_of_text);
  const auto empty = run(*s, {1}, options(3, {""}));
  EXPECT_EQ(empty.text, "abc") << "an empty stop string stops nothing";
}

TEST_F(Generates, AStopStringThatOverlapsItselfIsFound) {
  // x y x y ...: a beginning that fails may hold the beginning that succeeds.
  use({{1, token_of('x')}, {token_of('x'), token_of('y')}, {token_of('y'), token_of('x')}});
  const auto s = session();
  EXPECT_EQ(run(*s, {1}, options(10, {"yxyxx", "xyxyxyxyx"})).text, "");
  EXPECT_EQ(run(*s, {1}, options(10, {"yxyxy"})).text, "x");
}

TEST_F(Generates, NothingWantedComputesThePromptAlone) {
  const auto s = session();
  const auto result = run(*s, {1, token_of('a'), token_of('b')}, options(0));
  EXPECT_EQ(result.text, "");
  EXPECT_EQ(result.reason, StopReason::length);
  EXPECT_EQ(result.n_prompt, 3);
  EXPECT_EQ(s->length(0), 3);
}

TEST_F(Generates, AFullContextStopsAfterTheLastTokenThatCouldBeChosen) {
  const auto s = session(6);
  const auto result = run(*s, {1, token_of('a'), token_of('b')}, options());
  // Three more positions, and the token chosen from the last one.
  EXPECT_EQ(result.text, "cdef");
  EXPECT_EQ(result.reason, StopReason::context_full);
  EXPECT_EQ(s->length(0), 6);
}

TEST_F(Generates, APromptLongerThanTheContextIsRefusedWithBothNumbers) {
  const auto s = session(6);
  const std::vector<std::int32_t> seven(7, 1);
  const auto refused = generate(*s, seven, options(), [](std::string_view) { return true; });
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message,
            "the prompt has 7 tokens but the context holds 6; shorten it or use a larger context (-c)");
  const std::vector<std::int32_t> six(6, 1);
  EXPECT_EQ(run(*s, six, options()).text, "a");
  EXPECT_FALSE(generate(*s, {}, options(), [](std::string_view) { return true; }));
}

TEST_F(Generates, ThePrefixInTheSessionIsNotComputedAgain) {
  const auto s = session();
  const std::vector<std::int32_t> history{1, token_of('a'), token_of('b'), token_of('c')};
  EXPECT_EQ(run(*s, history, options(2)).n_prompt, 4);
  std::vector<std::int32_t> longer = history;
  for (const char c : {'d', 'e', 'f'}) longer.push_back(token_of(static_cast<unsigned char>(c)));
  const auto second = run(*s, longer, options(2));
  EXPECT_EQ(second.n_prompt, 2) << "the session held five: the prompt and the first token of two";
  EXPECT_EQ(second.text, "gh");
  EXPECT_EQ(run(*s, history, options(2)).n_prompt, 1) << "only the last token, for its logits";
  EXPECT_EQ(run(*s, history, options(2)).text, "de");
}

TEST_F(Generates, TheSinkAndTheCallerCanStopIt) {
  const auto s = session();
  int n = 0;
  const auto by_sink =
      test::must(generate(*s, std::vector<std::int32_t>{1}, options(), [&](std::string_view) { return ++n < 3; }));
  EXPECT_EQ(by_sink.reason, StopReason::cancelled);
  EXPECT_EQ(by_sink.text, "abc");
  auto o = options();
  int asked = 0;
  o.cancelled = [&] { return ++asked > 5; };
  const auto by_caller = run(*s, {1}, o);
  EXPECT_EQ(by_caller.reason, StopReason::cancelled);
  EXPECT_LT(by_caller.text.size(), 6U);
  // Between the pieces of a long prompt (the session computes four tokens at once).
  asked = 0;
  o.cancelled = [&] { return ++asked > 1; };
  const auto fresh = session();
  const auto in_prompt = run(*fresh, std::vector<std::int32_t>(30, token_of('q')), o);
  EXPECT_EQ(in_prompt.reason, StopReason::cancelled);
  EXPECT_EQ(in_prompt.n_prompt, 8);
  EXPECT_TRUE(in_prompt.ids.empty());
}

TEST_F(Generates, ACharacterOfSeveralTokensIsHandedOverWhole) {
  use({{1, token_of(0xe2)}, {token_of(0xe2), token_of(0x82)}, {token_of(0x82), token_of(0xac)}, {token_of(0xac), 2}});
  const auto s = session();
  const auto result = run(*s, {1}, options());
  EXPECT_EQ(result.text, "\xe2\x82\xac");
  EXPECT_EQ(pieces_.size(), 1U);
  EXPECT_EQ(run(*s, {1}, options(2)).text, "\xef\xbf\xbd") << "cut in the middle: U+FFFD";
}

TEST_F(Generates, BadSamplerOptionsAreRefusedBeforeAnythingIsComputed) {
  const auto s = session();
  auto o = options();
  o.sampler.top_p = 7.0F;
  EXPECT_FALSE(generate(*s, std::vector<std::int32_t>{1}, o, [](std::string_view) { return true; }));
  EXPECT_EQ(s->length(0), 0);
}

TEST_F(Generates, PromptIdsBeginWithTheTokenTheVocabularyWants) {
  EXPECT_EQ(test::must(prompt_ids(*model_, "ab")), (std::vector<std::int32_t>{1, token_of('a'), token_of('b')}));
  EXPECT_EQ(test::must(prompt_ids(*model_, "")), (std::vector<std::int32_t>{1}));
}

TEST(DamagedModel, EndsGenerationWithOneLineInsteadOfWritingNonsense) {
  test::GgufImage image = test::small_image();
  image.tensor("blk.0.ffn_down.weight").values[5] = std::numeric_limits<float>::quiet_NaN();
  const std::string bytes = image.bytes();
  const auto model = test::must(Model::make(test::must(test::bound(bytes))));
  const auto session = test::must(Session::make(model, {.n_threads = 1, .n_ctx = 16}));
  const auto refused = generate(*session, std::vector<std::int32_t>{1, 70}, {.n_predict = 3, .sampler = {}, .stop = {}},
                                [](std::string_view) { return true; });
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::bad_input);
  EXPECT_NE(refused.error().message.find("weights hold NaN or overflow"), std::string::npos) << refused.error().message;
}

TEST(StopReasons, HaveNames) {
  EXPECT_EQ(stop_reason_name(StopReason::length), "length");
  EXPECT_EQ(stop_reason_name(StopReason::stop_string), "stop");
  EXPECT_EQ(stop_reason_name(StopReason::end_of_text), "end_of_text");
  EXPECT_EQ(stop_reason_name(StopReason::context_full), "context_full");
  EXPECT_EQ(stop_reason_name(StopReason::cancelled), "cancelled");
}

}  // namespace
}  // namespace tern::engine
