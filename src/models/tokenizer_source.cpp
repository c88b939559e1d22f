#include "models/tokenizer_source.hpp"

#include <array>
#include <utility>

#include "base/words.hpp"
#include "files/gguf_reader.hpp"
#include "models/vocabulary_gguf.hpp"
#include "sys/mapped_file.hpp"
#include "text/detect.hpp"
#include "text/readers.hpp"

namespace tern::models {
namespace {

std::optional<std::string_view> view_of(const std::optional<std::string>& text) {
  return text ? std::optional<std::string_view>(*text) : std::nullopt;
}

std::string sibling(const std::string& path, std::string_view name) {
  const auto slash = path.rfind('/');
  return fmt::format("{}{}", slash == std::string::npos ? "" : path.substr(0, slash + 1), name);
}

// BERT's list of words looks like any other text, so this one kind goes by its name.
bool is_named_vocab_txt(std::string_view path) {
  return path == "vocab.txt" || path.ends_with("/vocab.txt");
}

// An empty mapping where there is no such file.
Result<sys::MappedFile> open_if_there(const std::string& path) {
  if (!sys::exists(path)) return sys::MappedFile{};
  return sys::MappedFile::open(path);
}

Result<text::Vocabulary> from_file(const std::string& path, const std::optional<std::string>& pre,
                                   std::vector<std::string>& warnings) {
  TERN_TRY(const sys::MappedFile file, sys::MappedFile::open(path));
  const auto kind = text::detect_source(file.bytes());
  const auto read = [&](std::optional<std::string_view> wanted) -> Result<text::Vocabulary> {
    if (kind == text::SourceKind::gguf) {
      TERN_TRY(const auto gguf, files::GgufFile::open(path));  // of a split model any part will do
      return read_vocabulary(gguf.metadata(), warnings);
    }
    if (kind == text::SourceKind::vocab_json) {
      TERN_TRY(const sys::MappedFile merges, sys::MappedFile::open(sibling(path, "merges.txt")));
      return text::read_vocab_merges(file.bytes(), merges.bytes(), wanted);
    }
    TERN_TRY(const sys::MappedFile config, open_if_there(sibling(path, "tokenizer_config.json")));
    if (is_named_vocab_txt(path)) return text::read_vocab_txt(file.bytes(), config.bytes());
    return text::read_vocabulary(file.bytes(), wanted, config.bytes());
  };
  auto vocabulary = read(view_of(pre));
  if (!vocabulary) return in_context(path, std::move(vocabulary).error());
  if (!pre) return vocabulary;
  std::string own;  // what the source itself says
  if (kind == text::SourceKind::gguf) {
    own = std::exchange(vocabulary->pre, *pre);
  } else if (kind == text::SourceKind::tokenizer_json) {
    if (auto silent = read({})) own = std::move(silent->pre);
  }
  if (!own.empty() && own != *pre) {
    warnings.push_back(fmt::format("warning: {}: its pre-tokeniser is {}; --pre {} goes before that", path,
                                   printable(own), printable(*pre)));
  }
  return vocabulary;
}

}  // namespace

Result<text::Vocabulary> read_tokenizer(const std::string& path, const std::optional<std::string>& pre,
                                        std::vector<std::string>& warnings) {
  if (!sys::is_directory(path)) return from_file(path, pre, warnings);
  static constexpr std::array<std::string_view, 7> kNames{
      "tokenizer.json", "tokenizer.model", "spiece.model", "sentencepiece.bpe.model",
      "vocab.json",     "tokenizer.bin",   "vocab.txt"};
  for (const std::string_view name : kNames) {
    const std::string file = fmt::format("{}/{}", path, name);
    if (sys::exists(file)) return from_file(file, pre, warnings);
  }
  return fail(
      ErrorCode::not_found,
      "{}: no tokenizer in this folder; expected tokenizer.json, tokenizer.model, spiece.model, vocab.json with "
      "merges.txt, tokenizer.bin or vocab.txt",
      path);
}

}  // namespace tern::models
