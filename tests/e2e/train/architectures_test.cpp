// Every architecture that Tern runs is one that it trains: a few steps by the program, an export that computes the
// logits of training, and a text from it. And the shapes that recipes may ask for beside the plain ones.
#include <gtest/gtest.h>

#include <set>

#include "models/all.hpp"
#include "tests/support/restored_run.hpp"
#include "tests/support/training_run.hpp"

namespace tern::test {
namespace {

struct Case {
  std::string name;
  std::vector<std::string> settings;
};
void PrintTo(const Case& c, std::ostream* out) {
  *out << c.name;
}

// GGUF has one name for architectures that differ in their configuration files alone.
std::vector<Case> cases() {
  std::vector<Case> out;
  std::set<std::string_view> seen;
  for (const models::Architecture* architecture : models::all()) {
    if (!seen.insert(architecture->name).second) continue;
    std::string name(architecture->name);
    out.push_back({name, {"model.architecture=" + name}});
  }
  const std::vector<Case> more{
      {"norm_per_projection", {"model.architecture=llama", "model.norm_per_projection=true"}},
      {"sliding_window", {"model.architecture=gemma3", "model.sliding_window=8", "model.num_hidden_layers=7"}},
      {"window_of_all_layers", {"model.architecture=llama", "model.sliding_window=5"}},
      {"untied_head", {"model.architecture=qwen3", "model.tie_word_embeddings=false"}},
      {"wide_heads", {"model.architecture=qwen3", "model.head_dim=32", "model.num_key_value_heads=1"}},
      {"gelu", {"model.architecture=llama", "model.hidden_act=gelu"}},
  };
  out.insert(out.end(), more.begin(), more.end());
  return out;
}

class TrainArchitectures : public testing::TestWithParam<Case> {
 protected:
  static void SetUpTestSuite() { runs_ = std::make_unique<TrainingRun>(); }
  static void TearDownTestSuite() { runs_.reset(); }
  static std::unique_ptr<TrainingRun> runs_;
};
std::unique_ptr<TrainingRun> TrainArchitectures::runs_;

TEST_P(TrainArchitectures, AreTrainedExportedAndRun) {
  const Case& c = GetParam();
  std::vector<std::string> settings{"data.context=16", "quantization.weights=none", "quantization.activations=none"};
  settings.insert(settings.end(), c.settings.begin(), c.settings.end());
  runs_->run(runs_->train(c.name, 3, settings));
  RestoredRun run(runs_->file(c.name), runs_->data());
  const std::string gguf = must(run.exported(formats::kF32, runs_->file(c.name + ".gguf")));
  const auto got = run.engine_logits(gguf);
  for (const double difference : row_differences(got, run.trained_logits(), run.n_vocab())) {
    ASSERT_LE(difference, 1e-5);
  }
  // Without BOS the text would be the model's first word alone; here it is enough that there is one.
  const Ended text = runs_->run({"run", "-m", gguf, "-p", "Once", "-n", "4", "--temp", "0"});
  EXPECT_TRUE(text.out.starts_with("Once")) << text.out;
  // The same shape, ternary: packed where its rows allow it.
  std::vector<std::string> ternary = c.settings;
  ternary.emplace_back("data.context=16");
  runs_->run(runs_->train(c.name + "-ternary", 3, ternary));
  const std::string packed = runs_->file(c.name + "-ternary.gguf");
  runs_->run({"train", "export", runs_->file(c.name + "-ternary"), "-o", packed});
  EXPECT_TRUE(runs_->run({"run", "-m", packed, "-p", "Once", "-n", "4", "--temp", "0"}).out.starts_with("Once"));
}

INSTANTIATE_TEST_SUITE_P(All, TrainArchitectures, testing::ValuesIn(cases()), [](const auto& tested) {
  std::string name = tested.param.name;
  for (char& letter : name) {
    if (std::isalnum(static_cast<unsigned char>(letter)) == 0) letter = '_';
  }
  return name;
});

}  // namespace
}  // namespace tern::test
