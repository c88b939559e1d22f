// Conversations: what is remembered, what is forgotten when the context is full, and that the cache changes nothing.
#include "engine/conversation.hpp"

#include <gtest/gtest.h>

#include "tests/support/models.hpp"
#include "tests/support/tiny_checkpoint.hpp"

namespace tern::engine {
namespace {

class Conversations : public testing::Test {
 protected:
  void SetUp() override {
    test::write_tiny_checkpoint(folder_.file("tiny.bin"));
    test::write_tiny_tokenizer(folder_.file("t.bin"));
    model_ = test::load(test::converted(folder_, folder_.file("tiny.bin"), "tiny", "", folder_.file("t.bin")));
  }

  Conversation conversation(std::int64_t n_ctx, const text::ChatFormat* format = nullptr, std::string system = {}) {
    return test::must(Conversation::make(test::must(Session::make(model_, {.n_threads = 1, .n_ctx = n_ctx})), format,
                                         std::move(system)));
  }

  static GenerateOptions options(std::int64_t n_predict) {
    GenerateOptions out{.n_predict = n_predict, .sampler = {.temperature = 0.0F}, .stop = {}, .ignore_eos = true};
    return out;
  }

  static bool show(std::string_view) { return true; }

  test::TemporaryFolder folder_;
  std::shared_ptr<const Model> model_;
};

const text::ChatFormat* chatml() {
  return text::recognise_chat_format("<|im_start|><|im_end|>");
}

TEST_F(Conversations, TheSecondAnswerIsWhatTheWholeTextWouldGive) {
  Conversation talk = conversation(128);
  const auto first = test::must(talk.ask("the cat", options(12), show));
  const auto second = test::must(talk.ask(" on the", options(12), show));
  // The same by hand, in one prompt and a fresh session.
  std::vector<std::int32_t> ids = test::must(prompt_ids(*model_, "the cat"));
  ids.insert(ids.end(), first.result.ids.begin(), first.result.ids.end());
  const auto more = test::must(model_->tokenizer()->encode(" on the"));
  ids.insert(ids.end(), more.begin(), more.end());
  auto session = test::must(Session::make(model_, {.n_threads = 1, .n_ctx = 128}));
  const auto expected = test::must(generate(*session, ids, options(12), show));
  EXPECT_EQ(second.result.ids, expected.ids);
  EXPECT_LT(second.result.n_prompt, expected.n_prompt) << "the cache of the first turn was not used";
  EXPECT_EQ(talk.n_turns(), 2U);
}

TEST_F(Conversations, ForgetsTheOldestTurnsWhenTheContextIsFullAndSaysSo) {
  for (const text::ChatFormat* format : {static_cast<const text::ChatFormat*>(nullptr), chatml()}) {
    Conversation talk = conversation(128, format, "be on the side");
    std::size_t dropped = 0;
    for (int i = 0; i < 12; ++i) {
      const auto answer = test::must(talk.ask("the cat is at the door", options(10), show));
      dropped += answer.n_turns_dropped;
      EXPECT_EQ(answer.result.ids.size(), 10U);
      EXPECT_LE(talk.n_tokens(), 129);
    }
    EXPECT_GT(dropped, 0U);
    EXPECT_EQ(talk.n_turns() + dropped, 12U);
  }
}

TEST_F(Conversations, AnAnswerThatMeetsTheEndOfTheContextGoesOnWithFewerTurns) {
  Conversation talk = conversation(64);
  test::must(talk.ask("the cat", options(8), show));
  const auto answer = test::must(talk.ask("on the", options(58), show));
  EXPECT_EQ(answer.n_turns_dropped, 1U);
  EXPECT_EQ(answer.result.ids.size(), 58U);
  const auto alone = test::must(talk.ask("a", options(-1), show));
  EXPECT_EQ(alone.result.reason, StopReason::context_full);
}

TEST_F(Conversations, AMessageLongerThanTheContextIsRefusedAndNothingIsLost) {
  Conversation talk = conversation(64);
  test::must(talk.ask("the cat", options(4), show));
  const auto before = talk.n_tokens();
  const auto refused = talk.ask(std::string(1000, 'q'), options(4), show);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::bad_input);
  EXPECT_NE(refused.error().message.find("the context has room for"), std::string::npos) << refused.error().message;
  EXPECT_EQ(talk.n_tokens(), before);
  EXPECT_TRUE(talk.ask("on", options(4), show).has_value());
}

TEST_F(Conversations, AfterResetTheFirstAnswerComesAgain) {
  Conversation talk = conversation(128, chatml());
  const auto first = test::must(talk.ask("the cat", options(8), show));
  test::must(talk.ask("again", options(8), show));
  talk.reset();
  EXPECT_EQ(talk.n_turns(), 0U);
  EXPECT_EQ(test::must(talk.ask("the cat", options(8), show)).result.ids, first.result.ids);
}

TEST_F(Conversations, AStoppedAnswerStaysAsFarAsItWasGiven) {
  Conversation talk = conversation(128);
  GenerateOptions stopped = options(40);
  int asked = 0;
  stopped.cancelled = [&] { return ++asked > 6; };
  const auto answer = test::must(talk.ask("the cat", stopped, show));
  EXPECT_EQ(answer.result.reason, StopReason::cancelled);
  EXPECT_GT(answer.result.ids.size(), 0U);
  EXPECT_LT(answer.result.ids.size(), 40U);
  EXPECT_TRUE(talk.ask(" on", options(4), show).has_value());
}

TEST(Generate, AStopTextEndsTheAnswerBeforeTheFirstOfThemHoweverTheyOverlap) {
  test::TemporaryFolder folder;
  test::write_tiny_checkpoint(folder.file("tiny.bin"));
  test::write_tiny_tokenizer(folder.file("t.bin"));
  const auto model = test::load(test::converted(folder, folder.file("tiny.bin"), "tiny", "", folder.file("t.bin")));
  const auto text_with = [&](std::vector<std::string> stops) {
    auto session = test::must(Session::make(model, {.n_threads = 1}));
    GenerateOptions options{
        .n_predict = 60, .sampler = {.temperature = 0.0F}, .stop = std::move(stops), .ignore_eos = true};
    return test::must(
        generate(*session, test::must(prompt_ids(*model, "the")), options, [](std::string_view) { return true; }));
  };
  const std::string whole = text_with({}).text;
  // Both stops are complete with the same byte: `inner` ends `outer`, and stands nowhere before.
  std::size_t at = 5;
  while (at + 3 <= whole.size() && whole.find(whole.substr(at, 3)) != at) ++at;
  ASSERT_LE(at + 3, whole.size()) << whole;
  const std::string inner = whole.substr(at, 3);
  const std::string outer = whole.substr(at - 4, 7);
  EXPECT_EQ(text_with({inner}).text, whole.substr(0, at));
  const auto stopped = text_with({inner, outer});
  EXPECT_EQ(stopped.text, whole.substr(0, at - 4));
  EXPECT_EQ(stopped.reason, StopReason::stop_string);
}

}  // namespace
}  // namespace tern::engine
