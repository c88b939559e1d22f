#include "convert/type_rules.hpp"

#include <array>
#include <utility>

#include "formats/all.hpp"

namespace tern::convert {
namespace {

constexpr std::string_view kEmbedding = "token_embd.weight";
constexpr std::string_view kHead = "output.weight";

// The head decides most of the loss and is read once a token: llama-quantize gives it Q6_K unless the target is finer.
const formats::Format* default_head(const formats::Format& type) {
  if (type.is_float || &type == &formats::kQ8_0) return &type;
  if (&type == &formats::kI2_S) return &formats::kF16;  // as BitNet's own files; --quant-embd makes it Q6_K
  return &formats::kQ6_K;
}

const formats::Format* default_untied_embedding(const formats::Format& type) {
  if (&type == &formats::kI2_S) return &formats::kF16;
  if (type.is_ternary || &type == &formats::kQ2_0 || &type == &formats::kQ1_0) return &formats::kQ4_K;
  return &type;
}

}  // namespace

const formats::Format* wished_format(const TypeWishes& wishes, std::string_view name, const Shape& shape, bool tied) {
  if (shape.is_vector() || !name.ends_with("weight") || name.ends_with("_norm.weight")) return nullptr;
  if (name == kEmbedding) {
    if (wishes.token_embedding != nullptr) return wishes.token_embedding;
    if (tied && wishes.output != nullptr) return wishes.output;
    if (wishes.pure) return wishes.type;
    return tied ? default_head(*wishes.type) : default_untied_embedding(*wishes.type);
  }
  if (name == kHead) {
    if (wishes.output != nullptr) return wishes.output;
    return wishes.pure ? wishes.type : default_head(*wishes.type);
  }
  return wishes.type;
}

const formats::Format& fitting_format(const formats::Format& wanted, std::int64_t row_length) {
  if (wanted.fits_row(row_length)) return wanted;
  static constexpr std::array<std::pair<const formats::Format*, const formats::Format*>, 3> kSpecial{
      {{&formats::kQ4_K, &formats::kQ5_0}, {&formats::kQ5_K, &formats::kQ5_1}, {&formats::kQ6_K, &formats::kQ8_0}}};
  const formats::Format* next = &wanted == &formats::kI2_S ? &formats::kF16 : &formats::kQ4_0;
  for (const auto& [from, to] : kSpecial) {
    if (from == &wanted) next = to;
  }
  return next->fits_row(row_length) ? *next : formats::kF16;
}

std::string fallback_note(std::string_view tensor, const formats::Format& wanted, const formats::Format& taken,
                          std::int64_t row_length) {
  return fmt::format("{}: rows of {} do not divide by {} ({}); {} instead", tensor, row_length, wanted.block_values,
                     wanted.name, taken.name);
}

}  // namespace tern::convert
