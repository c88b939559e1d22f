// Shapes of well-known models, for models with random weights: a list of records.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "models/hyper_parameters.hpp"

namespace tern::convert {

struct SynthShape {
  std::string_view name;     // "bitnet-2b-4t"
  std::string_view summary;  // one line for help
  std::string_view architecture;
  std::int64_t hidden;
  std::int64_t layers;
  std::int64_t heads;
  std::int64_t kv_heads;
  std::int64_t head_dim;  // 0: hidden / heads
  std::int64_t feed_forward;
  std::int64_t vocabulary;
  std::int64_t context;
  float rope_base;
  bool tied;  // the embedding is the head
};

[[nodiscard]] std::span<const SynthShape> synth_shapes();
/// Errors: usage, with the nearest name.
[[nodiscard]] Result<SynthShape> synth_shape_by_name(std::string_view name);
[[nodiscard]] std::vector<std::string_view> synth_shape_names();

/// Errors: usage for an architecture there is not or a shape that cannot be.
[[nodiscard]] Result<models::HyperParameters> hyper_parameters_of(const SynthShape& shape);

}  // namespace tern::convert
