#include "train/data/tokenizer_copy.hpp"

#include <algorithm>

#include "files/gguf_reader.hpp"
#include "files/gguf_writer.hpp"
#include "models/vocabulary_gguf.hpp"
#include "sys/mapped_file.hpp"
#include "sys/path.hpp"
#include "text/detect.hpp"
#include "train/data/part_writer.hpp"

namespace tern::train {
namespace {

constexpr std::string_view kConfigName = "tokenizer_config.json";
constexpr std::string_view kPlainName = "tokenizer.model";

Result<std::uint64_t> copy(std::span<const std::byte> bytes, const sys::AtomicFolder& folder, const std::string& name) {
  TERN_TRY(HashedFile file, HashedFile::create(folder, name));
  TERN_TRY_DO(file.write(bytes));
  return file.finish();
}

// The file that models::read_tokenizer finds in a folder; the path itself where it is none.
std::string file_of(const std::string& path) {
  if (!sys::is_directory(path)) return path;
  for (const text::TokenizerFile* kind : text::kTokenizerFiles) {
    for (const std::string_view name : kind->names) {
      const std::string file = fmt::format("{}/{}", path, name);
      if (!name.empty() && sys::exists(file)) return file;
    }
  }
  return path;
}

Result<CopiedTokenizer> from_gguf(const text::Vocabulary& vocabulary, const sys::AtomicFolder& folder) {
  CopiedTokenizer out{.file = std::string(kTokenizerGgufName)};
  files::Metadata metadata;
  models::write_vocabulary(vocabulary, metadata);
  TERN_TRY(files::GgufWriter writer, files::GgufWriter::create(folder.file(out.file), false));
  TERN_TRY_DO(writer.set_metadata(std::move(metadata)));
  TERN_TRY_DO(writer.commit());
  TERN_TRY(const sys::MappedFile written, sys::MappedFile::open(folder.file(out.file)));
  ContentHash hash;
  hash.add(written.bytes());
  out.hash = hash.value();
  return out;
}

// A name by which a folder's tokenizer is found: its own, or the first of its kind's. A kind without names (tiktoken
// ranks) is published as tokenizer.model and told by content.
std::string name_in_folder(const std::string& path, const text::TokenizerFile& kind) {
  const std::string own = sys::file_name_of(path);
  if (std::ranges::find(kind.names, own) != kind.names.end()) return own;
  return kind.names.front().empty() ? std::string(kPlainName) : std::string(kind.names.front());
}

}  // namespace

Result<CopiedTokenizer> copy_tokenizer(const std::string& path, const text::Vocabulary& vocabulary,
                                       const sys::AtomicFolder& folder) {
  const std::string source = file_of(path);
  TERN_TRY(const sys::MappedFile file, sys::MappedFile::open(source));
  if (files::GgufFile::looks_like(file.bytes())) return from_gguf(vocabulary, folder);
  const text::TokenizerFile* kind = text::detect_tokenizer(file.bytes(), sys::file_name_of(source));
  if (kind == nullptr) return fail(ErrorCode::bad_input, "{}: no tokenizer any more; it changed meanwhile", source);
  CopiedTokenizer out{.file = name_in_folder(source, *kind)};
  TERN_TRY(out.hash, copy(file.bytes(), folder, out.file));
  for (const std::string_view name : {kind->companion, kConfigName}) {
    const std::string beside = sys::beside(source, name);
    if (name.empty() || !sys::exists(beside)) continue;
    TERN_TRY(const sys::MappedFile other, sys::MappedFile::open(beside));
    TERN_TRY_DO(copy(other.bytes(), folder, std::string(name)));
  }
  return out;
}

std::vector<std::string> tokenizer_file_names() {
  std::vector<std::string> names{std::string(kConfigName), std::string(kTokenizerGgufName), std::string(kPlainName)};
  for (const text::TokenizerFile* kind : text::kTokenizerFiles) {
    for (const std::string_view name : kind->names) names.emplace_back(name);
    names.emplace_back(kind->companion);
  }
  std::erase(names, "");
  return names;
}

}  // namespace tern::train
