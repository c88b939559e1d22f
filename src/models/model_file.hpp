// A GGUF file understood as a model: its architecture, hyper-parameters, plan, and each tensor of the plan found and
// checked. Nothing is copied: the views point into the mapped file. One tensor or more can be replaced in memory (the
// embedding sweep re-encodes one and leaves the file alone).
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "files/gguf_reader.hpp"
#include "models/all.hpp"
#include "tensor/aligned_buffer.hpp"

namespace tern::models {

class ModelFile {
 public:
  /// Errors: those of GgufFile::open; unsupported architecture, tensor type or weight transform; missing tensors,
  /// wrong shapes, tensors that the architecture does not read, each named with what was got and expected.
  /// `pooling` makes an embedding model of any file: the plan then ends in it instead of the head.
  [[nodiscard]] static Result<ModelFile> open(const std::string& path, ArchitectureList architectures = all(),
                                              std::optional<Pooling> pooling = std::nullopt);
  /// The same over a file already read.
  [[nodiscard]] static Result<ModelFile> bind(files::GgufFile file, ArchitectureList architectures = all(),
                                              std::optional<Pooling> pooling = std::nullopt);

  [[nodiscard]] const files::GgufFile& file() const { return *file_; }
  [[nodiscard]] const Architecture& architecture() const { return *architecture_; }
  [[nodiscard]] const HyperParameters& parameters() const { return parameters_; }
  [[nodiscard]] const Plan& plan() const { return plan_; }
  /// The bytes behind a tensor of the plan (its fallback where it is tied), or null for an optional tensor that is
  /// absent.
  [[nodiscard]] const TensorView* tensor(TensorId id) const;
  [[nodiscard]] const TensorView* tensor(std::string_view name) const;
  /// True when the head has no table of its own and reads the embedding.
  [[nodiscard]] bool is_tied() const;
  /// Bytes of the weights of the plan, each stored tensor once.
  [[nodiscard]] std::uint64_t weight_bytes() const;

  /// Puts other bytes behind a stored tensor, and behind every tensor tied to it. `bytes` [tensor_bytes(format,
  /// shape)].
  [[nodiscard]] Result<void> replace(std::string_view name, const formats::Format& format,
                                     std::shared_ptr<AlignedBuffer> bytes);

 private:
  ModelFile() = default;
  [[nodiscard]] Result<void> bind_tensors();

  std::shared_ptr<const files::GgufFile> file_;  // shared: a copy with another embedding reads the same mapping
  const Architecture* architecture_ = nullptr;
  HyperParameters parameters_;
  Plan plan_;
  std::vector<TensorView> views_;  // by TensorId; format null where absent
  std::vector<std::shared_ptr<AlignedBuffer>> replaced_;
};

}  // namespace tern::models
