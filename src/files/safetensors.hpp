// Reads one .safetensors file, mapped: an 8-byte header length, a JSON header, then the tensors' bytes.
// Source: the safetensors format description.
#pragma once

#include <cstddef>
#include <cstdint>
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

class SafetensorsFile : public CheckpointFile {
 public:
  static constexpr std::uint64_t kMaxHeaderBytes = 100'000'000;

  [[nodiscard]] static Result<SafetensorsFile> open(const std::string& path);
  /// A plausible header length followed by a JSON object. Cheap.
  [[nodiscard]] static bool looks_like(std::span<const std::byte> bytes);
  /// Over borrowed bytes, which must outlive the object.
  [[nodiscard]] static Result<SafetensorsFile> parse(std::span<const std::byte> bytes, std::string_view name);

  [[nodiscard]] const std::string& name() const override { return name_; }
  /// In the order of their bytes.
  [[nodiscard]] std::span<const StoredTensor> tensors() const override { return tensors_; }
  [[nodiscard]] const StoredTensor* find(std::string_view tensor_name) const override;
  /// The "__metadata__" object.
  [[nodiscard]] const std::map<std::string, std::string, std::less<>>& metadata() const { return metadata_; }
  void release(std::span<const std::byte> bytes) const override;

 private:
  SafetensorsFile() = default;
  [[nodiscard]] Result<void> read_all();

  sys::MappedFile file_;
  std::span<const std::byte> bytes_;
  std::string name_;
  std::vector<StoredTensor> tensors_;
  std::map<std::string, std::size_t, std::less<>> places_;
  std::map<std::string, std::string, std::less<>> metadata_;
};

}  // namespace tern::files
