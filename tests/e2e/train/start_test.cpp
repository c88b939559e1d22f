// Training that begins with a model instead of random weights: whatever file it comes from, the loss before the first
// step is the loss that the engine measures of that model on the same tokens; a few steps lower it; and what cannot be
// begun with is refused with one line and leaves no folder.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "files/safetensors.hpp"
#include "formats/all.hpp"
#include "tests/support/golden_checkpoint.hpp"
#include "tests/support/tiny_checkpoint.hpp"
#include "tests/support/training_run.hpp"
#include "train/data/sampler.hpp"

namespace tern::test {
namespace {

constexpr std::size_t kContext = 24;
constexpr std::size_t kBatch = 8;

const std::vector<std::string> kFloat{"quantization.weights=none", "quantization.activations=none",
                                      "model.architecture=llama"};

/// Mean nats of the tokens that a run's first step sees, by the engine.
double loss_by_engine(const std::string& gguf, const std::string& data_folder) {
  const auto data = must(train::Dataset::open(data_folder));
  const auto sampler = must(
      train::Sampler::make(data, {.mode = train::SampleMode::shuffle, .n_ctx = kContext, .n_rows = kBatch, .seed = 1}));
  const auto model = load(gguf);
  const auto n_vocab = static_cast<std::size_t>(model->parameters().n_vocab);
  double sum = 0.0;
  for (std::size_t r = 0; r < kBatch; ++r) {
    std::vector<std::int32_t> ids(kContext + 1);
    must(sampler.copy(0, r, ids.data()));
    const std::vector<std::int32_t> inputs(ids.begin(), ids.end() - 1);
    const auto logits = logits_of(model, inputs,
                                  {.n_threads = 2,
                                   .n_ctx = static_cast<std::int64_t>(kContext),
                                   .cache = engine::CacheFormats::both(formats::kF32)},
                                  {kContext});
    for (std::size_t t = 0; t < kContext; ++t) {
      const float* row = &logits[t * n_vocab];
      const float most = *std::max_element(row, row + n_vocab);
      double total = 0.0;
      for (std::size_t i = 0; i < n_vocab; ++i) total += std::exp(static_cast<double>(row[i] - most));
      sum += std::log(total) - static_cast<double>(row[ids[t + 1]] - most);
    }
  }
  return sum / static_cast<double>(kBatch * kContext);
}

/// The losses that a run's log tells, step by step.
std::vector<double> losses_of(const std::string& folder) {
  std::istringstream lines(whole_file(folder + "/log.jsonl"));
  std::vector<double> out;
  for (std::string line; std::getline(lines, line);) {
    const auto json = nlohmann::json::parse(line);
    if (json.contains("loss")) out.push_back(json["loss"].get<double>());
  }
  return out;
}

class TrainStart : public testing::Test {
 protected:
  std::vector<std::string> words(const std::string& name, const std::string& from, const std::string& data, int n_steps,
                                 const std::vector<std::string>& settings) const {
    std::vector<std::string> out{"train", "--data", data, "-o", runs_.file(name), "-t", "1", "--init", from};
    std::vector<std::string> all{
        "data.context=" + std::to_string(kContext),
        "optimizer.batch=" + std::to_string(kBatch),
        "optimizer.microbatch=4",
        "optimizer.tokens=" + std::to_string(static_cast<std::size_t>(n_steps) * kContext * kBatch),
        "optimizer.learning_rate=1e-3",
        "schedule.warm_up=2",
        "run.validation_tokens=100",
        "run.sample_every=0"};
    all.insert(all.end(), settings.begin(), settings.end());
    for (const std::string& setting : all) {
      out.emplace_back("--set");
      out.push_back(setting);
    }
    return out;
  }
  std::vector<double> start(const std::string& name, const std::string& from, const std::string& data, int n_steps,
                            const std::vector<std::string>& settings = {}) {
    runs_.run(words(name, from, data, n_steps, settings));
    return losses_of(runs_.file(name));
  }
  void expect_refused(const std::string& from, const std::string& data, const std::string& message, int exit_code) {
    const Ended ended = runs_.start(words("refused", from, data, 3, {}));
    EXPECT_EQ(ended.exit_code, exit_code) << ended.err;
    EXPECT_NE(ended.err.find(message), std::string::npos) << ended.err;
    EXPECT_FALSE(std::filesystem::exists(runs_.file("refused")));
  }
  /// A text that a few dozen steps learn by heart.
  std::string small_data() {
    std::ofstream(runs_.file("small.txt")) << whole_file(source_file("data/eval/plain.txt")).substr(0, 2500);
    runs_.run({"data", "pack", runs_.file("small.txt"), "--tokenizer", runs_.tokenizer(), "-o", runs_.file("small"),
               "--held-out", "0"});
    return runs_.file("small");
  }
  void export_run(const std::string& name, const std::string& to, const std::string& type) {
    runs_.run({"train", "export", runs_.file(name), "-o", runs_.file(to), "--outtype", type, "--embedding", "F32"});
  }

