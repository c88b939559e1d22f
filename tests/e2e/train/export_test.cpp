// What was trained is what runs: a model of every kind of quantisation, trained a few dozen steps by the program,
// written in every type that holds it, computes in the engine the logits that training computed. And the types that do
// not hold it are refused, with the names of those that do.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "tests/support/restored_run.hpp"
#include "tests/support/training_run.hpp"

namespace tern::test {
namespace {

struct Case {
  const char* name;
  std::vector<std::string> settings;
  std::vector<std::string> holds;      // types that give the logits of training
  std::vector<std::string> same_bits;  // of them, those whose logits are equal bit for bit
  std::vector<std::string> refused;
  double tolerance = 2e-5;
};
void PrintTo(const Case& c, std::ostream* out) {
  *out << c.name;
}

// Float sums of some hundred terms in another order move a normalised input by parts in ten million of the token's
// largest, and 127 codes by some hundred-thousandths: nothing within this distance of a tie is compared.
constexpr double kTie = 2e-4;

class TrainExport : public testing::TestWithParam<Case> {
 protected:
  static void SetUpTestSuite() { runs_ = std::make_unique<TrainingRun>(); }
  static void TearDownTestSuite() { runs_.reset(); }
  static std::unique_ptr<TrainingRun> runs_;
};
std::unique_ptr<TrainingRun> TrainExport::runs_;

TEST_P(TrainExport, ComputesInTheEngineWhatTrainingComputed) {
  const Case& c = GetParam();
  std::vector<std::string> settings{"model.hidden_size=256", "model.intermediate_size=256", "data.context=8",
                                    "optimizer.batch=16",    "optimizer.microbatch=8",      "schedule.warm_up=5"};
  settings.insert(settings.end(), c.settings.begin(), c.settings.end());
  runs_->run(runs_->train(c.name, 32, settings));
  RestoredRun run(runs_->file(c.name), runs_->data());
  const std::vector<float> want = run.trained_logits();
  const std::vector<double> distance = run.distance_to_ties();
  const auto n_clear = std::ranges::count_if(distance, [](double d) { return d > kTie; });
  EXPECT_GE(n_clear, 25) << "of " << distance.size() << ": too few positions without a tie";
  RecordProperty("clear_positions", static_cast<int>(n_clear));

  std::map<std::string, std::vector<float>> logits;
  for (const std::string& type : c.holds) {
    SCOPED_TRACE(type);
    const auto path = run.exported(*must(formats::by_name(type)), runs_->file(std::string(c.name) + type + ".gguf"));
    ASSERT_TRUE(path) << path.error().message;
    const std::vector<float>& got = logits[type] = run.engine_logits(*path);
    const std::vector<double> differences = row_differences(got, want, run.n_vocab());
    double worst = 0.0;
    for (std::size_t t = 0; t < differences.size(); ++t) {
      if (distance[t] <= kTie) continue;
      worst = std::max(worst, differences[t]);
      ASSERT_LE(differences[t], c.tolerance) << "position " << t << ", " << distance[t] << " from a tie";
    }
    RecordProperty("worst_" + type, fmt::format("{:.2e}", worst));
  }
  for (const std::string& type : c.same_bits) {
    EXPECT_TRUE(logits.at(type) == logits.at(c.same_bits.front())) << type << " and " << c.same_bits.front();
  }
  std::vector<std::string> able = c.holds;
  for (const std::string& type : c.refused) {
    const auto refused = run.exported(*must(formats::by_name(type)), runs_->file("refused.gguf"));
    ASSERT_FALSE(refused) << type;
    EXPECT_EQ(refused.error().code, ErrorCode::unsupported) << refused.error().message;
    EXPECT_TRUE(refused.error().message.starts_with(type + " does not hold what was trained"))
        << refused.error().message;
    for (const std::string& other : able) {
      EXPECT_NE(refused.error().message.find(other), std::string::npos) << other << ": " << refused.error().message;
    }
    EXPECT_FALSE(std::filesystem::exists(runs_->file("refused.gguf"))) << type;
  }
}

const std::vector<std::string> kTernaryTypes{"I2_S", "TQ1_0", "TQ2_0", "Q2_0", "F16", "F32"};

INSTANTIATE_TEST_SUITE_P(
    Kinds, TrainExport,
    testing::Values(
        Case{.name = "ternary",
             .settings = {},
             .holds = kTernaryTypes,
             .same_bits = {"I2_S", "TQ1_0", "TQ2_0", "Q2_0", "F16", "F32"},
             .refused = {"Q1_0", "Q4_0", "Q8_0", "Q4_K"}},
        Case{.name = "ternary_int4",
             .settings = {"quantization.activations=int4"},
             .holds = kTernaryTypes,
             .same_bits = {"I2_S", "TQ1_0", "TQ2_0", "Q2_0", "F16", "F32"},
             .refused = {"Q1_0"}},
        Case{.name = "binary",
             .settings = {"quantization.weights=sign", "model.architecture=llama", "model.norm_per_projection=true",
                          "model.num_hidden_layers=1"},
             .holds = {"Q1_0", "I2_S", "TQ1_0", "TQ2_0", "Q2_0", "F16", "F32"},
             .same_bits = {"I2_S", "TQ1_0", "TQ2_0", "Q2_0", "F16", "F32"},
             .refused = {"Q4_0", "Q8_0"}},
        Case{.name = "binary_128",
             .settings = {"quantization.weights=sign", "quantization.group=128", "model.num_hidden_layers=1"},
             .holds = {"Q1_0", "Q2_0", "F16", "F32"},
             .same_bits = {"Q1_0", "Q2_0", "F16", "F32"},
             .refused = {"I2_S", "TQ1_0", "TQ2_0", "Q4_0"}},
        Case{.name = "ternary_64",
             .settings = {"quantization.group=64"},
             .holds = {"Q2_0", "F16", "F32"},
             .same_bits = {"Q2_0", "F16", "F32"},
             .refused = {"TQ2_0", "TQ1_0", "Q1_0", "I2_S", "Q4_0"}},
        Case{.name = "ternary_float_activations",
             .settings = {"quantization.activations=none", "model.architecture=llama"},
             .holds = kTernaryTypes,
             .same_bits = {"I2_S", "TQ1_0", "TQ2_0", "Q2_0", "F16", "F32"},
             .refused = {"Q1_0"}},
        Case{.name = "lsq4",
             .settings = {"quantization.weights=lsq4", "optimizer.learning_rate=1e-3"},
             .holds = {"F32"},
             .same_bits = {},
             .refused = {"I2_S", "Q1_0", "Q4_0", "TQ1_0"}},
        Case{.name = "lsq8",
             .settings = {"quantization.weights=lsq8", "optimizer.learning_rate=1e-3", "model.num_hidden_layers=1"},
             .holds = {"F32"},
             .same_bits = {},
             .refused = {"I2_S", "Q8_0", "Q4_0"}},
        Case{.name = "floats",
             .settings = {"quantization.weights=none", "quantization.activations=none", "model.architecture=llama"},
             .holds = {"F32"},
             .same_bits = {},
             .refused = {},
             .tolerance = 1e-5}),
    [](const auto& tested) { return std::string(tested.param.name); });

}  // namespace
}  // namespace tern::test
