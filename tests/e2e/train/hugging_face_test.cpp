// A trained model on its way through Hugging Face: exported as a folder in each spelling, read back, converted and run,
// it computes the logits of training. transformers' side of the same is golden/make/check_training.py, which keeps each
// config.json that transformers computed the same logits from.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/support/restored_run.hpp"
#include "tests/support/training_run.hpp"

namespace tern::test {
namespace {

constexpr double kTie = 2e-4;  // as in export_test.cpp

class TrainHuggingFace : public testing::Test {
 protected:
  void train(const std::vector<std::string>& settings) {
    std::vector<std::string> all{"model.hidden_size=128", "model.intermediate_size=128", "data.context=8",
                                 "optimizer.batch=16", "optimizer.microbatch=8"};
    all.insert(all.end(), settings.begin(), settings.end());
    runs_.run(runs_.train("run", 32, all));
    run_.emplace(runs_.file("run"), runs_.data());
    want_ = run_->trained_logits();
    distance_ = run_->distance_to_ties();
  }

  /// Largest difference at positions without a tie, of the folder that `spelling` makes.
  double difference_of(const std::string& spelling, double tie) {
    const std::string folder = runs_.file("hf-" + spelling);
    runs_.run({"train", "export", runs_.file("run"), "-o", folder, "--outtype", "hf", "--hf-weights", spelling});
    TemporaryFolder converted_to;
    const auto got = run_->engine_logits(converted(converted_to, folder, "model"));
    const auto differences = row_differences(got, want_, run_->n_vocab());
    double worst = 0.0;
    int n_clear = 0;
    for (std::size_t t = 0; t < differences.size(); ++t) {
      if (distance_[t] <= tie) continue;
      worst = std::max(worst, differences[t]);
      ++n_clear;
    }
    EXPECT_GE(n_clear, 25);
    return worst;
  }

  TrainingRun runs_;
  std::optional<RestoredRun> run_;
  std::vector<float> want_;
  std::vector<double> distance_;
};

TEST_F(TrainHuggingFace, TernaryComesBackInEverySpelling) {
  train({"model.num_hidden_layers=1"});
  EXPECT_LE(difference_of("packed_multiply", kTie), 2e-5);
  EXPECT_LE(difference_of("packed_divide", kTie), 2e-5);  // the inverse of the scale may lose its last bit
  EXPECT_LE(difference_of("masters", kTie), 1e-4);
}

TEST_F(TrainHuggingFace, FloatsComeBack) {
  train({"quantization.weights=none", "quantization.activations=none", "model.architecture=llama",
         "model.tie_word_embeddings=false"});
  EXPECT_LE(difference_of("masters", kTie), 1e-5);
}

TEST_F(TrainHuggingFace, TheConfigIsTheOneThatTransformersTook) {
  const std::vector<std::string> ternary{"quantization.weights=absmean", "quantization.activations=int8"};
  const std::vector<std::string> floats{"quantization.weights=none", "quantization.activations=none"};
  const std::string shape = "model.architecture=";
  struct Case {
    std::string name;
    std::vector<std::string> settings;
    bool is_ternary = false;
  };
  const std::vector<Case> cases{
      {"llama", {shape + "llama"}},
      {"llama-untied", {shape + "llama", "model.tie_word_embeddings=false"}},
      {"qwen2", {shape + "qwen2"}},
      {"qwen3", {shape + "qwen3"}},
      {"gemma3", {shape + "gemma3", "model.sliding_window=8", "model.num_hidden_layers=7"}},
      {"bitnet-b1.58", {shape + "bitnet-b1.58"}, true},
      {"llama-ternary", {shape + "llama"}, true},
      {"qwen3-ternary", {shape + "qwen3"}, true},
  };
  for (const Case& c : cases) {
    std::vector<std::string> settings{"model.hidden_size=128",       "model.intermediate_size=256",
                                      "model.num_hidden_layers=2",   "model.num_attention_heads=4",
                                      "model.num_key_value_heads=2", "data.context=64"};
    const auto& rounding = c.is_ternary ? ternary : floats;
    settings.insert(settings.end(), rounding.begin(), rounding.end());
    settings.insert(settings.end(), c.settings.begin(), c.settings.end());
    settings.emplace_back("optimizer.tokens=256");
    runs_.run(runs_.train(c.name, 1, settings));
    const auto spellings = c.is_ternary ? std::vector<std::string>{"packed_multiply", "packed_divide", "masters"}
                                        : std::vector<std::string>{"floats"};
    for (const std::string& spelling : spellings) {
      const std::string title = c.name + "--" + spelling;
      std::vector<std::string> words{"train", "export", runs_.file(c.name), "-o", runs_.file(title), "--outtype", "hf"};
      if (c.is_ternary) words.insert(words.end(), {"--hf-weights", spelling});
      runs_.run(words);
      const std::string record = source_file("tests/golden/data/training_export/" + title + ".json");
      ASSERT_TRUE(std::filesystem::exists(record)) << title;
      EXPECT_EQ(whole_file(runs_.file(title + "/config.json")), whole_file(record))
          << title << ": transformers took another one: run check_training.py";
    }
  }
}

TEST_F(TrainHuggingFace, WhatNoClassOfTransformersComputesIsRefusedByName) {
  train({"quantization.group=64"});
  const Ended ended =
      runs_.start({"train", "export", runs_.file("run"), "-o", runs_.file("refused"), "--outtype", "hf"});
  EXPECT_EQ(ended.exit_code, 3) << ended.err;
  EXPECT_EQ(std::ranges::count(ended.err, '\n'), 1) << ended.err;
  EXPECT_FALSE(std::filesystem::exists(runs_.file("refused")));
}

}  // namespace
}  // namespace tern::test
