#include "formats/foreign.hpp"

#include <array>

#include "base/checked.hpp"

namespace tern::formats {
namespace {

constexpr std::string_view kBitNet = "BitNet's fork";
constexpr std::string_view kIk = "ik_llama.cpp";
constexpr std::string_view kPrism = "PrismML's fork";
constexpr std::string_view kRemoved = "ggml, removed";

// TL2 codes most columns in threes (5 bits) and the last 256 in pairs (4 bits), pads to 32 bytes and adds 32 for the
// scale.
std::uint64_t tl2_bytes(const Shape& shape) {
  const auto columns = static_cast<std::uint64_t>(shape.row_length());
  const auto rows = static_cast<std::uint64_t>(shape.n_rows());
  if (columns < 256 || (columns - 256) % 3 != 0) return 0;
  const auto threes = checked_mul((columns - 256) / 3 * 5, rows);
  const auto pairs = checked_mul(std::uint64_t{256 / 2 * 4}, rows);
  const auto bits = threes && pairs ? checked_add(*threes, *pairs) : std::nullopt;
  if (!bits) return 0;
  return (*bits / 8 + 31) / 32 * 32 + 32;
}

constexpr std::array kForeignTypes{
    ForeignType{4, "Q4_2", kRemoved},
    ForeignType{5, "Q4_3", kRemoved},
    ForeignType{9, "Q8_1", "ggml", 32, 36},
    ForeignType{15, "Q8_K", "ggml", 256, 292},
    ForeignType{16, "IQ2_XXS", "ggml", 256, 66},
    ForeignType{17, "IQ2_XS", "ggml", 256, 74},
    ForeignType{18, "IQ3_XXS", "ggml", 256, 98},
    ForeignType{19, "IQ1_S", "ggml", 256, 50},
    ForeignType{20, "IQ4_NL", "ggml", 32, 18},
    ForeignType{21, "IQ3_S", "ggml", 256, 110},
    ForeignType{22, "IQ2_S", "ggml", 256, 82},
    ForeignType{23, "IQ4_XS", "ggml", 256, 136},
    ForeignType{24, "I8", "ggml", 1, 1},
    ForeignType{25, "I16", "ggml", 1, 2},
    ForeignType{26, "I32", "ggml", 1, 4},
    ForeignType{27, "I64", "ggml", 1, 8},
    ForeignType{28, "F64", "ggml", 1, 8},
    ForeignType{29, "IQ1_M", "ggml", 256, 56},
    ForeignType{31, "Q4_0_4_4", kRemoved, 32, 18},
    ForeignType{32, "Q4_0_4_8", kRemoved, 32, 18},
    ForeignType{33, "Q4_0_8_8", kRemoved, 32, 18},
    ForeignType{36, "IQ4_NL_4_4", kRemoved, 32, 18},
    ForeignType{37, "I8_S", kBitNet, 0, 0, 0, "bitnet"},
    ForeignType{37, "IQ4_NL_4_8", kRemoved, 32, 18},
    ForeignType{38, "TL1", kBitNet, 4, 1, 32, "bitnet"},
    ForeignType{38, "IQ4_NL_8_8", kRemoved, 32, 18},
    ForeignType{39, "MXFP4", "ggml", 32, 17},
    ForeignType{39, "TL2", kBitNet, 0, 0, 0, "bitnet", &tl2_bytes},
    ForeignType{40, "NVFP4", "ggml", 64, 36},
    ForeignType{40, "Q1_0 in blocks of 32", kRemoved, 32, 6},
    ForeignType{42, "Q2_0 in blocks of 128", "older files of PrismML's fork", 128, 34},
    ForeignType{42, "STQ1_0", "Tencent's Sherry", 256, 42},
    ForeignType{42, "TL2", "BitNet's newer fork", 0, 0, 0, "bitnet", &tl2_bytes},
    ForeignType{43, "IQ1_XS", "unsloth's fork"},
    ForeignType{133, "Q6_0", kIk, 32, 26},
    ForeignType{134, "IQ1_BN", kIk},
    ForeignType{135, "IQ2_BN", kIk},
    ForeignType{137, "IQ2_K", kIk, 256, 76},
    ForeignType{138, "IQ3_K", kIk},
    ForeignType{139, "IQ4_K", kIk},
    ForeignType{140, "IQ5_K", kIk},
    ForeignType{141, "IQ6_K", kIk, 256, 212},
    ForeignType{142, "PQ2_0", kPrism, 128, 34},
    ForeignType{142, "IQ2_TN", "ik_llama.cpp, deprecated"},
    ForeignType{143, "PTQ1_0", kPrism, 128, 28},
    ForeignType{143, "IQ1_TN", "ik_llama.cpp, deprecated"},
    ForeignType{144, "IQ4_KS", kIk},
    ForeignType{145, "IQ2_KS", kIk},
    ForeignType{146, "IQ4_KSS", kIk},
    ForeignType{152, "IQ5_KS", kIk},
    ForeignType{153, "IQ2_KT", kIk},
    ForeignType{154, "IQ3_KT", kIk},
    ForeignType{155, "IQ4_KT", kIk},
    ForeignType{156, "IQ3_KS", kIk},
    ForeignType{157, "IQ2_KL", kIk},
    ForeignType{158, "IQ1_KT", kIk},
    ForeignType{335, "IQ2_BN_R4", kIk},
};

}  // namespace

std::span<const ForeignType> foreign_types() {
  return kForeignTypes;
}

std::uint64_t foreign_bytes(const ForeignType& type, const Shape& shape) {
  if (type.bytes_of != nullptr) return type.bytes_of(shape);
  if (type.block_values == 0 || shape.row_length() % type.block_values != 0) return 0;
  const auto n_blocks = static_cast<std::uint64_t>(shape.n_elements() / type.block_values);
  const auto body = checked_mul(n_blocks, static_cast<std::uint64_t>(type.block_bytes));
  const auto total = body ? checked_add(*body, static_cast<std::uint64_t>(type.tail_bytes)) : body;
  return total.value_or(0);
}

}  // namespace tern::formats
