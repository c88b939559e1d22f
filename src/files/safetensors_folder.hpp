// A checkpoint in safetensors: one file, a folder with model.safetensors, or a folder with model.safetensors.index.json
// and its shards. Knows files and names; what the tensors are for is room convert's business.
#pragma once

#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "files/safetensors.hpp"

namespace tern::files {

class Checkpoint {
 public:
  /// `path`: a .safetensors file or a folder. Errors: not_found when the folder has no safetensors; bad_input for an
  /// index that names a shard outside the folder, a tensor its shard does not have, or a tensor that two shards have.
  [[nodiscard]] static Result<Checkpoint> open(const std::string& path);

  /// The folder of the checkpoint (where config.json and the tokenizer lie), without a final slash.
  [[nodiscard]] const std::string& folder() const { return folder_; }
  /// Every tensor of every shard, sorted by name. The pointers live as long as this object, moves included.
  [[nodiscard]] std::span<const SafeTensor* const> tensors() const { return tensors_; }
  /// Null when absent.
  [[nodiscard]] const SafeTensor* find(std::string_view name) const;
  [[nodiscard]] std::span<const SafetensorsFile> files() const { return files_; }
  /// Tells the system that these bytes (all or part of a tensor) are not needed soon.
  void release(const SafeTensor& tensor) const;
  void release(const SafeTensor& tensor, std::span<const std::byte> bytes) const;

 private:
  Checkpoint() = default;
  [[nodiscard]] Result<void> index_tensors();

  std::string folder_;
  std::vector<SafetensorsFile> files_;
  std::vector<const SafeTensor*> tensors_;
  std::map<std::string_view, std::size_t> file_of_;  // tensor name -> index into files_
};

}  // namespace tern::files
