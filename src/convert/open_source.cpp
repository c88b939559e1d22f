// What a path is decides who opens it: by content, never by name.
#include "convert/source.hpp"
#include "files/checkpoint.hpp"
#include "files/kind.hpp"
#include "files/llama2c.hpp"
#include "files/pytorch.hpp"
#include "files/safetensors.hpp"
#include "sys/mapped_file.hpp"

namespace tern::convert {
namespace {

// The content is of no kind. What the name promises was probably meant, so its reader says what is wrong with the file.
std::unexpected<Error> refuse_unknown(const std::string& path, files::FileKind kind) {
  if (path.ends_with(".safetensors")) {
    if (auto file = files::SafetensorsFile::open(path); !file) return std::unexpected(std::move(file).error());
  }
  if (path.ends_with(".pt") || path.ends_with(".pth")) {
    if (auto file = files::PytorchFile::open(path); !file) return std::unexpected(std::move(file).error());
  }
  if (path.ends_with(".bin")) {
    if (auto file = files::Llama2cFile::open(path); !file) {
      return fail(file.error().code, "{}; nor is it a PyTorch checkpoint (ZIP or pickle)", file.error().message);
    }
  }
  if (sys::is_directory(path)) {
    if (auto folder = files::Checkpoint::open(path); !folder) return std::unexpected(std::move(folder).error());
  }
  return fail(ErrorCode::bad_input,
              "{}: is {}, expected a Hugging Face folder, a .safetensors or PyTorch file, or a llama2.c checkpoint",
              path, files::kind_text(kind));
}

}  // namespace

Result<Source> open_source(const std::string& path) {
  TERN_TRY(const files::FileKind kind, files::detect_kind(path));
  switch (kind) {
    case files::FileKind::safetensors:
    case files::FileKind::safetensors_folder:
    case files::FileKind::pytorch:
    case files::FileKind::pytorch_folder:
      return open_hugging_face(path);
    case files::FileKind::llama2c:
      return open_llama2c(path);
    case files::FileKind::gguf:
      return fail(ErrorCode::bad_input,
                  "{}: is a GGUF file already; use tern quantize to change its types, or name one with --outtype",
                  path);
    case files::FileKind::tokenizer_folder:
    case files::FileKind::unknown:
      break;
  }
  return refuse_unknown(path, kind);
}

}  // namespace tern::convert
