// A checkpoint of named tensors: one file of a kind below, one shard of several (the others are found by the
// index beside it), or a folder with model.safetensors, pytorch_model.bin or an index of shards. Knows files and names;
// what the tensors are for is room convert's business. Where a folder has both kinds, safetensors is taken.
#pragma once

#include <array>
#include <cstddef>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "files/checkpoint_file.hpp"

namespace tern::files {

extern const CheckpointType kSafetensorsType;
extern const CheckpointType kPytorchType;

/// In the order in which a folder's are preferred: the library these folders come from does it so.
inline constexpr std::array kCheckpointTypes{&kSafetensorsType, &kPytorchType};

/// By content. Null where no kind is.
[[nodiscard]] const CheckpointType* checkpoint_type_of(std::span<const std::byte> bytes);

class Checkpoint {
 public:
  /// Errors: not_found when a folder has no checkpoint; bad_input for an index that names a shard outside the folder, a
  /// tensor its shard does not have, a tensor that two shards have, or a shard without its index.
  [[nodiscard]] static Result<Checkpoint> open(const std::string& path);

  /// The folder of the checkpoint (where config.json and the tokenizer lie), without a final slash.
  [[nodiscard]] const std::string& folder() const { return folder_; }
  /// Every tensor of every file, sorted by name. The pointers live as long as this object, moves included.
  [[nodiscard]] std::span<const StoredTensor* const> tensors() const { return tensors_; }
  /// Null when absent.
  [[nodiscard]] const StoredTensor* find(std::string_view name) const;
  [[nodiscard]] std::size_t n_files() const { return files_.size(); }
  /// Lines for a person: what the files hold beside tensors.
  [[nodiscard]] std::vector<std::string> notes() const;
  /// Tells the system that a tensor's bytes are not needed soon. Nothing for a tensor whose rows do not lie one after
  /// the other: the next row needs the same pages.
  void release(const StoredTensor& tensor) const;

 private:
  Checkpoint() = default;
  [[nodiscard]] Result<void> add_file(const std::string& path);
  [[nodiscard]] Result<void> add_shards(const std::string& index);
  [[nodiscard]] Result<void> index_tensors();

  std::string folder_;
  std::vector<std::unique_ptr<CheckpointFile>> files_;
  std::vector<const StoredTensor*> tensors_;
  std::map<std::string_view, std::size_t> file_of_;  // tensor name -> index into files_
};

/// The weights file or index that a folder's checkpoint begins with (a plain name), or "" when it has none.
[[nodiscard]] std::string checkpoint_in(const std::string& folder);

}  // namespace tern::files
