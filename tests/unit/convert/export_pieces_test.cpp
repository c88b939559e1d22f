// The pieces of the way out to Hugging Face: rows, packing and names against numpy and transformers
// (golden/make/make_export_rows.py), and masters that are made to fit.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>

#include "base/half.hpp"
#include "convert/export_masters.hpp"
#include "convert/export_rows.hpp"
#include "convert/export_ternary.hpp"
#include "convert/row_order.hpp"
#include "convert/source_names.hpp"
#include "convert/ternary_rows.hpp"
#include "tests/support/models.hpp"
#include "tests/unit/convert/made_sources.hpp"

namespace tern::convert {
namespace {

using files::Dtype;
using models::BitNetStorage;
using models::TensorName;
using test::must;

std::vector<float> flat(const nlohmann::json& rows) {
  std::vector<float> out;
  for (const auto& row : rows)
    for (const auto& value : row) out.push_back(value.get<float>());
  return out;
}

nlohmann::json golden() {
  return test::read_json(test::source_file("tests/golden/data/export/rows.json"));
}

std::vector<std::byte> written(const std::function<Result<void>(const quant::ByteSink&)>& write) {
  std::vector<std::byte> out;
  must(write([&](std::span<const std::byte> bytes) -> Result<void> {
    out.insert(out.end(), bytes.begin(), bytes.end());
    return {};
  }));
  return out;
}

std::vector<float> as_floats(const std::vector<std::byte>& bytes) {
  std::vector<float> out(bytes.size() / sizeof(float));
  std::memcpy(out.data(), bytes.data(), bytes.size());
  return out;
}

TEST(ExportRows, TurnBackTheOrderOfRotaryPairs) {
  for (const std::int64_t head_dim : {2, 4, 6, 64}) {
    for (std::int64_t row = 0; row < 3 * head_dim; ++row) {
      EXPECT_EQ(
          gguf_row(TensorName::Rows::paired_key, source_row(TensorName::Rows::paired_key, row, head_dim), head_dim),
          row);
    }
  }
  const auto spec = golden();
  const SourceTensor tensor = matrix("q", 24, 2, flat(spec["gguf"]));
  const StoredForm form{.rows = TensorName::Rows::paired_query, .head_dim = spec["head_dim"].get<std::int64_t>()};
  EXPECT_EQ(as_floats(written([&](const quant::ByteSink& sink) {
              return write_float_rows("q", tensor.shape, tensor.read, form, sink);
            })),
            flat(spec["stored"]));
}

TEST(ExportNames, PutANormBeforeAProjectionInsideIt) {
  EXPECT_EQ(inner_norm_name(models::kLlama, "blk.3.attn_q_norm_in.weight"),
            "model.layers.3.self_attn.q_proj.rms_norm.weight");
  EXPECT_EQ(inner_norm_name(models::kGemma3, "blk.0.ffn_down_norm_in.weight"),
            "model.layers.0.mlp.down_proj.rms_norm.weight");
  EXPECT_EQ(inner_norm_name(models::kQwen3, "blk.0.attn_q_norm.weight"), "");
  EXPECT_EQ(inner_norm_name(models::kQwen3, "blk.0.other_norm_in.weight"), "");
}

TEST(ExportRows, TurnBackTheOrderOfABias) {
  std::vector<float> bias{0, 4, 1, 5, 2, 6, 3, 7, 8, 12, 9, 13, 10, 14, 11, 15};  // two heads of 8, as GGUF has them
  const StoredForm form{.rows = TensorName::Rows::paired_key, .head_dim = 8};
  const auto got = as_floats(written([&](const quant::ByteSink& sink) {
    return write_float_rows("b", vector_shape(16), reader_of(bias, 16), form, sink);
  }));
  for (std::size_t i = 0; i < got.size(); ++i) EXPECT_EQ(got[i], static_cast<float>(i));
}

TEST(ExportRows, KeepTheOrderAcrossBlocks) {
  constexpr std::int64_t kHead = 6;
  constexpr std::int64_t kRows = 60;
  constexpr std::int64_t kWide = 20'000;  // thirteen rows would be a block: it has to be whole heads
  std::vector<float> values(kRows * kWide);
  for (std::int64_t row = 0; row < kRows; ++row) {
    std::fill_n(values.begin() + row * kWide, kWide,
                static_cast<float>(source_row(TensorName::Rows::paired_query, row, kHead)));
  }
  std::int64_t asked = 0;
  const auto inner = reader_of(values, kWide);
  const quant::RowReader read = [&](std::int64_t first, std::int64_t n, std::span<float> out) {
    EXPECT_EQ(first, asked);  // ascending, as readers want it
    asked = first + n;
    return inner(first, n, out);
  };
  const StoredForm form{.rows = TensorName::Rows::paired_query, .head_dim = kHead};
  const auto got = as_floats(written([&](const quant::ByteSink& sink) {
    return write_float_rows("q", matrix_shape(kWide, kRows), read, form, sink);
  }));
  for (std::int64_t row = 0; row < kRows; ++row) {
    EXPECT_EQ(got[static_cast<std::size_t>(row * kWide)], static_cast<float>(row));
    EXPECT_EQ(got[static_cast<std::size_t>(row * kWide + kWide - 1)], static_cast<float>(row));
  }
}

TEST(ExportRows, TakeOffWhatReadingAddsAndRoundToTheType) {
  const std::vector<float> gains{1.0F, 1.5F, 0.75F, 2.0F};
  const auto bytes = written([&](const quant::ByteSink& sink) {
    return write_float_rows("n", vector_shape(4), reader_of(gains, 4), {.plus = 1.0F}, sink);
  });
  EXPECT_EQ(as_floats(bytes), (std::vector<float>{0.0F, 0.5F, -0.25F, 1.0F}));
  const auto halves = written([&](const quant::ByteSink& sink) {
    return write_float_rows("n", vector_shape(4), reader_of(gains, 4), {.dtype = Dtype::bf16}, sink);
  });
  EXPECT_EQ(halves, (std::vector<std::byte>{std::byte{0x80}, std::byte{0x3F}, std::byte{0xC0}, std::byte{0x3F},
                                            std::byte{0x40}, std::byte{0x3F}, std::byte{0x00}, std::byte{0x40}}));
  const auto sink = [](std::span<const std::byte>) -> Result<void> { return {}; };
  const auto refused = write_float_rows("n", vector_shape(1), reader_of({1e5F}, 1), {.dtype = Dtype::f16}, sink);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("F16 cannot"), std::string::npos);
}

TEST(ExportTernary, PacksAsTransformersDoes) {
  const auto spec = golden();
  const auto packed = [&](const char* rows, TensorName::Rows order) {
    std::vector<float> values = flat(spec[rows]);
    for (float& v : values) v *= 0.25F;
    const SourceTensor tensor = matrix("q", 16, 5, values);
    EXPECT_EQ(ternary_scale(tensor).value(), 0.25F);
    std::vector<float> out;
    for (const std::byte byte : written([&](const quant::ByteSink& sink) {
           return write_packed_rows(tensor, order, spec["head_dim"].get<std::int64_t>(), sink);
         }))
      out.push_back(static_cast<float>(std::to_integer<int>(byte)));
    return out;
  };
  EXPECT_EQ(packed("codes", TensorName::Rows::as_stored), flat(spec["packed"]));
  EXPECT_EQ(packed("rotary_gguf", TensorName::Rows::paired_query), flat(spec["rotary_packed"]));
}

TEST(ExportTernary, StoresScalesThatReadersGiveBack) {
  const auto spec = golden();
  for (std::size_t i = 0; i < spec["scales"].size(); ++i) {
    const float scale = spec["scales"][i].get<float>();
    EXPECT_EQ(stored_scale(BitNetStorage::packed_multiply, scale), scale);
    EXPECT_NEAR(stored_scale(BitNetStorage::packed_divide, scale), spec["inverses"][i].get<float>(),
                spec["inverses"][i].get<float>() * 1.2e-7F);
  }
  int n_exact = 0;
  int n = 0;
  for (std::uint16_t bits = 0x0C00; bits < 0x3C00; ++bits, ++n) {  // every fp16 scale from 2^-12 to 1
    const float scale = fp16_to_fp32(bits);
    const float back = 1.0F / stored_scale(BitNetStorage::packed_divide, scale);
    ASSERT_NEAR(back, scale, scale * 0x1p-23F);
    n_exact += back == scale ? 1 : 0;
  }
  EXPECT_GT(n_exact, n / 2);
  EXPECT_LT(n_exact, n);  // what the header says: the last bit is lost now and then
  EXPECT_EQ(stored_scale(BitNetStorage::packed_divide, 0.0F), 1.0F);
}

TEST(ExportTernary, RefusesASecondMagnitudeAndRowsThatDoNotPack) {
  std::vector<float> values(64, 0.5F);
  values[37] = -0.25F;
  const auto refused = ternary_scale(matrix("blk.0.ffn_up.weight", 8, 8, values));
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("row 4, column 5"), std::string::npos);
  values[37] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_FALSE(ternary_scale(matrix("x", 8, 8, values)));
  EXPECT_EQ(ternary_scale(matrix("x", 8, 8, std::vector<float>(64, 0.0F))).value(), 0.0F);
  EXPECT_FALSE(write_packed_rows(matrix("x", 6, 2, std::vector<float>(12, 1.0F)), TensorName::Rows::as_stored, 2,
                                 [](std::span<const std::byte>) -> Result<void> { return {}; }));
}

