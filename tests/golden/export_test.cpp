// The way out to Hugging Face and back: every checkpoint of a kind is opened, written as a folder and opened again,
// with all tensors and all numbers equal; and its config.json is the one that transformers accepted and computed the
// same logits from (golden/make/check_export.py, which runs this program with TERN_EXPORT_KEEP and wrote the records).
#include <gtest/gtest.h>

#include <cctype>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "base/half.hpp"
#include "convert/export_hugging_face.hpp"
#include "convert/ternary_rows.hpp"
#include "tests/support/golden_checkpoint.hpp"

namespace tern::test {
namespace {

using convert::Source;
using convert::SourceTensor;
using files::Dtype;
using models::BitNetStorage;

struct Case {
  const char* name;
  const char* data = "";  // below the data folder; "": golden/data/architectures
  BitNetStorage spelling = BitNetStorage::none;
  Dtype dtype = Dtype::f32;
  enum class Trained : unsigned char {
    as_stored,
    fp16_scales,  // ternary, as if its scales had been rounded in training
    ternary,      // of a float model: the same, and its activations to int8
  } trained = Trained::as_stored;

  [[nodiscard]] std::string title() const {
    const char* how = trained == Trained::as_stored ? "" : trained == Trained::ternary ? "-ternary" : "-fp16-scales";
    return fmt::format("{}{}--{}-{}", name, how, convert::spelling_name(spelling), files::dtype_name(dtype));
  }
};
void PrintTo(const Case& c, std::ostream* out) {
  *out << c.title();
}

std::string slurp(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

std::vector<float> all_rows(const SourceTensor& tensor, const quant::RowReader& read) {
  std::vector<float> out(static_cast<std::size_t>(tensor.shape.n_elements()));
  must(read(0, tensor.shape.n_rows(), out));
  return out;
}

// What a trainer gives: masters as they are, codes and scale by a rule that rounds the scale to fp16.
void round_scales(Source& source, bool is_float) {
  if (is_float) source.parameters.linear_activation = {models::ActivationPolicy::Mode::per_token, 8};
  for (SourceTensor& tensor : source.tensors) {
    if (tensor.role != models::TensorRole::linear) continue;
    if (is_float) tensor.masters = tensor.read;
    tensor.is_ternary = true;
    std::vector<float> values = all_rows(tensor, tensor.masters);
    double sum = 0.0;
    for (const float w : values) sum += std::abs(static_cast<double>(w));
    const float scale = fp16_to_fp32(fp32_to_fp16(static_cast<float>(sum / static_cast<double>(values.size()))));
    convert::ternarise(values, scale);
    const auto k = static_cast<std::size_t>(tensor.shape.row_length());
    tensor.read = [values, k](std::int64_t first, std::int64_t n, std::span<float> out) -> Result<void> {
      std::copy_n(values.begin() + first * static_cast<std::int64_t>(k), static_cast<std::size_t>(n) * k, out.begin());
      return {};
    };
  }
}

// -0 is 0: a code has no sign of its own. `tolerance` is relative, `smallest` absolute.
void expect_same_values(const SourceTensor& want, const SourceTensor& got, float tolerance, float smallest) {
  ASSERT_EQ(want.name, got.name);
  ASSERT_EQ(want.shape, got.shape) << want.name;
  EXPECT_EQ(want.role, got.role) << want.name;
  const auto a = all_rows(want, want.read);
  const auto b = all_rows(got, got.read);
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i] == b[i]) continue;
    ASSERT_LE(std::abs(a[i] - b[i]), std::max(tolerance * std::abs(a[i]), smallest)) << want.name << ", element " << i;
  }
}

class Export : public testing::TestWithParam<Case> {
 protected:
  static bool has_source(const Case& c) { return *c.data == '\0' || !data_folder().empty(); }

  std::string source_folder(const Case& c) {
    if (*c.data != '\0') return fmt::format("{}/{}/{}", data_folder(), c.data, c.name);
    const std::string path = folder_.file(c.name);
    std::filesystem::create_directory(path);
    return write_golden_checkpoint(path, c.name).folder;
  }
  std::string target_folder(const Case& c) {
    const char* kept = std::getenv("TERN_EXPORT_KEEP");
    return kept == nullptr ? folder_.file("exported") : fmt::format("{}/{}", kept, c.title());
  }

  TemporaryFolder folder_;
};

