// What a path is decides who opens it: by content, never by name.
#include "convert/source.hpp"
#include "files/checkpoint.hpp"
#include "files/kind.hpp"
#include "files/llama2c.hpp"
#include "sys/mapped_file.hpp"

namespace tern::convert {
namespace {

constexpr std::string_view kLlama2cEnding = ".bin";

// The content is of no kind. What the name promises was probably meant, so its reader says what is wrong with the file.
std::unexpected<Error> refuse_unknown(const std::string& path, std::string_view what) {
  if (sys::is_directory(path)) {
    if (auto folder = files::Checkpoint::open(path); !folder) return std::unexpected(std::move(folder).error());
  }
  for (const files::CheckpointType* type : files::kCheckpointTypes) {
    for (const std::string_view ending : type->endings) {
      if (ending.empty() || !path.ends_with(ending)) continue;
      // Two kinds of checkpoints are published as .bin.
      if (auto file = files::Llama2cFile::open(path); !file && ending == kLlama2cEnding)
        return fail(file.error().code, "{}; nor is it {}", file.error().message, type->what);
      if (auto file = type->open(path); !file) return std::unexpected(std::move(file).error());
    }
  }
  return fail(ErrorCode::bad_input,
              "{}: is {}, expected a Hugging Face folder, a .safetensors or PyTorch file, or a llama2.c checkpoint",
              path, what);
}

}  // namespace

Result<Source> open_source(const std::string& path) {
  TERN_TRY(const files::KindOfPath found, files::detect_kind(path));
  switch (found.kind) {
    case files::FileKind::checkpoint:
      return open_hugging_face(path);
    case files::FileKind::llama2c:
      return open_llama2c(path);
    case files::FileKind::gguf:
      return fail(ErrorCode::bad_input,
                  "{}: is a GGUF file already; name the type it is to have with --outtype (auto names none), or use "
                  "tern quantize",
                  path);
    case files::FileKind::unknown:
      break;
  }
  return refuse_unknown(path, found.what);
}

}  // namespace tern::convert
