// What a tensor is to a mixture, told by its name in a GGUF file: its role, its layer, and whether it is encoded at
// all. Words of many architectures, also of those that Tern cannot run: their files are quantised as others do it.
#pragma once

#include <cstdint>
#include <string_view>

namespace tern::convert {

enum class WeightRole : std::uint8_t {
  embedding,
  head,
  query,
  key,
  value,  // or query, key and value in one
  attention_output,
  up,
  gate,
  down,
  other
};

[[nodiscard]] WeightRole role_of(std::string_view name);

/// Not for norms, and not for matrices that are small or tables that are looked up. A vector has to be kept besides.
[[nodiscard]] bool is_matrix_to_encode(std::string_view name);

/// "blk.12.": 12; -1 for tensors of no layer.
[[nodiscard]] std::int64_t layer_of(std::string_view name);

}  // namespace tern::convert
