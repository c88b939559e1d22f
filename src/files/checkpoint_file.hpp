// One file of a checkpoint, whatever its kind, and what a kind of such files is: how it is told from others, its names
// in a folder, who opens it. Each reader's file ends with its record; kCheckpointTypes (files/checkpoint.hpp) lists
// them.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "files/stored_tensor.hpp"

namespace tern::files {

class CheckpointFile {
 public:
  virtual ~CheckpointFile() = default;
  /// The path, or what stands for it.
  [[nodiscard]] virtual const std::string& name() const = 0;
  /// In the order of the file. The pointers live as long as this object.
  [[nodiscard]] virtual std::span<const StoredTensor> tensors() const = 0;
  /// Null when absent.
  [[nodiscard]] virtual const StoredTensor* find(std::string_view tensor_name) const = 0;
  /// Lines for a person: what the file holds beside tensors.
  [[nodiscard]] virtual std::span<const std::string> notes() const { return {}; }
  /// Tells the system that these bytes (part of a tensor of this file) are not needed soon.
  virtual void release(std::span<const std::byte> bytes) const = 0;

 protected:
  CheckpointFile() = default;
  CheckpointFile(CheckpointFile&&) = default;
  CheckpointFile& operator=(CheckpointFile&&) = default;
};

struct CheckpointType {
  std::string_view what;                         // "a safetensors file"
  std::string_view in_folder;                    // "model.safetensors"; its index of shards is that and ".index.json"
  std::array<std::string_view, 3> endings = {};  // of names that promise this kind; "" for none
  bool (*looks_like)(std::span<const std::byte> bytes) = nullptr;  // cheap
  Result<std::unique_ptr<CheckpointFile>> (*open)(const std::string& path) = nullptr;
};

/// An opened file, kept behind the interface.
template <typename File>
Result<std::unique_ptr<CheckpointFile>> as_checkpoint_file(Result<File> file) {
  if (!file) return std::unexpected(std::move(file).error());
  return std::make_unique<File>(std::move(*file));
}

}  // namespace tern::files
