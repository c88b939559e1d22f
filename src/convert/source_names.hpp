// The tables of names that architectures carry (models::TensorName), read backwards: what a GGUF tensor is called in
// another ecosystem.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "models/architecture.hpp"

namespace tern::convert {

struct SourceName {
  const models::TensorName* line = nullptr;
  std::string layer;  // its number as text; "" for a tensor of the whole model

  /// Of the line's Hugging Face or llama2.c name, with the layer's number in its place. "" where there is none.
  [[nodiscard]] std::string hugging_face() const;
  [[nodiscard]] std::string llama2c() const;
};

/// The lines of an architecture's table for a GGUF name, in the order of the table.
[[nodiscard]] std::vector<SourceName> source_names(const models::Architecture& architecture,
                                                   std::string_view gguf_name);

/// The norm before a projection (GGUF's "blk.0.attn_q_norm_in.weight") as transformers' BitNet linears hold it: inside
/// the projection, "...q_proj.rms_norm.weight". "" for any other tensor.
[[nodiscard]] std::string inner_norm_name(const models::Architecture& architecture, std::string_view gguf_name);

/// How checkpoints prefix a name of the table: as it stands, without "model." (a bare model), below "language_model."
/// (models that see pictures too).
[[nodiscard]] std::vector<std::string> spellings(std::string_view name);

}  // namespace tern::convert
