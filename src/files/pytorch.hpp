// Reads one checkpoint that torch.save wrote (.bin, .pt, .pth; PyTorch 1.6 and later), mapped: a ZIP archive with the
// pickle data.pkl, which names tensors, and one entry for each storage. The pickle is read as data by an allow-list and
// never executed. Tensors are views of the mapped storages: shared ones (tied weights) and transposed ones too.
// Not read: optimizer states and other values, which become notes; TorchScript programs; the format before 1.6.
// Source: torch/serialization.py and torch/_utils.py as a description of the format.
#pragma once

#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "files/checkpoint_file.hpp"
#include "files/stored_tensor.hpp"
#include "sys/mapped_file.hpp"

namespace tern::files {

class PytorchFile : public CheckpointFile {
 public:
  [[nodiscard]] static Result<PytorchFile> open(const std::string& path);
  /// Over borrowed bytes, which must outlive the object.
  [[nodiscard]] static Result<PytorchFile> parse(std::span<const std::byte> bytes, std::string_view name);
  /// Do these bytes look like something torch.save or pickle wrote (of any version)? Cheap.
  [[nodiscard]] static bool looks_like(std::span<const std::byte> bytes);

  [[nodiscard]] const std::string& name() const override { return name_; }
  /// In the order of the pickle.
  [[nodiscard]] std::span<const StoredTensor> tensors() const override { return tensors_; }
  [[nodiscard]] const StoredTensor* find(std::string_view tensor_name) const override;
  [[nodiscard]] std::span<const std::string> notes() const override { return notes_; }
  void release(std::span<const std::byte> bytes) const override;

 private:
  PytorchFile() = default;
  [[nodiscard]] Result<void> read_all();

  sys::MappedFile file_;
  std::span<const std::byte> bytes_;
  std::string name_;
  std::vector<StoredTensor> tensors_;
  std::map<std::string, std::size_t, std::less<>> places_;
  std::vector<std::string> notes_;
};

}  // namespace tern::files