TEST_P(Export, GivesBackTheSameModelAndTheConfigThatTransformersTook) {
  const Case c = GetParam();
  if (!has_source(c)) TERN_NEEDS_DATA();
  const std::string from = source_folder(c);
  Source source = must(convert::open_source(from));
  if (c.trained != Case::Trained::as_stored) round_scales(source, c.trained == Case::Trained::ternary);
  const std::string to = target_folder(c);
  Progress quiet;
  convert::HuggingFaceOptions options{.folder = to, .dtype = c.dtype, .tokenizer = from, .overwrite = true};
  if (c.spelling != BitNetStorage::none) options.spelling = c.spelling;
  const auto report = must(convert::write_hugging_face(source, options, quiet));
  EXPECT_EQ(report.spelling, c.spelling);

  const Source again = must(convert::open_source(to));
  EXPECT_EQ(again.architecture, source.architecture);
  EXPECT_EQ(again.parameters, source.parameters);
  EXPECT_EQ(again.llama3_rope, source.llama3_rope);
  EXPECT_TRUE(again.unknown.empty());
  ASSERT_EQ(again.tensors.size(), source.tensors.size());
  const bool is_inverse = c.spelling == BitNetStorage::packed_divide;
  // Masters that had to be made to fit: their mean, which is the scale, is one of float32 or less.
  const float fitted = c.dtype == Dtype::f32 ? 2e-6F : 1e-3F;
  const float tolerance = report.n_fitted_tensors > 0 ? fitted : is_inverse ? 0x1p-23F : 0.0F;
  const float smallest = c.dtype == Dtype::f16 ? 0x1p-25F : 0.0F;  // F16 ends where BF16 goes on
  for (std::size_t i = 0; i < source.tensors.size(); ++i) {
    const bool is_inexact = source.tensors[i].is_ternary;
    expect_same_values(source.tensors[i], again.tensors[i], is_inexact ? tolerance : 0.0F, smallest);
  }
  EXPECT_EQ(slurp(to + "/tokenizer.json"), slurp(from + "/tokenizer.json"));

  const std::string record = source_file("tests/golden/data/export/" + c.title() + ".json");
  EXPECT_EQ(slurp(to + "/config.json"), slurp(record)) << "transformers accepted another one: run check_export.py";
}

// ctest wants letters, digits and underscores.
std::string name_of_case(const testing::TestParamInfo<Case>& tested) {
  std::string name = tested.param.title();
  for (char& letter : name) {
    if (std::isalnum(static_cast<unsigned char>(letter)) == 0) letter = '_';
  }
  return name;
}

constexpr auto kMasters = BitNetStorage::online_masters;
constexpr auto kMultiply = BitNetStorage::packed_multiply;
constexpr auto kDivide = BitNetStorage::packed_divide;
constexpr auto kFp16Scales = Case::Trained::fp16_scales;
constexpr auto kTernary = Case::Trained::ternary;

INSTANTIATE_TEST_SUITE_P(Architectures, Export,
                         testing::Values(Case{"mistral-window"}, Case{"qwen2-upper-window"}, Case{"llama-linear-rope"},
                                         Case{"llama-yarn-rope"}, Case{"qwen3-yarn-rope"}, Case{"gemma3-old-spelling"},
                                         Case{"gemma3-new-spelling"}, Case{"bitnet-embedding-qwen3", "", kMasters},
                                         Case{"bitnet-embedding-qwen3", "", kMultiply},
                                         Case{"bitnet-embedding-qwen3", "", kDivide},
                                         Case{"bitnet-embedding-gemma3", "", kMultiply}),
                         name_of_case);

INSTANTIATE_TEST_SUITE_P(Ternary, Export,
                         testing::Values(Case{"llama-linear-rope", "", kMasters, Dtype::f32, kTernary},
                                         Case{"llama-linear-rope", "", kMultiply, Dtype::f32, kTernary},
                                         Case{"llama-linear-rope", "", kDivide, Dtype::f32, kTernary},
                                         Case{"mistral-window", "", kMultiply, Dtype::f32, kTernary},
                                         Case{"qwen2-upper-window", "", kMasters, Dtype::f32, kTernary},
                                         Case{"qwen2-upper-window", "", kDivide, Dtype::f32, kTernary},
                                         Case{"qwen3-yarn-rope", "", kMultiply, Dtype::f32, kTernary},
                                         Case{"gemma3-new-spelling", "", kMasters, Dtype::f32, kTernary},
                                         Case{"gemma3-new-spelling", "", kMultiply, Dtype::f32, kTernary}),
                         name_of_case);

INSTANTIATE_TEST_SUITE_P(
    Data, Export,
    testing::Values(Case{"llama", "golden"}, Case{"llama", "golden", BitNetStorage::none, Dtype::bf16},
                    Case{"llama", "golden", BitNetStorage::none, Dtype::f16},
                    Case{"llama-rope-scaled-sharded", "golden"}, Case{"qwen2", "golden"}, Case{"qwen3", "golden"},
                    Case{"bitnet-online", "golden", kMasters}, Case{"bitnet-online", "golden", kMasters, Dtype::bf16},
                    Case{"bitnet-online", "golden", kMultiply}, Case{"bitnet-online", "golden", kDivide},
                    Case{"bitnet-online", "golden", kMasters, Dtype::f32, kFp16Scales},
                    Case{"bitnet-online", "golden", kMasters, Dtype::bf16, kFp16Scales},
                    Case{"bitnet-online", "golden", kMultiply, Dtype::f32, kFp16Scales},
                    Case{"bitnet-online", "golden", kDivide, Dtype::f32, kFp16Scales},
                    Case{"bitnet-packed", "golden", kMultiply}, Case{"bitnet-packed", "golden", kDivide},
                    Case{"bitnet-packed", "golden", kMultiply, Dtype::bf16},
                    Case{"llama-bitlinear-packed", "golden", kDivide},
                    Case{"llama-bitlinear-packed", "golden", kMultiply}, Case{"reference-float", "models"},
                    Case{"reference-bitnet", "models", kMultiply}, Case{"reference-bitnet-masters", "models", kMasters},
                    Case{"reference-bitnet-masters", "models", kMasters, Dtype::f32, kFp16Scales},
                    Case{"reference-bitnet-masters", "models", kMultiply, Dtype::f32, kFp16Scales},
                    Case{"reference-bitnet-masters", "models", kDivide, Dtype::f32, kFp16Scales}),
    name_of_case);

}  // namespace
}  // namespace tern::test
