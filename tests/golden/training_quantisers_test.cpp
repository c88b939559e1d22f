// The fake quantisers of training against their definitions in torch (golden/make/fake_quantisers.py): codes, scales
// and values bit for bit, for weights whole and in groups and for the inputs of matrices, ties and hard cases included;
// and what a quantised linear layer makes of them, with the gradients of the straight-through rules.
#include <gtest/gtest.h>

#include <cmath>

#include "models/plan_builder.hpp"
#include "ops/round_token.hpp"
#include "tests/support/one_train_step.hpp"
#include "tests/support/training_vectors.hpp"
#include "train/quantizers/quantizers.hpp"

namespace tern::train {
namespace {

using test::OneTrainStep;
using test::TrainingVectors;

struct Granularity {
  std::string name;
  std::int64_t group;
};
const std::vector<Granularity> kGranularities{{"tensor", 0}, {"group64", 64}, {"group128", 128}};

const WeightQuantizer& quantizer(std::string_view name) {
  const auto found = weight_quantizer_by_name(name);
  EXPECT_TRUE(found) << name;
  return **found;
}

std::vector<float> copied(std::span<const float> values) {
  return {values.begin(), values.end()};
}

/// A matrix of the vectors with its quantiser, made ready at lambda = 1.
struct Quantized {
  Quantized(const TrainingVectors& golden, const std::string& matrix, std::string_view method, std::int64_t group,
            const std::vector<float>& steps)
      : master("matrix.weight", shape_of(golden, matrix), models::TensorRole::linear),
        step("matrix.step", vector_shape(std::max<std::int64_t>(1, std::ssize(steps))), models::TensorRole::scale),
        weight(master, steps.empty() ? nullptr : &step, {.weights = &quantizer(method), .group = group}) {
    std::ranges::copy(golden.floats(matrix), master.master.data());
    std::ranges::copy(steps, step.master.data());
    weight.renew(1.0F);
  }
  static Shape shape_of(const TrainingVectors& golden, const std::string& matrix) {
    const auto width = static_cast<std::int64_t>(golden.row_length(matrix));
    return matrix_shape(width, std::ssize(golden.floats(matrix)) / width);
  }

