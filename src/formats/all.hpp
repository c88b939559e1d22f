// The one list of weight formats. Adding a format is its pair of files and one line in kAll.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "formats/bf16.hpp"
#include "formats/f16.hpp"
#include "formats/f32.hpp"
#include "formats/format.hpp"
#include "formats/i2_s.hpp"
#include "formats/q1_0.hpp"
#include "formats/q2_0.hpp"
#include "formats/q2_k.hpp"
#include "formats/q3_k.hpp"
#include "formats/q4_0.hpp"
#include "formats/q4_1.hpp"
#include "formats/q4_k.hpp"
#include "formats/q5_0.hpp"
#include "formats/q5_1.hpp"
#include "formats/q5_k.hpp"
#include "formats/q6_k.hpp"
#include "formats/q8_0.hpp"
#include "formats/tq1_0.hpp"
#include "formats/tq2_0.hpp"

namespace tern::formats {

inline constexpr std::array kAll{
    &kF32,  &kF16,  &kBF16, &kQ8_0, &kQ6_K, &kQ5_K,  &kQ5_1,  &kQ5_0, &kQ4_K,
    &kQ4_1, &kQ4_0, &kQ3_K, &kQ2_K, &kQ2_0, &kTQ2_0, &kTQ1_0, &kI2_S, &kQ1_0,
};

consteval bool names_and_ids_are_unique() {
  for (std::size_t i = 0; i < kAll.size(); ++i) {
    if (kAll[i]->block_values <= 0 || kAll[i]->block_bytes <= 0) return false;
    for (std::size_t j = 0; j < i; ++j) {
      if (kAll[i]->name == kAll[j]->name || kAll[i]->gguf_id == kAll[j]->gguf_id) return false;
    }
  }
  return true;
}
static_assert(names_and_ids_are_unique(), "two formats share a name or an id, or a record has no block");

/// The format of that name in any case of letters ("q6_K" = "Q6_K"), or an error naming the nearest.
[[nodiscard]] Result<const Format*> by_name(std::string_view name);

/// What a tensor of a file is. Ids clash between the forks of this field, so the identity is (type id, bytes the tensor
/// occupies, architecture), never the id alone. `stored_bytes` is the distance to the next tensor or the end of the
/// data section, padding included; `alignment` bounds that padding. Refusals name what the bytes probably are.
[[nodiscard]] Result<const Format*> identify(std::uint32_t gguf_id, const Shape& shape, std::uint64_t stored_bytes,
                                             std::uint64_t alignment, std::string_view architecture);

}  // namespace tern::formats
