// What a run leaves beside its weights: losses on held-out text that the engine confirms, samples, a line for each
// matrix, a page that opens offline and is there while the run goes on. And what happens when rounding begins half-way.
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <numbers>
#include <sstream>

#include "tests/support/restored_run.hpp"
#include "tests/support/training_run.hpp"
#include "text/detokenizer.hpp"

namespace tern::test {
namespace {

using nlohmann::json;

class TrainOutputs : public testing::Test {
 protected:
  [[nodiscard]] std::vector<json> log_of(const std::string& name) const {
    std::istringstream lines(whole_file(runs_.file(name + "/log.jsonl")));
    std::vector<json> out;
    for (std::string line; std::getline(lines, line);) out.push_back(json::parse(line));
    return out;
  }
  static std::vector<json> with(const std::vector<json>& log, const char* key) {
    std::vector<json> out;
    std::ranges::copy_if(log, std::back_inserter(out), [&](const json& line) { return line.contains(key); });
    return out;
  }

  TrainingRun runs_;
};

struct HeldOut {
  double nats = 0.0;
  double bits_per_byte = 0.0;
  int n_tokens = 0;
};

/// By the engine, of windows of `context` tokens that touch, as long as the next one ends within `n_most` tokens.
HeldOut by_engine(const std::string& gguf, const std::string& data, std::int64_t context, std::int64_t n_most) {
  const auto model = load(gguf);
  const auto set = must(train::Dataset::open(data));
  const train::Part& part = set.sources().front().held_out;
  const auto n_vocab = static_cast<std::size_t>(model->plan().n_vocab());
  double nats = 0.0;
  std::size_t n_bytes = 0;
  HeldOut out;
  for (std::int64_t first = 0; first + context + 1 < n_most; first += context) {
    std::vector<std::int32_t> ids(static_cast<std::size_t>(context) + 1);
    must(part.copy(static_cast<std::uint64_t>(first), ids.size(), ids.data()));
    const std::vector<std::int32_t> inputs(ids.begin(), ids.end() - 1);
    const auto logits =
        logits_of(model, inputs, {.n_threads = 1, .n_ctx = context, .cache = engine::CacheFormats::both(formats::kF32)},
                  {inputs.size()});
    text::Detokenizer text(*model->tokenizer(), {.at_start = false, .render_special = false});
    for (std::size_t t = 0; t < inputs.size(); ++t) {
      double sum = 0.0;
      for (std::size_t v = 0; v < n_vocab; ++v) sum += std::exp(static_cast<double>(logits[t * n_vocab + v]));
      nats += std::log(sum) - static_cast<double>(logits[t * n_vocab + static_cast<std::size_t>(ids[t + 1])]);
      n_bytes += text.push(ids[t + 1]).size();  // the texts are ASCII: no token holds a part of a character
      ++out.n_tokens;
    }
  }
  out.nats = nats / out.n_tokens;
  out.bits_per_byte = nats / (std::numbers::ln2 * static_cast<double>(n_bytes));
  return out;
}

TEST_F(TrainOutputs, TheLossOnHeldOutTextIsWhatTheEngineFinds) {
  const std::vector<std::string> floats{"quantization.weights=none", "quantization.activations=none",
                                        "model.architecture=llama"};
  for (const bool rounded : {false, true}) {
    SCOPED_TRACE(rounded ? "ternary" : "float");
    const std::string name = rounded ? "ternary" : "float";
    runs_.run(runs_.train(name, 12, rounded ? std::vector<std::string>{} : floats));
    const RestoredRun run(runs_.file(name), runs_.data());
    const auto gguf = must(run.exported(rounded ? formats::kQ2_0 : formats::kF32, runs_.file(name + ".gguf")));
    const HeldOut want = by_engine(gguf, runs_.data(), 32, 600);
    const auto looks = with(log_of(name), "validation");
    ASSERT_EQ(looks.size(), 1U) << "at the end alone";
    const json& got = looks.front()["validation"]["stories"];
    EXPECT_EQ(got["tokens"].get<int>(), want.n_tokens);
    EXPECT_GT(want.n_tokens, 500);
    // A rounded activation beside a tie may fall on the other side.
    const double tolerance = rounded ? 1e-3 : 2e-6;
    EXPECT_NEAR(got["nats_per_token"].get<double>(), want.nats, tolerance * want.nats);
    EXPECT_NEAR(got["bits_per_byte"].get<double>(), want.bits_per_byte, tolerance * want.bits_per_byte);
  }
}

TEST_F(TrainOutputs, EveryLookSaysWhatEachMatrixIsLike) {
  const std::vector<std::string> looking{"run.validate_every=5"};
  runs_.run(runs_.train("ternary", 10, looking));
  const auto looks = with(log_of("ternary"), "matrices");
  ASSERT_EQ(looks.size(), 2U);
  const json& matrices = looks.back()["matrices"];
  EXPECT_EQ(matrices.size(), 14U) << "seven in each of two layers";
  for (const auto& [name, matrix] : matrices.items()) {
    const double minus = matrix["minus"].get<double>();
    const double zero = matrix["zero"].get<double>();
    const double plus = matrix["plus"].get<double>();
    EXPECT_NEAR(minus + zero + plus, 1.0, 1e-9) << name;
    EXPECT_NEAR(zero, 0.31, 0.1) << name << ": of normal weights 31 % are nearer to zero than to their mean size";
    EXPECT_NEAR(minus, plus, 0.1) << name;
    EXPECT_GT(matrix["scale"].get<double>(), 0.0) << name;
    EXPECT_GE(matrix["flips"].get<int>(), 0) << name;
    EXPECT_GT(matrix["gradient_norm"].get<double>(), 0.0) << name;
  }

  runs_.run(
      runs_.train("float", 10, {"run.validate_every=5", "quantization.weights=none", "quantization.activations=none"}));
  const auto float_looks = with(log_of("float"), "matrices");
  ASSERT_EQ(float_looks.size(), 2U);
  EXPECT_EQ(float_looks.back()["matrices"].size(), 14U);
  for (const auto& [name, matrix] : float_looks.back()["matrices"].items()) {
    EXPECT_GT(matrix["gradient_norm"].get<double>(), 0.0) << name;
    EXPECT_FALSE(matrix.contains("zero")) << name << ": floats have no codes";
  }
}

TEST_F(TrainOutputs, StepsSayHowFastTheyWereAndHowTheyWereMade) {
  runs_.run(runs_.train("run", 10, {"schedule.kind=linear", "schedule.last=1"}));
  const auto steps = with(log_of("run"), "loss");
  ASSERT_EQ(steps.size(), 10U);
  for (std::size_t i = 0; i < steps.size(); ++i) {
    EXPECT_EQ(steps[i]["step"].get<std::size_t>(), i + 1);
    EXPECT_EQ(steps[i]["tokens"].get<std::size_t>(), (i + 1) * 4 * 32);
    EXPECT_GT(steps[i]["seconds"].get<double>(), 0.0);
    EXPECT_GT(steps[i]["share_of_peak"].get<double>(), 0.0);
    EXPECT_GT(steps[i]["gradient_norm"].get<double>(), 0.0);
    const double nats_per_bit = steps[i]["loss"].get<double>() / steps[i]["bits_per_byte"].get<double>();
    EXPECT_GT(nats_per_bit, std::numbers::ln2) << "a token is at least a byte";
  }
  EXPECT_NEAR(steps[0]["loss"].get<double>(), std::log(384.0), 0.2) << "of its 384 tokens a new model knows nothing";
  EXPECT_NEAR(steps[2]["learning_rate"].get<double>() / steps[0]["learning_rate"].get<double>(), 3.0, 1e-9)
      << "the warm-up takes five steps";
  EXPECT_EQ(steps[9]["learning_rate"].get<double>(), steps[4]["learning_rate"].get<double>());
}

TEST_F(TrainOutputs, SamplesAreWhatTheModelWritesThen) {
  auto words = runs_.train("run", 8, {"run.sample_every=4", "run.sample_tokens=12", "run.sample_prompt=Once upon"});
  runs_.run(words);
  const auto samples = with(log_of("run"), "sample");
  ASSERT_EQ(samples.size(), 2U);
  EXPECT_EQ(samples.front()["step"].get<int>(), 4);
  for (const json& sample : samples) {
    EXPECT_EQ(sample["prompt"].get<std::string>(), "Once upon");
    EXPECT_FALSE(sample["sample"].get<std::string>().empty());
  }
  const std::string page = whole_file(runs_.file("run/report.html"));
  EXPECT_NE(page.find("After 4 steps"), std::string::npos);
  EXPECT_NE(page.find("After 8 steps"), std::string::npos);
}

TEST_F(TrainOutputs, ThePageIsThereWhileTheRunGoesOnAndNeedsNoNetwork) {
  const std::string path = runs_.file("run/report.html");
  const auto is_there = [&] { return std::filesystem::exists(path); };
  const Ended ended = TrainingRun::start(runs_.train("run", 100000, {"run.validate_every=5"}), {.kill_when = is_there});
  ASSERT_EQ(ended.signal, SIGKILL) << ended.err;
  const std::string page = whole_file(path);
  EXPECT_TRUE(page.starts_with("<!doctype html>") || page.starts_with("<!DOCTYPE html>")) << page.substr(0, 80);
  EXPECT_NE(page.find("</html>"), std::string::npos) << "a page is put there whole";
  for (const char* part : {"Loss over the steps", "Bits a byte over the steps", "Learning rate", "Tokens a second",
                           "Codes that change in a step", "blk.1.ffn_down", "Held out: stories", "hidden_size"}) {
    EXPECT_NE(page.find(part), std::string::npos) << part;
  }
  EXPECT_NE(page.find("<svg"), std::string::npos);
  for (const char* loads : {"src=", "<link", "@import", "url("}) {
    EXPECT_EQ(page.find(loads), std::string::npos) << loads << ": something would be loaded";
  }
}

TEST_F(TrainOutputs, ARunThatBeginsInFloatIsRoundedFromItsShareOn) {
  runs_.run(runs_.train("run", 40, {"quantization.from=0.5"}));
  const auto steps = with(log_of("run"), "loss");
  ASSERT_EQ(steps.size(), 40U);
  double least = 1e9;  // since rounding began: what went before would make a jump look like divergence
  for (const json& step : steps) {
    const bool rounded = step["step"].get<int>() > 20;
    EXPECT_EQ(step["lambda"].get<double>(), rounded ? 1.0 : 0.0) << step["step"];
    if (rounded) least = std::min(least, step["loss"].get<double>());
  }
  Progress quiet;
  EXPECT_EQ(must(train::newest_checkpoint(runs_.file("run"), quiet)).state().least_loss, least);
  runs_.run({"train", "export", runs_.file("run"), "-o", runs_.file("run.gguf"), "--outtype", "Q2_0"});

  // Faded in over ten steps: what counts is what came after.
  runs_.run(runs_.train("faded", 40, {"quantization.from=0.5", "quantization.fade_in=10"}));
  const auto faded = with(log_of("faded"), "loss");
  EXPECT_NEAR(faded[24]["lambda"].get<double>(), 0.5, 1e-12);
  EXPECT_EQ(faded[28]["lambda"].get<double>(), 0.9);
  EXPECT_EQ(faded[29]["lambda"].get<double>(), 1.0);
  double least_faded = 1e9;
  for (std::size_t i = 29; i < faded.size(); ++i) least_faded = std::min(least_faded, faded[i]["loss"].get<double>());
  EXPECT_EQ(must(train::newest_checkpoint(runs_.file("faded"), quiet)).state().least_loss, least_faded);
}

}  // namespace
}  // namespace tern::test