  Parameter master;
  Parameter step;
  Weight weight;
};

/// Codes, scales and values of `matrix` bit for bit; groups of `except` aside.
void expect_same_bits(const TrainingVectors& golden, const std::string& matrix, const std::string& at,
                      std::string_view method, std::int64_t group, std::int64_t except = -1) {
  SCOPED_TRACE(at);
  const std::string step = at + ".step";
  const Quantized q(golden, matrix, method, group, golden.has(step) ? golden.floats(step) : std::vector<float>{});
  const std::vector<float> scales = golden.floats(at + ".scale");
  const std::vector<float> codes = golden.floats(at + ".codes");
  const std::vector<float> values = golden.floats(at + ".value");
  ASSERT_EQ(q.weight.scales().size(), scales.size());
  ASSERT_EQ(q.weight.codes().size(), codes.size());
  const std::size_t size = codes.size() / scales.size();
  for (std::size_t i = 0; i < codes.size(); ++i) {
    const std::size_t g = i / size;
    if (static_cast<std::int64_t>(g) == except) continue;
    ASSERT_EQ(q.weight.scales()[g], scales[g]) << "scale " << g;
    ASSERT_EQ(static_cast<float>(q.weight.codes()[i]), codes[i]) << "code " << i;
    ASSERT_EQ(q.weight.values()[i] * q.weight.scale(), values[i]) << "value " << i;
  }
  EXPECT_EQ(q.weight.scale() == 1.0F, group != 0) << "the codes of a matrix with one scale are kept as integers";
}

TEST(TrainingQuantisers, CodesScalesAndValuesOfWeightsAreBitEqual) {
  const TrainingVectors golden("quantisers");
  for (const WeightQuantizer* method : kWeightQuantizers) {
    for (const Granularity& granularity : kGranularities) {
      const std::string at = std::string(method->name) + "." + granularity.name;
      expect_same_bits(golden, "weight", at, method->name, granularity.group);
    }
  }
}

// The zero group of the vectors (row 1, the first half) has no scale in the sign rule's definition. Ours has a floor,
// as the other methods have: every export format needs a positive scale.
constexpr std::int64_t kZeroGroup = 2;

TEST(TrainingQuantisers, TiesAndZerosAreBitEqual) {
  const TrainingVectors golden("quantisers");
  for (const char* method : {"absmean", "absmedian", "sign"}) {
    for (const Granularity& granularity : kGranularities) {
      const bool has_zero_group = std::string_view(method) == "sign" && granularity.group == 64;
      expect_same_bits(golden, "ties", "ties." + std::string(method) + "." + granularity.name, method,
                       granularity.group, has_zero_group ? kZeroGroup : -1);
    }
  }
  for (const char* method : {"lsq4", "lsq8"}) {
    expect_same_bits(golden, "ties", "ties." + std::string(method) + ".group64", method, 64);
  }
}

TEST(TrainingQuantisers, AGroupOfZerosHasTheLeastScaleUnderTheSignRule) {
  const TrainingVectors golden("quantisers");
  EXPECT_EQ(golden.floats("ties.sign.group64.scale")[kZeroGroup], 0.0F) << "the definition has no floor";
  const Quantized q(golden, "ties", "sign", 64, {});
  EXPECT_EQ(q.weight.scales()[kZeroGroup], round_scale(1e-5F));
  for (std::size_t i = 64 * kZeroGroup; i < 64 * (kZeroGroup + 1); ++i) {
    EXPECT_EQ(q.weight.codes()[i], -1) << "zero is no greater than the mean";
  }
}

TEST(TrainingQuantisers, LearnedStepsStartWhereTheirPaperSays) {
  const TrainingVectors golden("quantisers");
  const std::vector<float> w = golden.floats("weight");
  for (const auto& [method, highest] : {std::pair{"lsq4", 7.0}, {"lsq8", 127.0}}) {
    for (const Granularity& granularity : kGranularities) {
      const std::size_t size = granularity.group == 0 ? w.size() : static_cast<std::size_t>(granularity.group);
      Quantized q(golden, "weight", method, granularity.group, std::vector<float>(w.size() / size, 1.0F));
      q.weight.start_step();
      for (std::size_t g = 0; g < w.size() / size; ++g) {
        double sum = 0.0;
        for (std::size_t i = 0; i < size; ++i) sum += std::fabs(static_cast<double>(w[g * size + i]));
        const double first = 2.0 * sum / static_cast<double>(size) / std::sqrt(highest);
        EXPECT_NEAR(static_cast<double>(q.step.master.data()[g]), first, 1e-6 * first) << method << " group " << g;
      }
    }
  }
}

class TokenRounding : public testing::TestWithParam<std::string> {};

TEST_P(TokenRounding, CodesAndScalesAreBitEqual) {
  const TrainingVectors golden("quantisers");
  const auto kernels = kernels::choose(GetParam());
  if (!kernels) GTEST_SKIP() << kernels.error().message;
  for (const auto& [input, prefix] : {std::pair{"input", ""}, {"hard", "hard."}}) {
    const std::vector<float> x = golden.floats(input);
    const std::size_t width = golden.row_length(input);
    for (const int bits : {8, 4}) {
      const std::string at = prefix + ("act" + std::to_string(bits));
      SCOPED_TRACE(at);
      const std::vector<float> scales = golden.floats(at + ".s");
      const std::vector<float> codes = golden.floats(at + ".codes");
      const std::vector<float> values = golden.floats(at + ".value");
      std::vector<std::int8_t> bytes(width);
      std::vector<float> row(width);
      ASSERT_EQ(scales.size() * width, x.size());
      for (std::size_t t = 0; t < scales.size(); ++t) {
        std::int32_t sum = 0;
        const float s = ops::round_token(*kernels, bits, x.data() + t * width, static_cast<std::int64_t>(width),
                                         bytes.data(), &sum);
        std::ranges::copy(bytes, row.begin());
        EXPECT_EQ(s, scales[t]) << "token " << t;
        for (std::size_t i = 0; i < width; ++i) {
          ASSERT_EQ(row[i], codes[t * width + i]) << "token " << t << " [" << i << "]";
          ASSERT_EQ(row[i] / s, values[t * width + i]) << "token " << t << " [" << i << "]";
        }
      }
    }
  }
}

std::vector<std::string> isa_names() {
  std::vector<std::string> names;
  for (const kernels::Isa& isa : kernels::all_isas()) names.emplace_back(isa.name);
  return names;
}
INSTANTIATE_TEST_SUITE_P(EveryIsa, TokenRounding, testing::ValuesIn(isa_names()),
                         [](const auto& tested) { return tested.param; });

void expect_near(const std::vector<float>& got, const std::vector<float>& want, float factor, const std::string& what) {
  ASSERT_EQ(got.size(), want.size()) << what;
  double largest = 0.0;
  for (const float value : want) largest = std::max(largest, std::fabs(static_cast<double>(value * factor)));
  for (std::size_t i = 0; i < want.size(); ++i) {
    ASSERT_NEAR(static_cast<double>(got[i]), static_cast<double>(want[i] * factor), 3e-6 * largest)
        << what << " [" << i << "]";
  }
}

/// A linear layer of the vectors' weight and input: output and gradients. `at` names the case.
void expect_layer(const TrainingVectors& golden, const std::string& at, const std::string& steps_at,
                  const QuantizerOptions& options) {
  SCOPED_TRACE(at);
  models::PlanBuilder builder;
  const auto width = static_cast<std::int64_t>(golden.row_length("input"));
  const models::ValueId in =
      builder.embed("in", builder.tensor("no table", matrix_shape(width, 1), models::TensorRole::embedding));
  const models::ValueId out =
      builder.linear("out", in, builder.tensor("m.weight", matrix_shape(width, 4), models::TensorRole::linear), {});
  OneTrainStep one(builder.take(), 3, false, options);
  Parameter& weight = *one.parameters().find("m.weight");
  std::ranges::copy(golden.floats("weight"), weight.master.data());
  Parameter* step = one.parameters().find("m.step");
  ASSERT_EQ(step != nullptr, options.weights->learned_scale);
  if (step != nullptr) std::ranges::copy(golden.floats(steps_at + ".step"), step->master.data());
  one.make();
  one.set_value(in, golden.floats("input"));
  one.forward();
  one.set_gradient(out, golden.floats("d_out"));
  const bool clipped = options.straight_through == StraightThrough::clipped;
  if (!clipped) expect_near(one.value_of(out, 1), golden.floats(at + ".out"), 1.0F, "out");
  one.backward();
  one.weights().finish_gradients(one.pool());
  expect_near(copied(weight.gradient.span()), golden.floats(at + (clipped ? ".d_weight_clipped" : ".d_weight")),
              OneTrainStep::kAllShares, "d_weight");
  if (!clipped)
    expect_near(one.gradient_of(in, 1), golden.floats(at + ".d_input"), OneTrainStep::kShares[1], "d_input");
  if (step != nullptr) {
    expect_near(copied(step->gradient.span()), golden.floats(at + ".d_step"), OneTrainStep::kAllShares, "d_step");
  }
}

TEST(TrainingQuantisers, LayersOfRoundedWeightsHaveTheirOutputsAndGradients) {
  const TrainingVectors golden("quantisers");
  for (const WeightQuantizer* method : kWeightQuantizers) {
    for (const Granularity& granularity : kGranularities) {
      const std::string at = std::string(method->name) + "." + granularity.name;
      QuantizerOptions options{.weights = method, .group = granularity.group};
      expect_layer(golden, at, at, options);
      if (method->learned_scale) continue;
      options.straight_through = StraightThrough::clipped;
      expect_layer(golden, at, at, options);
    }
  }
}

TEST(TrainingQuantisers, LayersOfRoundedWeightsAndInputsHaveTheirOutputsAndGradients) {
  const TrainingVectors golden("quantisers");
  for (const WeightQuantizer* method : kWeightQuantizers) {
    for (const int bits : {8, 4}) {
      const std::string method_at = std::string(method->name) + ".tensor";
      expect_layer(golden, "act" + std::to_string(bits) + "." + method_at, method_at,
                   {.weights = method, .activation_bits = bits});
    }
  }
}

}  // namespace
}  // namespace tern::train
