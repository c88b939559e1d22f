// Which stored row becomes which row of the GGUF tensor, for ecosystems that pair rotary dimensions half a head apart.
#pragma once

#include <cstdint>

#include "models/architecture.hpp"

namespace tern::convert {

/// GGUF row -> source row. Within each head of `head_dim` rows, pair member j of pair i stands at 2i + j in GGUF and at
/// j * head_dim/2 + i in the source; as_stored changes nothing.
[[nodiscard]] constexpr std::int64_t source_row(models::TensorName::Rows order, std::int64_t row,
                                                std::int64_t head_dim) {
  if (order == models::TensorName::Rows::as_stored) return row;
  const std::int64_t within = row % head_dim;
  return row - within + (within % 2) * (head_dim / 2) + within / 2;
}

/// Source row -> GGUF row: the other way round.
[[nodiscard]] constexpr std::int64_t gguf_row(models::TensorName::Rows order, std::int64_t row, std::int64_t head_dim) {
  if (order == models::TensorName::Rows::as_stored) return row;
  const std::int64_t within = row % head_dim;
  const std::int64_t half = head_dim / 2;
  return row - within + 2 * (within % half) + within / half;
}

}  // namespace tern::convert
