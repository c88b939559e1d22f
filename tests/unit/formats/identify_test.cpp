// What a tensor of a file is, where numbers clash between the programs of this field.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>

#include "formats/all.hpp"
#include "formats/foreign.hpp"

namespace tern::formats {
namespace {

const Shape kMatrix = matrix_shape(2560, 6912);
constexpr std::uint64_t kValues = 2560 * 6912;

std::string refusal(std::uint32_t id, std::uint64_t stored, std::string_view architecture,
                    const Shape& shape = kMatrix) {
  const auto found = identify(id, shape, stored, 32, architecture);
  return found ? "accepted as " + std::string((*found)->name) : found.error().message;
}

TEST(Identify, TellsI2SBySizeFromTheRemovedFormatOfTheSameNumber) {
  EXPECT_EQ(identify(36, kMatrix, kValues / 4 + 32, 32, "bitnet-b1.58").value(), &kI2_S);
  EXPECT_EQ(identify(36, kMatrix, kValues / 4 + 32, 32, "llama").value(), &kI2_S);
  EXPECT_EQ(refusal(36, kValues / 32 * 18, "llama"),
            "tensor type 36 (IQ4_NL_4_4 of ggml, removed) is not supported by Tern");
  EXPECT_EQ(
      refusal(36, kValues / 4, "bitnet"),
      "tensor type 36 (I2_S) [2560, 6912] needs 4423712 bytes, 4423680 are stored: the file is damaged, or the type "
      "is IQ4_NL_4_4 of ggml, removed");
}

TEST(Identify, TellsTheFourClaimantsOf42Apart) {
  EXPECT_EQ(identify(42, kMatrix, kValues / 64 * 18, 32, "qwen3").value(), &kQ2_0);
  EXPECT_EQ(identify(42, kMatrix, kValues / 64 * 18, 32, "bitnet").value(), &kQ2_0);
  EXPECT_EQ(refusal(42, kValues / 128 * 34, "qwen3"),
            "tensor type 42 (Q2_0 in blocks of 128 of older files of PrismML's fork) is not supported by Tern");
  EXPECT_EQ(refusal(42, kValues / 256 * 42, "hunyuan"),
            "tensor type 42 (STQ1_0 of Tencent's Sherry) is not supported by Tern");
  const std::uint64_t tl2 = (2560u - 256u) * 6912u / 3 * 5 / 8 + 256u * 6912u / 2 * 4 / 8;
  EXPECT_EQ(refusal(42, (tl2 + 31) / 32 * 32 + 32, "bitnet-b1.58"),
            "tensor type 42 (TL2 of BitNet's newer fork) is not supported by Tern");
}

TEST(Identify, LetsTheArchitectureDecideWhereTwoSizesAreTheSame) {
  // 4 rows of 256 are 288 bytes both as Q2_0 and as TL2.
  EXPECT_EQ(identify(42, matrix_shape(256, 4), 288, 32, "qwen3").value(), &kQ2_0);
  EXPECT_EQ(refusal(42, 288, "bitnet-b1.58", matrix_shape(256, 4)),
            "tensor type 42 (TL2 of BitNet's newer fork) is not supported by Tern");
  // One row of 256: 72 bytes of Q2_0 and 68 of the older blocks both fill 96. No architecture speaks for those.
  EXPECT_EQ(identify(42, vector_shape(256), 96, 32, "qwen3").value(), &kQ2_0);
  EXPECT_FALSE(identify(42, vector_shape(256), 68, 32, "qwen3").has_value());
}

TEST(Identify, NamesTheClaimantTheArchitectureMeans) {
  EXPECT_EQ(refusal(39, kValues / 32 * 17, "gpt-oss"), "tensor type 39 (MXFP4) is not supported by Tern");
  EXPECT_EQ(refusal(39, 5, "bitnet"), "tensor type 39 (TL2 of BitNet's fork) is not supported by Tern");
  EXPECT_EQ(refusal(38, kValues / 4 + 32, "bitnet"), "tensor type 38 (TL1 of BitNet's fork) is not supported by Tern");
  EXPECT_EQ(refusal(38, kValues / 32 * 18, "llama"),
            "tensor type 38 (IQ4_NL_8_8 of ggml, removed) is not supported by Tern");
  EXPECT_EQ(refusal(40, kValues / 64 * 36, "llama"), "tensor type 40 (NVFP4) is not supported by Tern");
  EXPECT_EQ(refusal(20, kValues / 32 * 18, "llama"), "tensor type 20 (IQ4_NL) is not supported by Tern");
  EXPECT_EQ(refusal(142, kValues / 128 * 34, "qwen35"),
            "tensor type 142 (PQ2_0 of PrismML's fork) is not supported by Tern");
  EXPECT_EQ(refusal(143, kValues / 128 * 28, "qwen35"),
            "tensor type 143 (PTQ1_0 of PrismML's fork) is not supported by Tern");
  EXPECT_EQ(refusal(142, 17, "qwen35"),
            "tensor type 142 (PQ2_0 of PrismML's fork or IQ2_TN of ik_llama.cpp, deprecated) is not supported by Tern");
  EXPECT_EQ(refusal(134, 1000, "bitnet"), "tensor type 134 (IQ1_BN of ik_llama.cpp) is not supported by Tern");
  EXPECT_EQ(refusal(135, 1000, "bitnet"), "tensor type 135 (IQ2_BN of ik_llama.cpp) is not supported by Tern");
  EXPECT_EQ(refusal(77, 1000, "llama"), "tensor type 77 is unknown");
  EXPECT_EQ(refusal(4294967295u, 1000, "llama"), "tensor type 4294967295 is unknown");
}

TEST(Identify, RefusesRowsThatDoNotDivideAndBytesThatAreMissing) {
  EXPECT_EQ(refusal(36, 3200 / 4 * 8, "bitnet", matrix_shape(3232, 8)),
            "I2_S needs rows that divide by 128, got rows of 3232");
  EXPECT_EQ(refusal(8, 33, "llama", vector_shape(32)),
            "tensor type 8 (Q8_0) [32] needs 34 bytes, 33 are stored: the file is damaged or cut off");
}

TEST(Identify, DoesNotTakeAnUnknownSizeForNoBytes) {
  const std::string message = refusal(42, 0, "bitnet", vector_shape(128));
  EXPECT_NE(message.find("needs 36 bytes, 0 are stored"), std::string::npos) << message;
}

TEST(Identify, AllowsAGapOnlyWhereNobodyElseClaimsTheNumber) {
  EXPECT_EQ(identify(8, vector_shape(32), 4096, 32, "llama").value(), &kQ8_0);
  EXPECT_FALSE(identify(36, vector_shape(128), 4096, 32, "llama").has_value());
  EXPECT_FALSE(identify(42, vector_shape(128), 4096, 32, "llama").has_value());
}

TEST(ForeignTypes, AreNeverOurOwnNames) {
  std::set<std::string_view> ours;
  for (const Format* format : kAll) ours.insert(format->name);
  for (const ForeignType& type : foreign_types()) EXPECT_FALSE(ours.contains(type.name)) << type.name;
}

TEST(ForeignTypes, HaveNoSizeWhereTheShapeDoesNotDivideOrTheSizeOverflows) {
  for (const ForeignType& type : foreign_types()) {
    if (type.block_values <= 1) continue;
    EXPECT_EQ(foreign_bytes(type, vector_shape(type.block_values + 1)), 0u) << type.name;
  }
  const auto named = [](std::string_view name) {
    return *std::find_if(foreign_types().begin(), foreign_types().end(), [&](const auto& t) { return t.name == name; });
  };
  EXPECT_EQ(foreign_bytes(named("F64"), matrix_shape(3, 5)), 120u);
  EXPECT_EQ(foreign_bytes(named("F64"), vector_shape(std::int64_t{1} << 62)), 0u);
  EXPECT_EQ(foreign_bytes(named("TL2"), matrix_shape(256, 4)), 288u);
  EXPECT_EQ(foreign_bytes(named("TL2"), matrix_shape(257, 32)), 0u);
}

}  // namespace
}  // namespace tern::formats
