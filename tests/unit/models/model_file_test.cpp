// Binding a GGUF file to its architecture: what is found, and each way a file can contradict itself named in one line.
#include "models/model_file.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <limits>

#include "tests/support/gguf_image.hpp"

namespace tern::models {
namespace {

using test::bound;
using test::GgufImage;
using test::small_image;

void expect_refused(const GgufImage& image, const std::string& expected) {
  const std::string bytes = image.bytes();
  const auto model = bound(bytes);
  ASSERT_FALSE(model) << expected;
  EXPECT_TRUE(model.error().message.starts_with("image.gguf: ")) << model.error().message;
  EXPECT_NE(model.error().message.find(expected), std::string::npos) << model.error().message;
  EXPECT_EQ(model.error().message.find('\n'), std::string::npos);
}

TEST(ModelFile, BindsEveryTensorOfEveryArchitectureToItsBytes) {
  for (const Architecture* architecture : all()) {
    const std::string bytes = small_image(architecture->name).bytes();
    const auto model = bound(bytes);
    ASSERT_TRUE(model) << architecture->name << ": " << model.error().message;
    EXPECT_EQ(model->architecture().name, architecture->name);
    EXPECT_EQ(model->parameters().n_vocab, 259);
    std::uint64_t total = 0;
    for (const auto& tensor : model->file().tensors()) {
      const TensorView* view = model->tensor(tensor.name);
      ASSERT_NE(view, nullptr) << tensor.name;
      EXPECT_EQ(view->bytes.data(), model->file().bytes(tensor).data());
      total += tensor.n_bytes;
    }
    EXPECT_EQ(model->weight_bytes(), total);
    EXPECT_EQ(model->tensor("no.such.tensor"), nullptr);
    EXPECT_EQ(model->tensor(kNone), nullptr);
  }
}

TEST(ModelFile, AHeadWithoutATableReadsTheEmbedding) {
  GgufImage image = small_image();
  const std::string tied_bytes = image.bytes();
  const auto tied = bound(tied_bytes).value();
  EXPECT_TRUE(tied.is_tied());
  EXPECT_EQ(tied.tensor("output.weight")->bytes.data(), tied.tensor("token_embd.weight")->bytes.data());
  GgufImage::Tensor head = image.tensor("token_embd.weight");
  head.name = "output.weight";
  image.tensors.push_back(head);
  const std::string own_bytes = image.bytes();
  const auto own = bound(own_bytes).value();
  EXPECT_FALSE(own.is_tied());
  EXPECT_NE(own.tensor("output.weight")->bytes.data(), own.tensor("token_embd.weight")->bytes.data());
  EXPECT_EQ(own.weight_bytes(), tied.weight_bytes() + 259U * 64U * 4U);
}

TEST(ModelFile, OptionalTensorsMayBeAbsentAndRequiredOnesNot) {
  GgufImage image = small_image();
  image.drop("blk.0.attn_q.bias");
  image.drop("rope_freqs.weight");
  const std::string bytes = image.bytes();
  const auto model = bound(bytes);
  ASSERT_TRUE(model) << model.error().message;
  EXPECT_EQ(model->tensor("blk.0.attn_q.bias"), nullptr);
  EXPECT_NE(model->tensor("blk.0.attn_k.bias"), nullptr);
  for (const std::string name : {"blk.0.attn_q.weight", "output_norm.weight", "blk.0.ffn_down.weight"}) {
    GgufImage broken = small_image();
    broken.drop(name);
    expect_refused(broken, "tensor " + name + " is missing (expected [");
  }
  GgufImage no_table = small_image();
  no_table.drop("token_embd.weight");
  expect_refused(no_table, "tensor token_embd.weight is missing");
  GgufImage nothing = small_image();
  nothing.tensors.clear();
  expect_refused(nothing, "the file holds no tensors");
}

TEST(ModelFile, AWrongShapeIsNamedWithBothShapes) {
  GgufImage image = small_image();
  auto& tensor = image.tensor("blk.0.attn_k.weight");
  tensor.shape = matrix_shape(64, 16);
  tensor.values.resize(64 * 16);
  expect_refused(image, "tensor blk.0.attn_k.weight has shape [64, 16], expected [64, 32] from the metadata");
  GgufImage norm = small_image();
  norm.tensor("blk.0.attn_norm.weight").shape = vector_shape(32);
  norm.tensor("blk.0.attn_norm.weight").values.resize(32);
  expect_refused(norm, "tensor blk.0.attn_norm.weight has shape [32], expected [64] from the metadata");
}

TEST(ModelFile, VectorsMustBeFiniteFloats) {
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    GgufImage image = small_image();
    image.tensor("blk.0.ffn_norm.weight").values[63] = bad;
    expect_refused(image, "tensor blk.0.ffn_norm.weight holds NaN or infinity");
  }
  GgufImage coded = small_image();
  coded.tensor("blk.0.ffn_norm.weight").format = &formats::kQ8_0;
  expect_refused(coded, "tensor blk.0.ffn_norm.weight is a vector in Q8_0, expected F32, F16 or BF16");
}

TEST(ModelFile, ATensorThatNobodyReadsIsRefused) {
  GgufImage image = small_image("qwen3");
  for (const char* name : {"blk.0.attn_q.bias", "blk.1.attn_q.bias"}) {
    image.tensors.push_back({name, vector_shape(64), &formats::kF32, std::vector<float>(64)});
  }
  expect_refused(image, "tensor blk.0.attn_q.bias (and 1 more) means nothing to architecture qwen3");
}

TEST(ModelFile, UnknownArchitecturesAndTransformedWeightsAreRefused) {
  GgufImage other = small_image();
  other.metadata.set("general.architecture", std::string("lama"));
  expect_refused(other,
                 "architecture \"lama\" is not supported; Tern runs llama, qwen2, qwen3, gemma3, bitnet, bitnet-25, "
                 "bitnet-b1.58 (did you mean llama?)");
  GgufImage silent = small_image();
  silent.metadata.erase("general.architecture");
  expect_refused(silent, "metadata key general.architecture is missing");
}

TEST(ModelFile, ATypeOfSomebodyElseIsRefusedByTensor) {
  std::string bytes = small_image("llama", formats::kF16).bytes();
  // The type number follows the two dimensions of the tensor's record.
  const std::string record = std::string("blk.0.attn_q.weight") + std::string("\2\0\0\0", 4);
  const auto at = bytes.find(record) + record.size() + 16;
  ASSERT_LT(at, bytes.size());
  ASSERT_EQ(bytes[at], 1);  // F16
  bytes[at] = 99;
  const auto model = bound(bytes);
  ASSERT_FALSE(model);
  EXPECT_NE(model.error().message.find("tensor blk.0.attn_q.weight: "), std::string::npos) << model.error().message;
  EXPECT_NE(model.error().message.find("99"), std::string::npos) << model.error().message;
}

TEST(ModelFile, MoreLayersThanTensorsAreRefusedBeforeAPlanIsBuilt) {
  GgufImage image = small_image();
  image.metadata.set("llama.block_count", std::uint32_t{4000});
  expect_refused(image, "4000 layers are stated but the file holds only");
}

TEST(ModelFile, ThousandsOfLayersAreRefusedWithinASecond) {
  GgufImage image = small_image();
  image.metadata.set("llama.block_count", std::uint32_t{4096});
  for (int i = 0; i < 4200; ++i)
    image.tensors.push_back({fmt::format("filler.{}", i), vector_shape(1), &formats::kF32, {1.0F}});
  const auto start = std::chrono::steady_clock::now();
  expect_refused(image, "tensor blk.1.attn_norm.weight is missing");
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(3));
}