  TrainingRun runs_;
};

TEST_F(TrainStart, AFloatModelBeginsWithItsOwnLossAndLearnsOn) {
  runs_.run(runs_.train("base", 30, kFloat));
  export_run("base", "base.gguf", "F32");
  runs_.run({"train", "export", runs_.file("base"), "-o", runs_.file("base-hf"), "--outtype", "hf"});
  const std::string data = small_data();
  const double loss = loss_by_engine(runs_.file("base.gguf"), data);
  const auto losses = start("from-gguf", runs_.file("base.gguf"), data, 60, {"optimizer.learning_rate=4e-3"});
  EXPECT_NEAR(losses.front(), loss, 1e-4);
  EXPECT_LT(losses.back(), loss - 0.3);
  for (const std::string from : {"base-hf", "base", "base/checkpoint-00000030.safetensors"}) {
    const auto same = start("from-" + std::to_string(from.size()), runs_.file(from), data, 2);
    EXPECT_NEAR(same.front(), losses.front(), 1e-6) << from;
  }
}

TEST_F(TrainStart, ATernaryModelBeginsWithItsOwnLossThoughItsFileKeptNoMasters) {
  runs_.run(runs_.train("base", 30, {"model.hidden_size=128"}));
  export_run("base", "base.gguf", "I2_S");
  const std::string data = small_data();
  const double loss = loss_by_engine(runs_.file("base.gguf"), data);
  const std::vector<std::string> ternary{"quantization.weights=absmean", "quantization.activations=int8"};
  auto faster = ternary;
  faster.emplace_back("optimizer.learning_rate=4e-3");
  const auto losses = start("from-gguf", runs_.file("base.gguf"), data, 60, faster);
  EXPECT_NEAR(losses.front(), loss, 1e-4);
  EXPECT_LT(losses.back(), loss - 0.3);
  for (const std::string spelling : {"packed_multiply", "packed_divide", "masters"}) {
    runs_.run({"train", "export", runs_.file("base"), "-o", runs_.file(spelling), "--outtype", "hf", "--hf-weights",
               spelling});
    EXPECT_NEAR(start("from-" + spelling, runs_.file(spelling), data, 2, ternary).front(), loss, 1e-4);
  }
  EXPECT_NEAR(start("from-run", runs_.file("base"), data, 2, ternary).front(), loss, 1e-4);
}

TEST_F(TrainStart, AFloatModelBecomesTernaryWhileTheRoundingFadesIn) {
  runs_.run(runs_.train("base", 40, kFloat));
  export_run("base", "base.gguf", "F32");
  const std::string data = small_data();
  const double loss = loss_by_engine(runs_.file("base.gguf"), data);
  const auto losses = start("ternary", runs_.file("base.gguf"), data, 60,
                            {"quantization.weights=absmean", "quantization.activations=int8", "quantization.fade_in=20",
                             "optimizer.learning_rate=4e-3"});
  EXPECT_NEAR(losses.front(), loss, 1e-4);  // nothing is rounded yet
  EXPECT_LT(losses.back(), loss - 0.3);
  export_run("ternary", "ternary.gguf", "Q2_0");  // which holds nothing but what is rounded whole
  const Ended half = runs_.start(
      words("half", runs_.file("base.gguf"), data, 10, {"quantization.weights=absmean", "quantization.fade_in=20"}));
  EXPECT_EQ(half.exit_code, 0) << half.err;
  const Ended told = runs_.run({"train", "export", runs_.file("half"), "-o", runs_.file("half.gguf")});
  EXPECT_NE(told.err.find("note: quantisation is faded in to 0.50"), std::string::npos) << told.err;
}

TEST_F(TrainStart, ALlama2cCheckpointIsTrainedWithTheTokenizerOfItsGguf) {
  write_tiny_checkpoint(runs_.file("tiny.bin"));
  write_tiny_tokenizer(runs_.file("tok.bin"));
  runs_.run(
      {"convert", runs_.file("tiny.bin"), "--tokenizer", runs_.file("tok.bin"), "--outfile", runs_.file("tiny.gguf")});
  runs_.run({"data", "pack", source_file("data/eval/stories.txt"), "--tokenizer", runs_.file("tiny.gguf"), "-o",
             runs_.file("tiny-data")});
  const double loss = loss_by_engine(runs_.file("tiny.gguf"), runs_.file("tiny-data"));
  // Its logits are as wild as its weights: one part in ten thousand.
  const auto losses = start("from-bin", runs_.file("tiny.bin"), runs_.file("tiny-data"), 8, {"run.sample_every=4"});
  EXPECT_NEAR(losses.front(), loss, 1e-4 * loss);
  EXPECT_LT(losses.back(), losses.front());
  EXPECT_TRUE(std::filesystem::exists(runs_.file("from-bin/latest.gguf"))) << "no sample was written";
  export_run("from-bin", "from-bin.gguf", "F32");
  EXPECT_FALSE(runs_.run({"run", "-m", runs_.file("from-bin.gguf"), "-p", "the", "-n", "4"}).out.empty());
}

class TrainStartArchitecture : public TrainStart, public testing::WithParamInterface<const char*> {
 protected:
  TrainStartArchitecture() {
    std::filesystem::create_directory(runs_.file("model"));
    write_golden_checkpoint(runs_.file("model"), GetParam());
    std::string text;  // of the letters that its vocabulary has
    Random random(5);
    for (int i = 0; i < 3000; ++i) text += static_cast<char>('A' + random.below(26));
    std::ofstream(runs_.file("letters.txt")) << text;
    runs_.run({"data", "pack", runs_.file("letters.txt"), "--tokenizer", runs_.file("model"), "-o",
               runs_.file("letters"), "--held-out", "0"});
  }
};

TEST_P(TrainStartArchitecture, BeginsWithItsOwnLoss) {
  runs_.run({"convert", runs_.file("model"), "--outfile", runs_.file("model.gguf"), "--outtype", "F32"});
  const double loss = loss_by_engine(runs_.file("model.gguf"), runs_.file("letters"));
  const auto losses = start("run", runs_.file("model"), runs_.file("letters"), 6);
  EXPECT_NEAR(losses.front(), loss, 1e-4);
  EXPECT_LT(losses.back(), losses.front());
  EXPECT_NEAR(start("again", runs_.file("model.gguf"), runs_.file("letters"), 1).front(), losses.front(), 1e-6);
}

INSTANTIATE_TEST_SUITE_P(Golden, TrainStartArchitecture,
                         testing::Values("mistral-window", "qwen2-upper-window", "llama-linear-rope", "llama-yarn-rope",
                                         "qwen3-yarn-rope", "gemma3-new-spelling"),
                         [](const auto& tested) {
                           std::string name = tested.param;
                           std::ranges::replace(name, '-', '_');
                           return name;
                         });

TEST_F(TrainStart, WhatCannotBeBegunWithIsRefusedWithOneLine) {
  write_tiny_checkpoint(runs_.file("tiny.bin"));
  expect_refused(runs_.file("tiny.bin"), runs_.data(), "has a vocabulary of 320, the data one of 384", 2);
  std::filesystem::create_directory(runs_.file("embedding"));
  write_golden_checkpoint(runs_.file("embedding"), "bitnet-embedding-qwen3");
  std::ofstream(runs_.file("embedding/modules.json"))
      << R"([{"idx":0,"path":"","type":"sentence_transformers.models.Transformer"},)"
      << R"({"idx":1,"path":"1_Pooling","type":"sentence_transformers.models.Pooling"}])";
  std::filesystem::create_directory(runs_.file("embedding/1_Pooling"));
  std::ofstream(runs_.file("embedding/1_Pooling/config.json")) << R"({"pooling_mode_lasttoken":true})";
  expect_refused(runs_.file("embedding"), runs_.data(), "is an embedding model", 3);
  std::filesystem::create_directory(runs_.file("odd"));
  write_golden_checkpoint(runs_.file("odd"), "mistral-window");
  SafetensorsWriter more;
  const auto whole = must(files::SafetensorsFile::open(runs_.file("odd/model.safetensors")));
  for (const files::StoredTensor& tensor : whole.tensors()) {
    std::vector<float> values(tensor.bytes.size() / sizeof(float));
    std::memcpy(values.data(), tensor.bytes.data(), tensor.bytes.size());
    more.add_f32(tensor.name, tensor.shape, values);
  }
  more.add_f32("model.layers.0.strange.weight", {2, 2}, {1, 2, 3, 4});
  std::filesystem::create_directory(runs_.file("unknown"));
  std::filesystem::copy_file(runs_.file("odd/config.json"), runs_.file("unknown/config.json"));
  more.write(runs_.file("unknown/model.safetensors"));
  expect_refused(runs_.file("unknown"), runs_.data(), "model.layers.0.strange.weight", 3);
  expect_refused(runs_.file("nothing"), runs_.data(), "nothing: no such file", 3);
  expect_refused(runs_.data(), runs_.data(), "it holds no weights", 3);
}

}  // namespace
}  // namespace tern::test
