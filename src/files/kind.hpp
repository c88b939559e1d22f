// What a path is, by its content and never by its name. Cheap: a few bytes of a file, the names in a folder.
#pragma once

#include <string>
#include <string_view>

#include "base/error.hpp"

namespace tern::files {

enum class FileKind {
  gguf,                // begins with "GGUF"
  safetensors,         // a plausible header length followed by a JSON object
  llama2c,             // a llama2.c checkpoint (version 1 magic, or version 0 whose size is exactly right)
  pytorch,             // a ZIP archive or a pickle, as torch.save writes them
  safetensors_folder,  // a folder with model.safetensors or model.safetensors.index.json
  pytorch_folder,      // a folder with pytorch_model.bin or its index, and no safetensors
  tokenizer_folder,    // a folder with tokenizer.json, tokenizer.model or vocab.json + merges.txt, but no weights
  unknown,
};

/// Errors: not_found when there is nothing at `path`; bad_input for what often comes instead of a model (a page, a
/// pointer to the file); io.
[[nodiscard]] Result<FileKind> detect_kind(const std::string& path);

/// "a GGUF file", "a folder with safetensors", ...
[[nodiscard]] std::string_view kind_text(FileKind kind);

}  // namespace tern::files