TEST(ModelFile, ReplacingTheEmbeddingReplacesTheTiedHeadTooAndLeavesTheFileAlone) {
  const std::string bytes = small_image().bytes();
  const ModelFile original = bound(bytes).value();
  ModelFile changed = original;
  auto buffer = std::make_shared<AlignedBuffer>(formats::tensor_bytes(formats::kQ8_0, matrix_shape(64, 259)).value());
  ASSERT_TRUE(changed.replace("token_embd.weight", formats::kQ8_0, buffer).has_value());
  EXPECT_EQ(changed.tensor("token_embd.weight")->format, &formats::kQ8_0);
  EXPECT_EQ(changed.tensor("output.weight")->format, &formats::kQ8_0);
  EXPECT_EQ(changed.tensor("output.weight")->bytes.data(), buffer->data());
  EXPECT_TRUE(changed.is_tied());
  EXPECT_EQ(original.tensor("token_embd.weight")->format, &formats::kF32);
  EXPECT_EQ(original.weight_bytes() - changed.weight_bytes(), 259U * (64U * 4U - 2U * 34U));
  const auto missing = changed.replace("token_embed.weight", formats::kQ8_0, buffer);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().message, "no tensor token_embed.weight in this model");
  EXPECT_FALSE(changed.replace("token_embd.weight", formats::kQ4_K, buffer)) << "rows of 64 do not divide by 256";
}

TEST(ModelFile, ADamagedScaleOfATernaryTensorIsFoundAtOnce) {
  models::HyperParameters p = test::small_parameters(kBitNetB158);
  p.n_embd = 128;
  p.head_dim = p.n_rotary = 32;
  p.n_ff = 128;
  std::string bytes = test::image_of(kBitNetB158, p, formats::kI2_S).bytes();
  const auto file = files::GgufFile::parse(std::as_bytes(std::span(bytes)), "x").value();
  const auto* tensor = file.find("blk.0.attn_v.weight");
  const float nan = std::numeric_limits<float>::quiet_NaN();
  std::memcpy(bytes.data() + tensor->offset + tensor->n_bytes - 32, &nan, 4);
  const auto model = bound(bytes);
  ASSERT_FALSE(model);
  EXPECT_NE(model.error().message.find("blk.0.attn_v.weight: the I2_S scale is nan"), std::string::npos)
      << model.error().message;
}

}  // namespace
}  // namespace tern::models
