// Which format a tensor gets when the user asked for a type: the habits of llama-quantize that people rely on, in one
// place.
#pragma once

#include <string>
#include <string_view>

#include "formats/format.hpp"
#include "models/plan.hpp"

namespace tern::convert {

struct TypeWishes {
  const formats::Format* type = nullptr;             // of the matrices
  const formats::Format* token_embedding = nullptr;  // null: by the rules
  const formats::Format* output = nullptr;           // null: by the rules
  bool pure = false;                                 // every matrix, embedding and head included, in `type`
};

/// What a tensor should become before its row length is looked at; null: keep it as it is (vectors, unknown tensors).
/// tied: the model has no head of its own.
[[nodiscard]] const formats::Format* wished_format(const TypeWishes& wishes, std::string_view name, const Shape& shape,
                                                   bool tied);

/// The format for rows that `wanted` does not divide, as llama-quantize falls back: Q4_K -> Q5_0, Q5_K -> Q5_1, Q6_K ->
/// Q8_0, other block formats -> Q4_0, and F16 where 32 does not divide either. I2_S rows fall back to F16, which keeps
/// -s, 0, +s.
[[nodiscard]] const formats::Format& fitting_format(const formats::Format& wanted, std::int64_t row_length);

/// "blk.0.ffn_down.weight: rows of 172 do not divide by 256 (Q4_K); F16 instead"
[[nodiscard]] std::string fallback_note(std::string_view tensor, const formats::Format& wanted,
                                        const formats::Format& taken, std::int64_t row_length);

}  // namespace tern::convert