// What transformers' online class makes of masters.
std::vector<float> rounded_online(const SourceTensor& tensor, const MastersFit& fit, Dtype dtype, float& scale) {
  std::vector<float> stored(static_cast<std::size_t>(tensor.shape.n_elements()));
  must(fitted_masters(tensor, fit, dtype)(0, tensor.shape.n_rows(), stored));
  double sum = 0.0;
  for (float& w : stored) {
    w = rounded_to(dtype, w);
    sum += std::abs(static_cast<double>(w));
  }
  scale = static_cast<float>(sum / static_cast<double>(stored.size()));
  ternarise(stored, scale);
  return stored;
}

SourceTensor trained(std::int64_t n_rows, std::int64_t k, const std::function<float(float mean)>& scale_of) {
  std::vector<float> masters = normal(n_rows * k, 11, 0.02);
  double sum = 0.0;
  for (const float w : masters) sum += std::abs(static_cast<double>(w));
  const float scale = scale_of(static_cast<float>(sum / static_cast<double>(masters.size())));
  std::vector<float> values = masters;
  ternarise(values, scale);
  SourceTensor tensor = matrix("blk.0.ffn_up.weight", n_rows, k, std::move(values));
  tensor.is_ternary = true;
  tensor.masters = reader_of(std::move(masters), k);
  return tensor;
}

