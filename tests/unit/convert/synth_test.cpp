// Models with random weights: the same for the same options, of the shape and the statistics that were promised, and
// fit to run.
#include "convert/synth.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "models/model_file.hpp"
#include "tests/support/models.hpp"
#include "tests/support/process.hpp"

namespace tern::convert {
namespace {

using test::must;

SynthShape small(std::string_view name) {
  SynthShape shape = must(synth_shape_by_name(name));
  shape.hidden = 256;
  shape.layers = 2;
  shape.heads = 4;
  shape.kv_heads = 2;
  shape.head_dim = shape.head_dim == 0 ? 0 : 32;
  shape.feed_forward = 512;
  shape.vocabulary = 600;
  return shape;
}

class Synth : public testing::Test {
 protected:
  std::string made(const SynthShape& shape, const formats::Format* type, std::uint64_t seed = 1, int n_threads = 1) {
    Progress quiet;
    SynthOptions options{.shape = shape, .outfile = folder_.file("synth.gguf"), .type = type, .seed = seed};
    options.write = {.overwrite = true, .n_threads = n_threads};
    must(synth(options, quiet));
    return options.outfile;
  }
  std::string bytes(const SynthShape& shape, const formats::Format* type, std::uint64_t seed = 1, int n_threads = 1) {
    return test::whole_file(made(shape, type, seed, n_threads));
  }
  test::TemporaryFolder folder_;
};

std::vector<float> values_of(const models::ModelFile& model, const std::string& name) {
  const TensorView* view = model.tensor(name);
  std::vector<float> out(static_cast<std::size_t>(view->shape.n_elements()));
  must(formats::decode_rows(*view->format, view->shape, view->bytes, 0, view->shape.n_rows(), out));
  return out;
}

double deviation(const std::vector<float>& values) {
  double squares = 0.0;
  for (const float v : values) squares += static_cast<double>(v) * static_cast<double>(v);
  return std::sqrt(squares / static_cast<double>(values.size()));
}

TEST_F(Synth, SeedAndOptionsDecideEveryByte) {
  const SynthShape shape = small("bitnet-2b-4t");
  const std::string one = bytes(shape, &formats::kTQ2_0, 1, 1);
  EXPECT_TRUE(one == bytes(shape, &formats::kTQ2_0, 1, 3));
  const std::string other = bytes(shape, &formats::kTQ2_0, 2, 1);
  EXPECT_EQ(one.size(), other.size());
  EXPECT_FALSE(one == other);
}

TEST_F(Synth, MatricesOfBitNetShapesAreTernaryWithOneScale) {
  for (const formats::Format* type : {&formats::kI2_S, &formats::kTQ1_0, &formats::kTQ2_0, &formats::kF16}) {
    const auto model = must(models::ModelFile::open(made(small("bitnet-700m"), type)));
    const std::vector<float> values = values_of(model, "blk.1.ffn_up.weight");
    std::set<float> magnitudes;
    std::size_t n_zero = 0;
    for (const float v : values) {
      magnitudes.insert(std::fabs(v));
      n_zero += v == 0.0F ? 1 : 0;
    }
    EXPECT_EQ(magnitudes.size(), 2U) << type->name;
    EXPECT_NEAR(static_cast<double>(n_zero) / static_cast<double>(values.size()), 10.0 / 32.0, 0.01) << type->name;
    EXPECT_NEAR(deviation(values), 1.0 / 16.0, 0.001) << type->name;
  }
}

TEST_F(Synth, MatricesInQ1AreBinary) {
  const auto model = must(models::ModelFile::open(made(small("bitnet-2b-4t"), &formats::kQ1_0)));
  const std::vector<float> values = values_of(model, "blk.0.attn_q.weight");
  double sum = 0.0;
  for (const float v : values) {
    EXPECT_EQ(std::fabs(v), std::fabs(values.front()));
    sum += static_cast<double>(v);
  }
  EXPECT_NEAR(sum / static_cast<double>(values.size()), 0.0, 0.001);
}

TEST_F(Synth, MatricesOfOtherShapesAreNormal) {
  const auto model = must(models::ModelFile::open(made(small("llama-8b"), &formats::kF32)));
  const std::vector<float> values = values_of(model, "blk.0.ffn_gate.weight");
  EXPECT_NEAR(deviation(values), 1.0 / 16.0, 0.001);
  std::size_t n_within = 0;
  for (const float v : values) n_within += std::fabs(v) < 1.0F / 16.0F ? 1 : 0;
  EXPECT_NEAR(static_cast<double>(n_within) / static_cast<double>(values.size()), 0.683, 0.02);
  EXPECT_FALSE(values_of(model, "output.weight") == values_of(model, "token_embd.weight"));
}

// Every shape runs, and its logits have a deviation near one.
TEST_F(Synth, EveryShapeRunsWithSaneNumbers) {
  for (const SynthShape& known : synth_shapes()) {
    SCOPED_TRACE(known.name);
    const auto model = test::load(made(small(known.name), nullptr));
    EXPECT_NE(model->tokenizer(), nullptr);
    const std::vector<float> logits = test::logits_of(model, {1, 50, 300, 77}, {}, {4});
    const double size = deviation(logits);
    EXPECT_GT(size, 0.5);
    EXPECT_LT(size, 2.0);
  }
}

TEST_F(Synth, TheRealShapesAreThoseOfTheModels) {
  // Parameters of the blocks and of the table, counted by hand from the configurations.
  const auto p = must(hyper_parameters_of(must(synth_shape_by_name("bitnet-2b-4t"))));
  EXPECT_EQ(p.head_dim, 128);
  const std::int64_t block = 2 * 2560 * 2560 + 2 * 640 * 2560 + 3 * 2560 * 6912;
  EXPECT_EQ(block * p.n_layers, 2'084'044'800);
  EXPECT_EQ(p.n_vocab * p.n_embd, 328'335'360);
  EXPECT_EQ(must(hyper_parameters_of(must(synth_shape_by_name("qwen3-8b")))).head_dim, 128);
}

// 8640 divides by 64, not by 128 or 256.
TEST_F(Synth, TypesThatDoNotFitTheRowsAreRefusedAndNotReplaced) {
  Progress quiet;
  SynthShape shape = small("bitnet-3b");
  shape.feed_forward = 576;
  const std::string path = made(shape, nullptr);
  const auto model = must(models::ModelFile::open(path));
  EXPECT_EQ(model.tensor("blk.0.ffn_down.weight")->format, &formats::kQ2_0);
  EXPECT_EQ(model.tensor("blk.0.ffn_up.weight")->format, &formats::kI2_S);
  std::set<float> magnitudes;
  for (const float v : values_of(model, "blk.0.ffn_down.weight")) magnitudes.insert(std::fabs(v));
  EXPECT_EQ(magnitudes.size(), 2U);
  const auto refused = synth({.shape = shape, .outfile = folder_.file("no.gguf"), .type = &formats::kTQ2_0}, quiet);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::usage);
  EXPECT_NE(refused.error().message.find("ffn_down.weight"), std::string::npos) << refused.error().message;
  const auto ternary_table =
      synth({.shape = small("tiny"), .outfile = folder_.file("no.gguf"), .table = &formats::kI2_S}, quiet);
  ASSERT_FALSE(ternary_table);
  EXPECT_EQ(ternary_table.error().code, ErrorCode::usage);
}

TEST_F(Synth, ShapesThatCannotBeAreRefused) {
  Progress quiet;
  SynthShape shape = small("tiny");
  shape.heads = 3;
  const auto uneven = synth({.shape = shape, .outfile = folder_.file("no.gguf")}, quiet);
  ASSERT_FALSE(uneven);
  EXPECT_EQ(uneven.error().code, ErrorCode::usage);
  shape = small("tiny");
  shape.vocabulary = 100;
  EXPECT_FALSE(synth({.shape = shape, .outfile = folder_.file("no.gguf")}, quiet));
  EXPECT_FALSE(std::filesystem::exists(folder_.file("no.gguf")));
  const auto unknown = synth_shape_by_name("bitnet-2b4t");
  ASSERT_FALSE(unknown);
  EXPECT_NE(unknown.error().message.find("bitnet-2b-4t"), std::string::npos);
}

}  // namespace
}  // namespace tern::convert
