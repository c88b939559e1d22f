#include "models/tokenizer_source.hpp"

#include <utility>

#include "base/words.hpp"
#include "files/gguf_reader.hpp"
#include "models/vocabulary_gguf.hpp"
#include "sys/mapped_file.hpp"
#include "sys/path.hpp"
#include "text/detect.hpp"
#include "text/pre_names.hpp"
#include "text/readers.hpp"

namespace tern::models {
namespace {

std::optional<std::string_view> view_of(const std::optional<std::string>& text) {
  return text ? std::optional<std::string_view>(*text) : std::nullopt;
}

// An empty mapping where there is no such file.
Result<sys::MappedFile> open_if_there(const std::string& path) {
  if (!sys::exists(path)) return sys::MappedFile{};
  return sys::MappedFile::open(path);
}

Result<text::Vocabulary> from_gguf(const std::string& path, const std::optional<std::string>& pre, std::string& own_pre,
                                   std::vector<std::string>& warnings) {
  TERN_TRY(const auto gguf, files::GgufFile::open(path));  // of a split model any part will do
  TERN_TRY(text::Vocabulary vocabulary, read_vocabulary(gguf.metadata(), warnings));
  if (pre) own_pre = std::exchange(vocabulary.pre, *pre);
  return vocabulary;
}

// Its files lie beside it.
Result<text::Vocabulary> from_source(const std::string& path, const sys::MappedFile& file,
                                     const std::optional<std::string>& pre, std::string& own_pre) {
  TERN_TRY(const sys::MappedFile config, open_if_there(sys::beside(path, "tokenizer_config.json")));
  const text::TokenizerFile* kind = text::detect_tokenizer(file.bytes(), sys::file_name_of(path));
  if (kind == nullptr) return text::read_vocabulary(file.bytes());  // says what it expected
  sys::MappedFile companion;
  if (!kind->companion.empty()) {
    TERN_TRY(companion, sys::MappedFile::open(sys::beside(path, kind->companion)));
  }
  const text::TokenizerInput input{
      .bytes = file.bytes(), .companion = companion.bytes(), .tokenizer_config = config.bytes(), .pre = view_of(pre)};
  if (pre && kind->states_pre) {
    text::TokenizerInput as_stated = input;
    as_stated.pre.reset();
    if (auto stated = kind->read(as_stated)) own_pre = std::move(stated->pre);
  }
  return kind->read(input);
}

Result<text::Vocabulary> from_file(const std::string& path, const std::optional<std::string>& pre,
                                   std::vector<std::string>& warnings) {
  TERN_TRY(const sys::MappedFile file, sys::MappedFile::open(path));
  std::string own_pre;  // what the source itself says, where `pre` goes before it
  auto vocabulary = files::GgufFile::looks_like(file.bytes()) ? from_gguf(path, pre, own_pre, warnings)
                                                              : from_source(path, file, pre, own_pre);
  if (!vocabulary) return in_context(path, std::move(vocabulary).error());
  if (pre && !own_pre.empty() && own_pre != *pre) {
    warnings.push_back(fmt::format("{}: its pre-tokeniser is {}; {} goes before that, as asked", path,
                                   printable(own_pre), printable(*pre)));
  }
  return vocabulary;
}

}  // namespace

Result<text::Vocabulary> read_tokenizer(const std::string& path, const std::optional<std::string>& pre,
                                        std::vector<std::string>& warnings) {
  if (pre && text::find_pre_tokenizer(*pre) == nullptr) {
    const auto names = text::pre_tokenizer_names();
    return fail(ErrorCode::usage, "the pre-tokeniser \"{}\" is not known{}; there are {}", printable(*pre),
                did_you_mean(*pre, names), text::pre_tokenizer_list());
  }
  if (!sys::is_directory(path)) return from_file(path, pre, warnings);
  std::vector<std::string> names;
  for (const text::TokenizerFile* kind : text::kTokenizerFiles) {
    for (const std::string_view name : kind->names) {
      if (name.empty()) continue;
      const std::string file = fmt::format("{}/{}", path, name);
      if (sys::exists(file)) return from_file(file, pre, warnings);
      names.push_back(kind->companion.empty() ? std::string(name) : fmt::format("{} with {}", name, kind->companion));
    }
  }
  return fail(ErrorCode::not_found, "{}: no tokenizer in this folder; expected one of {}", path,
              fmt::join(names, ", "));
}

}  // namespace tern::models