TEST(ExportMasters, AreLeftAsTheyAreWhereTheOnlineClassRoundsThemAlike) {
  const SourceTensor tensor = trained(64, 64, [](float mean) { return mean; });
  const auto fit = fit_masters(tensor, Dtype::f32);
  ASSERT_TRUE(fit) << fit.error().message;
  EXPECT_TRUE(fit->as_they_are);
}

TEST(ExportMasters, AreMadeToFitAScaleThatTrainingRounded) {
  const SourceTensor tensor =
      trained(256, 512, [](float mean) { return fp16_to_fp32(static_cast<std::uint16_t>(fp32_to_fp16(mean) + 1)); });
  std::vector<float> codes(256 * 512);
  must(tensor.read(0, 256, codes));
  for (const auto& [dtype, allowed] : {std::pair(Dtype::f32, 2e-6F), {Dtype::bf16, 1e-3F}, {Dtype::f16, 1e-3F}}) {
    const auto fit = fit_masters(tensor, dtype);
    ASSERT_TRUE(fit) << fit.error().message;
    EXPECT_FALSE(fit->as_they_are);
    EXPECT_NEAR(fit->factor, 1.0, 1.6e-3);
    float scale = 0.0F;
    const auto got = rounded_online(tensor, *fit, dtype, scale);
    EXPECT_NEAR(scale / ternary_scale(tensor).value(), 1.0F, allowed);
    std::int64_t n_other = 0;
    for (std::size_t i = 0; i < got.size(); ++i)
      n_other += (got[i] > 0) != (codes[i] > 0) || (got[i] < 0) != (codes[i] < 0);
    EXPECT_EQ(n_other, 0) << files::dtype_name(dtype);
    EXPECT_GT(fit->n_moved, dtype == Dtype::f32 ? -1 : 0);
    EXPECT_LT(fit->n_moved, 256 * 512 / 100);
  }
  // Without being made to fit some would round to another code: this is no idle work.
  float scale = 0.0F;
  const auto untouched = rounded_online(tensor, {}, Dtype::f32, scale);
  std::int64_t n_other = 0;
  for (std::size_t i = 0; i < codes.size(); ++i) n_other += (untouched[i] == 0.0F) != (codes[i] == 0.0F);
  EXPECT_GT(n_other, 0);
}

TEST(ExportMasters, AreRefusedForAnotherRuleOfRounding) {
  const auto refusal = [](const SourceTensor& tensor) {
    const auto fit = fit_masters(tensor, Dtype::f32);
    return fit ? std::string("taken") : fit.error().message;
  };
  // absmedian: the scale is another number.
  EXPECT_NE(refusal(trained(64, 64, [](float mean) { return 0.845F * mean; })).find("is not the mean"),
            std::string::npos);
  // Binary: zeros of the class would have been signs.
  SourceTensor binary = trained(64, 64, [](float mean) { return mean; });
  std::vector<float> values(64 * 64);
  must(binary.masters(0, 64, values));
  const float scale = ternary_scale(binary).value();
  for (float& v : values) v = v < 0.0F ? -scale : scale;
  binary.read = reader_of(values, 64);
  EXPECT_NE(refusal(binary).find("scales off"), std::string::npos);
  binary.masters = {};
  EXPECT_NE(refusal(binary).find("no float masters"), std::string::npos);
}

}  // namespace
}  // namespace tern::convert
