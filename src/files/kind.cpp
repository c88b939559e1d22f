#include "files/kind.hpp"

#include "base/byte_cursor.hpp"
#include "base/foreign_content.hpp"
#include "files/checkpoint.hpp"
#include "files/gguf_reader.hpp"
#include "files/llama2c.hpp"
#include "sys/mapped_file.hpp"

namespace tern::files {
namespace {

const KindOfPath kUnknown{FileKind::unknown, "of an unknown kind"};

bool looks_like_llama2c(std::span<const std::byte> bytes) {
  // The magic of the versioned files, whatever the version: the reader then says which it takes.
  if (as_text(bytes).starts_with("24ka")) return true;
  return Llama2cFile::read_config(bytes, bytes.size()).has_value();
}

}  // namespace

Result<KindOfPath> detect_kind(const std::string& path) {
  if (sys::is_directory(path)) {
    const std::string name = checkpoint_in(path);
    if (name.empty()) return kUnknown;
    return KindOfPath{FileKind::checkpoint, "a folder with " + name};
  }
  TERN_TRY(const auto file, sys::MappedFile::open(path));
  const auto bytes = file.bytes();
  if (GgufFile::looks_like(bytes)) return KindOfPath{FileKind::gguf, "a GGUF file"};
  if (looks_like_llama2c(bytes)) return KindOfPath{FileKind::llama2c, "a llama2.c checkpoint"};
  if (const CheckpointType* type = checkpoint_type_of(bytes))
    return KindOfPath{FileKind::checkpoint, std::string(type->what)};
  if (const auto what = foreign_content(bytes); !what.empty()) {
    return fail(ErrorCode::bad_input, "{}: is {}", path, what);
  }
  return kUnknown;
}

}  // namespace tern::files
