// Whole folders for transformers: what is in them, and all that has no place in one and leaves nothing behind. What
// transformers makes of them is golden/make/check_export.py's business.
#include "convert/export_hugging_face.hpp"

#include <gtest/gtest.h>

#include <filesystem>

#include "convert/export_tokenizer.hpp"
#include "convert/ternary_rows.hpp"
#include "sys/atomic_file.hpp"
#include "tests/support/models.hpp"
#include "tests/unit/convert/made_sources.hpp"

namespace tern::convert {
namespace {

using files::Dtype;
using models::BitNetStorage;
using models::TensorRole;
using test::must;

// A llama2.c-sized LLaMA of the test's own.
Source tiny_source(bool is_ternary) {
  Source source;
  source.architecture = &models::kLlama;
  models::HyperParameters& p = source.parameters;
  p.architecture = "llama";
  p.n_vocab = 300;
  p.n_ctx_train = 32;
  p.n_embd = p.n_ff = 64;
  p.n_layers = 2;
  p.n_heads = p.n_kv_heads = 4;
  p.head_dim = p.n_rotary = 16;
  if (is_ternary) p.linear_activation = {models::ActivationPolicy::Mode::per_token, 8};
  std::uint64_t seed = 1;
  for (const models::TensorSpec& spec : source.architecture->plan(p).tensors) {
    if (spec.optional) continue;
    const std::int64_t n = spec.shape.n_elements();
    std::vector<float> values = normal(n, seed++, 0.1, spec.shape.is_vector() ? 1.0 : 0.0);
    SourceTensor tensor = matrix(spec.name, spec.shape.n_rows(), spec.shape.row_length(), {});
    tensor.shape = spec.shape;
    tensor.role = spec.role;
    if (is_ternary && spec.role == TensorRole::linear) {
      tensor.is_ternary = true;
      tensor.masters = reader_of(values, spec.shape.row_length());
      ternarise(values, 0.0625F);
    }
    tensor.read = reader_of(std::move(values), spec.shape.row_length());
    source.tensors.push_back(std::move(tensor));
  }
  return source;
}

class ExportFolder : public testing::Test {
 protected:
  Result<HuggingFaceReport> write(const Source& source, HuggingFaceOptions options = {}) {
    options.folder = folder_.file("out");
    Progress quiet;
    return write_hugging_face(source, options, quiet);
  }
  std::string refusal(const Source& source, const HuggingFaceOptions& options = {}) {
    const auto report = write(source, options);
    EXPECT_TRUE(std::filesystem::is_empty(folder_.path()));
    return report ? "taken" : report.error().message;
  }

