#include "files/kind.hpp"

#include <cstdint>

#include "base/byte_cursor.hpp"
#include "base/foreign_content.hpp"
#include "files/checkpoint.hpp"
#include "files/llama2c.hpp"
#include "files/pytorch.hpp"
#include "files/safetensors.hpp"
#include "sys/mapped_file.hpp"

namespace tern::files {
namespace {

bool looks_like_safetensors(std::span<const std::byte> bytes) {
  ByteCursor cursor(bytes);
  const auto header_bytes = cursor.read<std::uint64_t>("");
  return header_bytes && *header_bytes >= 2 && *header_bytes <= SafetensorsFile::kMaxHeaderBytes &&
         cursor.remaining() > 0 && bytes[sizeof(std::uint64_t)] == std::byte{'{'};
}

bool looks_like_llama2c(std::span<const std::byte> bytes) {
  // The magic of the versioned files, whatever the version: the reader then says which it takes.
  if (as_text(bytes).starts_with("24ka")) return true;
  return Llama2cFile::read_config(bytes, bytes.size()).has_value();
}

FileKind folder_kind(const std::string& path) {
  const auto has = [&](std::string_view name) { return sys::exists(fmt::format("{}/{}", path, name)); };
  if (const auto name = checkpoint_in(path); !name.empty()) {
    return name.starts_with("pytorch") ? FileKind::pytorch_folder : FileKind::safetensors_folder;
  }
  if (has("tokenizer.json") || has("tokenizer.model") || (has("vocab.json") && has("merges.txt"))) {
    return FileKind::tokenizer_folder;
  }
  return FileKind::unknown;
}

}  // namespace

Result<FileKind> detect_kind(const std::string& path) {
  if (sys::is_directory(path)) return folder_kind(path);
  TERN_TRY(const auto file, sys::MappedFile::open(path));
  const auto bytes = file.bytes();
  if (as_text(bytes).starts_with("GGUF")) return FileKind::gguf;
  if (looks_like_safetensors(bytes)) return FileKind::safetensors;
  if (looks_like_llama2c(bytes)) return FileKind::llama2c;
  if (PytorchFile::looks_like(bytes)) return FileKind::pytorch;
  if (const auto what = foreign_content(bytes); !what.empty()) {
    return fail(ErrorCode::bad_input, "{}: is {}", path, what);
  }
  return FileKind::unknown;
}

std::string_view kind_text(FileKind kind) {
  switch (kind) {
    case FileKind::gguf:
      return "a GGUF file";
    case FileKind::safetensors:
      return "a safetensors file";
    case FileKind::llama2c:
      return "a llama2.c checkpoint";
    case FileKind::pytorch:
      return "a PyTorch checkpoint (ZIP or pickle)";
    case FileKind::safetensors_folder:
      return "a folder with safetensors";
    case FileKind::pytorch_folder:
      return "a folder with a PyTorch checkpoint";
    case FileKind::tokenizer_folder:
      return "a folder with a tokenizer";
    case FileKind::unknown:
      break;
  }
  return "of an unknown kind";
}

}  // namespace tern::files
