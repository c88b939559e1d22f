// The public Model over a real small model: continuing, tokenising, logits, and its errors.
#include "tern/model.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <iterator>

#include "convert/convert.hpp"
#include "formats/all.hpp"
#include "tests/support/data.hpp"

namespace tern {
namespace {

class PublicModel : public testing::Test {
 protected:
  void SetUp() override {
    TERN_NEEDS_DATA();
    stories_ = test::data_folder() + "/models/llama2c-stories260K";
    convert::ConvertOptions options;
    options.source = stories_ + "/stories260K.bin";
    options.tokenizer = stories_ + "/tok512.bin";
    options.outfile = folder_.file("stories.gguf");
    options.outtype = &formats::kF32;
    Progress silent;
    const auto converted = convert::convert(options, silent);
    ASSERT_TRUE(converted) << converted.error().message;
    path_ = options.outfile;
  }

  [[nodiscard]] Model load(const ModelOptions& options = {}) const {
    auto model = Model::load(path_, options);
    if (!model) throw std::runtime_error(model.error().message);
    return std::move(*model);
  }
  [[nodiscard]] std::string expected() const {
    std::ifstream in(stories_ + "/expected_greedy_200.txt");
    return {std::istreambuf_iterator<char>(in), {}};
  }

  test::TemporaryFolder folder_;
  std::string stories_;
  std::string path_;
};

GenerationOptions greedy(std::int64_t n_predict) {
  GenerationOptions options;
  options.temperature = 0.0F;
  options.n_predict = n_predict;
  return options;
}

TEST_F(PublicModel, SaysWhatItIs) {
  const Model model = load({.n_ctx = 100});
  EXPECT_EQ(model.architecture(), "llama");
  EXPECT_EQ(model.n_vocab(), 512);
  EXPECT_EQ(model.n_ctx(), 100);
  EXPECT_EQ(load().n_ctx(), 512);
}

TEST_F(PublicModel, ContinuesTheEmptyPromptAsTheReferenceProgramDoesAndHandsOutTheSameText) {
  Model model = load();
  std::string streamed;
  const auto text = model.generate("", greedy(60), [&](std::string_view piece) {
    streamed += piece;
    return true;
  });
  ASSERT_TRUE(text) << text.error().message;
  EXPECT_EQ(*text, streamed);
  ASSERT_GT(text->size(), 80U);
  EXPECT_EQ(*text, expected().substr(0, text->size()));
}

TEST_F(PublicModel, StartsAfreshWithEveryCall) {
  Model model = load();
  const auto first = model.generate("Once upon a time", greedy(20));
  ASSERT_TRUE(model.generate("The dog", greedy(20)));
  EXPECT_EQ(model.generate("Once upon a time", greedy(20)).value(), first.value());
}

TEST_F(PublicModel, StopsWhenTheCallerHasEnoughAndBeforeAStopText) {
  Model model = load();
  int n_pieces = 0;
  const auto cut = model.generate("", greedy(60), [&](std::string_view) { return ++n_pieces < 3; });
  ASSERT_TRUE(cut) << cut.error().message;
  EXPECT_EQ(n_pieces, 3);

  auto options = greedy(60);
  options.stop = {"little"};
  const auto text = model.generate("", options);
  ASSERT_TRUE(text);
  EXPECT_EQ(*text, expected().substr(0, expected().find("little")));
}

TEST_F(PublicModel, GivesLogitsThatPredictWhatItGenerates) {
  Model model = load();
  const auto ids = model.tokenize("Once upon a time");
  ASSERT_TRUE(ids);
  EXPECT_EQ(model.detokenize(*ids).value(), "Once upon a time");
  const auto logits = model.logits(*ids);
  ASSERT_TRUE(logits) << logits.error().message;
  ASSERT_EQ(logits->size(), ids->size() * 512);
  for (const float value : *logits) ASSERT_TRUE(std::isfinite(value));

  // One token more at the end changes no earlier position.
  auto longer = *ids;
  longer.push_back(ids->front());
  const auto more = model.logits(longer);
  ASSERT_TRUE(more);
  EXPECT_TRUE(std::equal(logits->begin(), logits->end(), more->begin()));
}

TEST_F(PublicModel, RefusesWhatCannotBeAsked) {
  Model model = load({.n_ctx = 8});
  const std::vector<std::int32_t> outside{1, 512};
  EXPECT_EQ(model.logits(outside).error().code, ErrorCode::usage);
  const std::vector<std::int32_t> too_long(9, 1);
  EXPECT_EQ(model.logits(too_long).error().code, ErrorCode::usage);
  const auto text = model.generate("Once upon a time there was a little girl who loved to play", greedy(4));
  ASSERT_FALSE(text);
  EXPECT_NE(text.error().message.find('8'), std::string::npos) << text.error().message;
  EXPECT_TRUE(model.logits(std::vector<std::int32_t>(8, 1)));  // still usable

  EXPECT_EQ(Model::load(path_, {.n_threads = -1}).error().code, ErrorCode::usage);
  EXPECT_EQ(Model::load(path_, {.isa = "abacus"}).error().code, ErrorCode::usage);
}

TEST(PublicModelLoad, NamesTheFileThatIsNotThereOrIsNoModel) {
  const auto missing = Model::load("no-such-model.gguf");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, ErrorCode::not_found);
  EXPECT_NE(missing.error().message.find("no-such-model.gguf"), std::string::npos) << missing.error().message;

  const auto not_a_model = Model::load(test::source_file("CMakeLists.txt"));
  ASSERT_FALSE(not_a_model);
  EXPECT_EQ(not_a_model.error().code, ErrorCode::bad_input);
}

}  // namespace
}  // namespace tern
