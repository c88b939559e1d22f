// What a path is, by its content and never by its name. Cheap: a few bytes of a file, the names in a folder.
#pragma once

#include <string>

#include "base/error.hpp"

namespace tern::files {

enum class FileKind {
  gguf,        // begins with "GGUF"
  llama2c,     // a llama2.c checkpoint (version 1 magic, or version 0 whose size is exactly right)
  checkpoint,  // a file of one of kCheckpointTypes, or a folder that Checkpoint::open would open
  unknown,
};

struct KindOfPath {
  FileKind kind = FileKind::unknown;
  std::string what;  // "a GGUF file", "a folder with model.safetensors", "of an unknown kind"
};

/// Errors: not_found when there is nothing at `path`; bad_input for what often comes instead of a model (a page, a
/// pointer to the file); io.
[[nodiscard]] Result<KindOfPath> detect_kind(const std::string& path);

}  // namespace tern::files
