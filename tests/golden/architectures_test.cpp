// What each architecture does its own way, against transformers: windows, stretched positions, norms minus one, models
// that also see pictures, norms before every projection. The checkpoints are written here from the formula of
// golden/make/make_architectures.py; the vectors are that script's.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "convert/sentence_transformers.hpp"
#include "engine/embed.hpp"
#include "formats/all.hpp"
#include "sys/atomic_file.hpp"
#include "sys/mapped_file.hpp"
#include "tests/support/golden_checkpoint.hpp"
#include "tests/support/models.hpp"

namespace tern::test {
namespace {

constexpr std::size_t kVocabulary = kGoldenVocabulary;

struct Case {
  const char* name;
  const char* architecture;
};
void PrintTo(const Case& c, std::ostream* out) {
  *out << c.name;
}

Written write_folder(const TemporaryFolder& folder, const std::string& name, const std::string& prefix = "",
                     const std::string& instead_of = "") {
  return write_golden_checkpoint(folder.path(), name, prefix, instead_of);
}

void expect_logits(const Written& written, const engine::Model& model, const std::shared_ptr<const engine::Model>& run,
                   float tolerance) {
  EXPECT_EQ(model.plan().n_vocab(), static_cast<std::int64_t>(kVocabulary));
  const float* want = written.expected.values.data();
  for (const auto& ids : written.ids) {
    const auto got =
        logits_of(run, ids, {.n_threads = 2, .cache = engine::CacheFormats::both(formats::kF32)}, {ids.size()});
    for (std::size_t t = 0; t < ids.size(); ++t, want += kVocabulary) {
      float worst = 0.0F;
      for (std::size_t i = 0; i < kVocabulary; ++i) {
        worst = std::max(worst, std::abs(got[t * kVocabulary + i] - want[i]));
      }
      EXPECT_LE(worst, tolerance) << "position " << t;
    }
  }
}

class Architectures : public testing::TestWithParam<Case> {};

TEST_P(Architectures, ComputeWhatTransformersComputes) {
  const Case c = GetParam();
  const TemporaryFolder folder;
  const Written written = write_folder(folder, c.name);
  const auto model = load(converted(folder, written.folder, "model"));
  EXPECT_EQ(model->parameters().architecture, c.architecture);
  expect_logits(written, *model, model, 1e-3F);
}

INSTANTIATE_TEST_SUITE_P(Golden, Architectures,
                         testing::Values(Case{"mistral-window", "llama"}, Case{"qwen2-upper-window", "qwen2"},
                                         Case{"llama-linear-rope", "llama"}, Case{"llama-yarn-rope", "llama"},
                                         Case{"qwen3-yarn-rope", "qwen3"}, Case{"gemma3-old-spelling", "gemma3"},
                                         Case{"gemma3-new-spelling", "gemma3"}));

TEST(Architectures, TakeTheModelOfTextOutOfOneThatSeesPictures) {
  const TemporaryFolder folder;
  const Written written = write_folder(folder, "gemma3-old-spelling", "language_model.model.", "model.");
  const auto model = load(converted(folder, written.folder, "model"));
  expect_logits(written, *model, model, 1e-3F);
}

class Embeddings : public testing::TestWithParam<Case> {};

// Token by token, since the last one's pooling after each is that token's vector. Activations are rounded to int8:
// where one sits on a tie the last float bit decides, and the tokens after it follow. The published files hold bare
// models: no "model." before the names.
TEST_P(Embeddings, AreTheVectorsThatTransformersComputes) {
  const Case c = GetParam();
  for (const char* prefix : {"", "model."}) {
    const TemporaryFolder folder;
    const Written written = write_folder(folder, c.name, prefix, "model.");
    const auto width = static_cast<std::size_t>(written.expected.shape[2]);
    const auto model = must(
        engine::Model::load(converted(folder, written.folder, "model"), {.isa = {}, .pooling = models::Pooling::last}));
    EXPECT_EQ(model->parameters().architecture, c.architecture);
    EXPECT_TRUE(model->parameters().input_norms);
    const float* want = written.expected.values.data();
    int n_close = 0;
    int n_tokens = 0;
    for (const auto& ids : written.ids) {
      auto session =
          must(engine::Session::make(model, {.n_threads = 2, .cache = engine::CacheFormats::both(formats::kF32)}));
      for (std::size_t t = 0; t < ids.size(); ++t, want += width) {
        must(session->decode(std::vector<engine::BatchItem>{{ids[t], static_cast<std::int32_t>(t), 0, false}}));
        const auto got = session->embedding(0);
        float worst = 0.0F;
        for (std::size_t i = 0; i < width; ++i) worst = std::max(worst, std::abs(got[i] - want[i]));
        EXPECT_GT(engine::cosine(got, std::span(want, width)), 0.999) << "token " << t;
        n_close += worst < 1e-4F ? 1 : 0;
        ++n_tokens;
      }
    }
    EXPECT_GE(2 * n_close, n_tokens);
  }
}

INSTANTIATE_TEST_SUITE_P(Golden, Embeddings,
                         testing::Values(Case{"bitnet-embedding-qwen3", "qwen3"},
                                         Case{"bitnet-embedding-gemma3", "gemma3"}));

TEST(Embeddings, FollowTheFoldersPoolingAndHaveNoLogits) {
  const TemporaryFolder folder;
  const Written written = write_folder(folder, "bitnet-embedding-qwen3");
  std::filesystem::create_directory(folder.file("1_Pooling"));
  must(sys::write_file(folder.file("modules.json"),
                       R"([{"type":"sentence_transformers.models.Transformer","path":""},)"
                       R"({"type":"sentence_transformers.models.Pooling","path":"1_Pooling"}])",
                       true));
  must(sys::write_file(
      folder.file("1_Pooling/config.json"),
      R"({"word_embedding_dimension":64,"pooling_mode_mean_tokens":false,"pooling_mode_lasttoken":true})", true));
  const auto model = load(converted(folder, written.folder, "model"));
  EXPECT_EQ(model->plan().pooling(), models::Pooling::last);
  auto session = must(engine::Session::make(model, {}));
  const std::vector<engine::BatchItem> batch{{1, 0, 0, true}};
  const auto refused = session->decode(batch);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("use tern embed"), std::string::npos);
}

TEST(Embeddings, FollowTheNewerSpellingAndRefuseWhatTheyDoNotHave) {
  const TemporaryFolder folder;
  const Written written = write_folder(folder, "bitnet-embedding-qwen3");
  std::filesystem::create_directory(folder.file("1_Pooling"));
  must(sys::write_file(folder.file("modules.json"),
                       R"([{"type":"sentence_transformers.models.Pooling","path":"1_Pooling"}])", true));
  const auto pooled_by = [&](const std::string& config) {
    must(sys::write_file(folder.file("1_Pooling/config.json"), config, true));
    return convert::read_pooling(written.folder);
  };
  EXPECT_EQ(pooled_by(R"({"pooling_mode":"mean"})").value(), models::Pooling::mean);
  EXPECT_EQ(pooled_by(R"({"pooling_mode":"lasttoken","pooling_mode_lasttoken":true})").value(), models::Pooling::last);
  for (const char* config : {"{}", "[]", R"({"pooling_mode":"weightedmean"})", R"({"pooling_mode_max_tokens":true})",
                             R"({"pooling_mode_mean_tokens":true,"pooling_mode_cls_token":true})"}) {
    const auto refused = pooled_by(config);
    ASSERT_FALSE(refused) << config;
    EXPECT_TRUE(refused.error().message.starts_with(written.folder)) << refused.error().message;
  }
}

TEST(Embeddings, PoolWhatTheTokensGive) {
  const TemporaryFolder folder;
  const Written written = write_folder(folder, "bitnet-embedding-gemma3");
  const std::string file = converted(folder, written.folder, "model");
  const auto& ids = written.ids.front();
  const auto run = [&](models::Pooling pooling, std::size_t n) {
    const auto model = must(engine::Model::load(file, {.isa = {}, .pooling = pooling}));
    auto session = must(engine::Session::make(model, {.cache = engine::CacheFormats::both(formats::kF32)}));
    return must(engine::embed(*session, std::span(ids).first(n)));
  };
  std::vector<double> sum(static_cast<std::size_t>(written.expected.shape[2]));
  for (std::size_t n = 1; n <= ids.size(); ++n) {
    const auto token = run(models::Pooling::last, n);
    for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += static_cast<double>(token[i]);
  }
  const auto mean = run(models::Pooling::mean, ids.size());
  for (std::size_t i = 0; i < sum.size(); ++i) {
    EXPECT_EQ(mean[i], static_cast<float>(sum[i] / static_cast<double>(ids.size())));
  }
  EXPECT_EQ(run(models::Pooling::cls, ids.size()), run(models::Pooling::last, 1));
}

// How the tokens came in batches leaves no trace in the mean.
TEST(Embeddings, AreTheSameBitsForAnySplitOfTheText) {
  const TemporaryFolder folder;
  const Written written = write_folder(folder, "bitnet-embedding-gemma3");
  const auto model = must(
      engine::Model::load(converted(folder, written.folder, "model"), {.isa = {}, .pooling = models::Pooling::mean}));
  std::vector<std::vector<float>> results;
  for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, std::size_t{40}}) {
    auto session = must(engine::Session::make(model, {.n_threads = 2, .n_batch = 16}));
    const auto& ids = written.ids.front();
    for (std::size_t at = 0; at < ids.size(); at += piece) {
      std::vector<engine::BatchItem> batch;
      for (std::size_t i = at; i < std::min(at + piece, ids.size()); ++i) {
        batch.push_back({ids[i], static_cast<std::int32_t>(i), 0, false});
      }
      must(session->decode(batch));
    }
    results.push_back(session->embedding(0));
  }
  EXPECT_EQ(results[0], results[1]);
  EXPECT_EQ(results[0], results[2]);
}

}  // namespace
}  // namespace tern::test