  test::TemporaryFolder folder_;
};

TEST_F(ExportFolder, HoldsAModelThatOpensAgain) {
  const Source source = tiny_source(true);
  const auto report = write(source);
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->spelling, BitNetStorage::packed_multiply);
  EXPECT_EQ(report->n_tensors, source.tensors.size() + 14);  // a scale for each linear
  EXPECT_EQ(report->files, (std::vector<std::string>{"model.safetensors", "config.json"}));
  const Source again = must(open_source(folder_.file("out")));
  EXPECT_EQ(again.parameters, source.parameters);
  ASSERT_EQ(again.tensors.size(), source.tensors.size());
  for (std::size_t i = 0; i < again.tensors.size(); ++i) {
    std::vector<float> a(static_cast<std::size_t>(source.tensors[i].shape.n_elements()));
    std::vector<float> b = a;
    must(source.tensors[i].read(0, source.tensors[i].shape.n_rows(), a));
    must(again.tensors[i].read(0, again.tensors[i].shape.n_rows(), b));
    EXPECT_EQ(a, b) << again.tensors[i].name;
  }
  const auto second = write(source);
  ASSERT_FALSE(second);
  EXPECT_NE(second.error().message.find("--force"), std::string::npos);
  EXPECT_TRUE(write(source, {.overwrite = true}));
}

// Signs are ternary codes without zeros: the packed classes compute a binary model as it is.
TEST_F(ExportFolder, HoldsBinaryWeightsPacked) {
  Source source = tiny_source(true);
  for (SourceTensor& tensor : source.tensors) {
    if (tensor.role != TensorRole::linear) continue;
    std::vector<float> values(static_cast<std::size_t>(tensor.shape.n_elements()));
    must(tensor.masters(0, tensor.shape.n_rows(), values));
    for (float& v : values) v = v < 0.0F ? -0.03125F : 0.03125F;
    tensor.read = reader_of(values, tensor.shape.row_length());
  }
  ASSERT_TRUE(write(source));
  std::filesystem::remove_all(folder_.file("out"));
  EXPECT_NE(refusal(source, {.spelling = BitNetStorage::online_masters}).find("packed"), std::string::npos);
}

TEST_F(ExportFolder, WritesTernaryMatricesAsFloatsWhereActivationsAreFloats) {
  Source source = tiny_source(true);
  source.parameters.linear_activation = {models::ActivationPolicy::Mode::none, 8};
  const auto report = write(source);
  ASSERT_TRUE(report);
  EXPECT_EQ(report->spelling, BitNetStorage::none);
  EXPECT_FALSE(test::read_json(folder_.file("out/config.json")).contains("quantization_config"));
}

TEST_F(ExportFolder, RefusesByNameWhatHasNoPlaceAndLeavesNothing) {
  Source floats = tiny_source(false);
  floats.parameters.linear_activation = {models::ActivationPolicy::Mode::per_token, 8};
  EXPECT_NE(refusal(floats).find("not ternary with one scale"), std::string::npos);
  EXPECT_NE(refusal(floats, {.spelling = BitNetStorage::online_masters}).find("masters"), std::string::npos);
  EXPECT_NE(refusal(floats, {.spelling = BitNetStorage::none}).find("choose the spelling"), std::string::npos);
  EXPECT_NE(refusal(tiny_source(false), {.dtype = Dtype::i8}).find("choose f32, f16 or bf16"), std::string::npos);

  Source scaled = tiny_source(false);
  SourceTensor extra = matrix("blk.0.attn_q.scale", 1, 1, {2.0F});
  extra.shape = vector_shape(1);
  extra.role = TensorRole::scale;
  scaled.tensors.push_back(extra);
  EXPECT_NE(refusal(scaled).find("blk.0.attn_q.scale has no place"), std::string::npos);

  Source factors = tiny_source(false);
  extra.name = "rope_freqs.weight";
  extra.shape = vector_shape(8);
  extra.role = TensorRole::rope_factors;
  extra.read = reader_of(std::vector<float>(8, 2.0F), 8);
  factors.tensors.push_back(extra);
  EXPECT_NE(refusal(factors).find("not the rule"), std::string::npos);
  factors.llama3_rope = models::Llama3Rope{8.0F, 1.0F, 4.0F, 64};  // another rule than the factors'
  EXPECT_NE(refusal(factors).find("not the rule"), std::string::npos);

  Source unknown = tiny_source(false);
  unknown.unknown.push_back({"visual.patch", "[1]", "F32"});
  EXPECT_NE(refusal(unknown).find("visual.patch"), std::string::npos);
}

TEST_F(ExportFolder, RefusesBiasesThatTransformersWouldScale) {
  Source source = tiny_source(true);
  for (int layer = 0; layer < 2; ++layer) {
    for (const char* name : {"attn_q", "attn_k", "attn_v", "attn_output"}) {
      SourceTensor bias = matrix(fmt::format("blk.{}.{}.bias", layer, name), 1, 64, std::vector<float>(64, 0.5F));
      bias.shape = vector_shape(64);
      bias.role = TensorRole::bias;
      source.tensors.push_back(bias);
    }
  }
  EXPECT_NE(refusal(source).find("packed_divide"), std::string::npos);
  ASSERT_TRUE(write(source, {.spelling = BitNetStorage::packed_divide}));
  EXPECT_EQ(test::read_json(folder_.file("out/config.json")).at("attention_bias"), true);
  std::filesystem::remove_all(folder_.file("out"));
  source.tensors.pop_back();
  EXPECT_NE(refusal(source, {.spelling = BitNetStorage::packed_divide}).find("1 of 2 layers"), std::string::npos);
}

TEST_F(ExportFolder, StopsWhenAskedAndLeavesNothing) {
  class Stopper : public Progress {
   public:
    explicit Stopper(int after) : left_(after) {}
    [[nodiscard]] bool cancelled() const override { return left_-- <= 0; }

   private:
    mutable int left_;
  };
  for (const int after : {0, 5, 25}) {
    Stopper stopper(after);
    const auto report = write_hugging_face(tiny_source(false), {.folder = folder_.file("out")}, stopper);
    ASSERT_FALSE(report);
    EXPECT_EQ(report.error().code, ErrorCode::cancelled);
    EXPECT_TRUE(std::filesystem::is_empty(folder_.path()));
  }
}

TEST_F(ExportFolder, TakesTheTokenizerFromAFolderOrAFile) {
  const std::string json =
      R"({"version":"1.0","added_tokens":[{"id":2,"content":"<s>","special":true}],"model":{"type":"BPE","vocab":{"a":0,"b":1,"<s>":2},"merges":[]},)"
      R"("pre_tokenizer":{"type":"ByteLevel","add_prefix_space":false,"use_regex":true}})";
  must(sys::write_file(folder_.file("trained.json"), json, false));
  ASSERT_TRUE(write(tiny_source(false), {.tokenizer = folder_.file("trained.json")}));
  EXPECT_EQ(test::must(sys::read_text_file(folder_.file("out/tokenizer.json"))), json);
  const auto config = test::read_json(folder_.file("out/tokenizer_config.json"));
  EXPECT_EQ(config.at("tokenizer_class"), "PreTrainedTokenizerFast");
  EXPECT_EQ(config.at("model_max_length"), 32);

  must(sys::write_file(folder_.file("notes.txt"), "plain", false));
  const auto refused = find_tokenizer_files(folder_.file("notes.txt"), 300, 32);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("tokenizer.json"), std::string::npos);
  EXPECT_FALSE(find_tokenizer_files(folder_.file("trained.json"), 2, 32));  // more tokens than rows
  std::filesystem::create_directory(folder_.file("empty"));
  EXPECT_EQ(find_tokenizer_files(folder_.file("empty"), 300, 32).error().code, ErrorCode::not_found);
}

TEST(Spellings, HaveNamesBothWays) {
  for (const char* name : {"masters", "packed_multiply", "packed_divide"})
    EXPECT_EQ(spelling_name(spelling_by_name(name).value()), name);
  const auto refused = spelling_by_name("packed-multiply");
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("did you mean packed_multiply"), std::string::npos);
}

}  // namespace
}  // namespace tern::convert
