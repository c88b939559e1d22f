// What a file says its model is, and whether its tensors are that model's: the keys read, the plan made, every tensor
// of the plan there in its shape, and no tensor besides. Names and shapes alone; ModelFile looks at the bytes.
#pragma once

#include <optional>

#include "files/gguf_reader.hpp"
#include "models/all.hpp"

namespace tern::models {

struct ModelShape {
  const Architecture* architecture = nullptr;
  HyperParameters parameters;
  Plan plan;
};

/// The tensors of `file` under `metadata`, which may be the file's own or that of a file to be written of it.
/// `pooling` makes an embedding model of any: the plan then ends in it instead of the head.
/// Errors name the key or the tensor: unsupported architecture or transformed weights, tensors that are missing, of
/// another shape or without a place in the plan.
[[nodiscard]] Result<ModelShape> read_model_shape(const files::GgufFile& file, const files::Metadata& metadata,
                                                  ArchitectureList architectures = all(),
                                                  std::optional<Pooling> pooling = std::nullopt);

}  // namespace tern::models
