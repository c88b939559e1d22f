// Our logits against transformers': golden folders and trained reference models, from safetensors through our GGUF.
// Oracle: golden/make.py and models/make_folders.py of the data folder (transformers in float32). Tolerance:
// golden/README.md.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "engine/generate.hpp"
#include "files/npy.hpp"
#include "formats/all.hpp"
#include "sys/mapped_file.hpp"
#include "tests/support/models.hpp"

namespace tern::test {
namespace {

struct Case {
  const char* folder;
  const char* architecture;
  bool is_float;
};

std::vector<std::vector<std::int32_t>> id_lists(const nlohmann::json& expected, const char* key) {
  return expected.at(key).get<std::vector<std::vector<std::int32_t>>>();
}

class GoldenLogits : public testing::TestWithParam<std::tuple<Case, const char*>> {};

TEST_P(GoldenLogits, AgreeWithTransformersAtEveryPosition) {
  TERN_NEEDS_DATA();
  const auto& [c, isa] = GetParam();
  const std::string source = data_folder() + "/" + c.folder;
  const TemporaryFolder folder;
  const auto model = load(converted(folder, source, "model"), isa);
  EXPECT_EQ(model->parameters().architecture, c.architecture);
  const auto expected = read_json(source + "/expected.json");
  const auto logits = must(files::read_npy(source + "/expected_logits.npy"));
  const auto lists = id_lists(expected, "ids");
  ASSERT_EQ(logits.shape.size(), 3U);
  const auto n_vocab = static_cast<std::size_t>(logits.shape[2]);
  std::size_t n_positions = 0;
  std::size_t n_close = 0;
  const float* want = logits.values.data();
  for (const auto& ids : lists) {
    const auto got = logits_of(
        model, ids, {.n_threads = 2, .n_ctx = 64, .cache = engine::CacheFormats::both(formats::kF32)}, {ids.size()});
    for (std::size_t t = 0; t < ids.size(); ++t, want += n_vocab) {
      float worst = 0.0F;
      for (std::size_t i = 0; i < n_vocab; ++i) worst = std::max(worst, std::abs(got[t * n_vocab + i] - want[i]));
      const auto [low, high] = std::minmax_element(want, want + n_vocab);
      if (c.is_float) {
        EXPECT_LE(worst, 1e-3F) << "position " << t;
      } else {
        EXPECT_LE(worst, 0.02F * (*high - *low)) << "position " << t;
      }
      n_close += worst <= 2e-3F ? 1 : 0;
      ++n_positions;
    }
  }
  EXPECT_GE(2 * n_close, n_positions) << n_close << " of " << n_positions << " positions within 2e-3";
}

INSTANTIATE_TEST_SUITE_P(
    Folders, GoldenLogits,
    testing::Combine(testing::Values(Case{"golden/llama", "llama", true},
                                     Case{"golden/llama-rope-scaled-sharded", "llama", true},
                                     Case{"golden/qwen2", "qwen2", true}, Case{"golden/qwen3", "qwen3", true},
                                     Case{"golden/bitnet-online", "bitnet-b1.58", false},
                                     Case{"golden/bitnet-packed", "bitnet-b1.58", false},
                                     Case{"golden/llama-bitlinear-packed", "llama", false},
                                     Case{"models/reference-float", "llama", true},
                                     Case{"models/reference-bitnet", "bitnet-b1.58", false},
                                     Case{"models/reference-bitnet-masters", "bitnet-b1.58", false}),
                     testing::Values("", "scalar")));

TEST(Stories260K, ContinuesCharacterForCharacter) {
  TERN_NEEDS_DATA();
  const std::string source = data_folder() + "/models/llama2c-stories260K";
  const TemporaryFolder folder;
  const auto model = load(converted(folder, source + "/stories260K.bin", "model", "", source + "/tok512.bin"));
  auto session = must(engine::Session::make(model, {.n_threads = 2}));
  const auto ids = must(engine::prompt_ids(*model, ""));
  engine::GenerateOptions options;
  options.n_predict = 200;
  options.sampler.temperature = 0.0F;
  options.continues_text = false;
  std::string streamed;
  const auto result = must(engine::generate(*session, ids, options, [&](std::string_view piece) {
    streamed += piece;
    return true;
  }));
  EXPECT_EQ(result.text, must(sys::read_text_file(source + "/expected_greedy_200.txt")));
  EXPECT_EQ(streamed, result.text);
}

// Greedy text is compared for the float model: int8 activations may take another branch at a rounding tie.
TEST(ReferenceFloat, ContinuesAsTransformersDoes) {
  TERN_NEEDS_DATA();
  const std::string source = data_folder() + "/models/reference-float";
  const TemporaryFolder folder;
  const auto model = load(converted(folder, source, "model"));
  const auto expected = read_json(source + "/expected.json");
  const auto prompts = id_lists(expected, "text_ids");
  const auto greedy = id_lists(expected, "greedy");
  auto session =
      must(engine::Session::make(model, {.n_threads = 2, .cache = engine::CacheFormats::both(formats::kF32)}));
  for (std::size_t i = 0; i < prompts.size(); ++i) {
    std::vector<std::int32_t> history{0};
    history.insert(history.end(), prompts[i].begin(), prompts[i].end());
    engine::GenerateOptions options;
    options.n_predict = static_cast<std::int64_t>(greedy[i].size());
    options.sampler.temperature = 0.0F;
    options.ignore_eos = true;
    session->truncate(0, 0);
    const auto result = must(engine::generate(*session, history, options, [](std::string_view) { return true; }));
    EXPECT_EQ(result.ids, greedy[i]) << "prompt " << i;
  }
}

}  // namespace
}  // namespace tern::test
