// Reads a checkpoint of llama2.c: version 0 (no magic: seven int32, then float32 tensors in a fixed order) and version
// 1
// ("ak42", a 256-byte header). The quantised version 2 is refused. As version 0 has no magic, a file is taken for one
// only if its size is exactly what its seven numbers say. Source: the project's export.py and run.c, whose tensor order
// this file restates.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "sys/mapped_file.hpp"
#include "tensor/shape.hpp"
#include "tensor/view.hpp"

namespace tern::files {

struct Llama2cConfig {
  int version = 0;
  std::int32_t dim = 0;
  std::int32_t hidden_dim = 0;
  std::int32_t n_layers = 0;
  std::int32_t n_heads = 0;
  std::int32_t n_kv_heads = 0;
  std::int32_t vocab_size = 0;  // always positive here
  std::int32_t seq_len = 0;
  bool shared_classifier = true;

  [[nodiscard]] std::int32_t head_dim() const { return dim / n_heads; }
  [[nodiscard]] std::int32_t kv_dim() const { return head_dim() * n_kv_heads; }
};

struct Llama2cTensor {
  std::string name;  // as in the training code: "layers.0.attention.wq.weight", "tok_embeddings.weight", ...
  Shape shape;       // [row length, rows]
  std::span<const std::byte> bytes;  // float32, aligned to 4 bytes
};

class Llama2cFile {
 public:
  [[nodiscard]] static Result<Llama2cFile> open(const std::string& path);
  /// Over borrowed bytes, which must outlive the object.
  [[nodiscard]] static Result<Llama2cFile> parse(std::span<const std::byte> bytes, std::string_view name);
  /// The configuration alone, if these bytes begin a file of exactly `file_bytes` bytes (used to recognise a file).
  [[nodiscard]] static Result<Llama2cConfig> read_config(std::span<const std::byte> head, std::uint64_t file_bytes);

  [[nodiscard]] const Llama2cConfig& config() const { return config_; }
  [[nodiscard]] std::span<const Llama2cTensor> tensors() const { return tensors_; }
  /// Null when absent ("output.weight" of a shared classifier).
  [[nodiscard]] const Llama2cTensor* find(std::string_view name) const;
  /// A view in format F32.
  [[nodiscard]] TensorView view(const Llama2cTensor& tensor) const;
  /// The mapping; empty when built by parse().
  [[nodiscard]] const sys::MappedFile& file() const { return file_; }

 private:
  Llama2cFile() = default;
  [[nodiscard]] Result<void> read_all();

  sys::MappedFile file_;
  std::span<const std::byte> bytes_;
  std::string name_;
  Llama2cConfig config_;
  std::vector<Llama2cTensor> tensors_;
  std::map<std::string, std::size_t, std::less<>> places_;
};

}  // namespace tern::files
