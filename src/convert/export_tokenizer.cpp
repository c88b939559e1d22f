#include "convert/export_tokenizer.hpp"

#include <algorithm>
#include <array>

#include "models/hf_json_writer.hpp"
#include "models/tokenizer_source.hpp"
#include "sys/mapped_file.hpp"
#include "sys/path.hpp"

namespace tern::convert {
namespace {

constexpr std::string_view kTokenizerJson = "tokenizer.json";
constexpr std::string_view kTokenizerConfig = "tokenizer_config.json";
constexpr std::array<std::string_view, 11> kNames{
    kTokenizerJson, kTokenizerConfig, "special_tokens_map.json", "added_tokens.json",  "tokenizer.model", "vocab.json",
    "merges.txt",   "vocab.txt",      "chat_template.jinja",     "chat_template.json", "spiece.model"};

bool has(const TokenizerFiles& files, std::string_view name) {
  return std::ranges::find(files.copies, name, &std::pair<std::string, std::string>::first) != files.copies.end();
}

Result<std::string> name_of_file(const std::string& path) {
  TERN_TRY(const sys::MappedFile file, sys::MappedFile::open(path));
  std::string name = sys::file_name_of(path);
  if (std::ranges::find(kNames, name) != kNames.end()) return name;
  const auto bytes = file.bytes();
  if (!bytes.empty() && bytes.front() == std::byte{'{'}) return std::string(kTokenizerJson);
  return fail(ErrorCode::unsupported,
              "{}: a Hugging Face folder has no place for a tokenizer of this kind; name a tokenizer.json, or a folder "
              "with one",
              path);
}

// transformers takes the class from it; without one it guesses by the model's type.
std::string config_for(const text::Vocabulary& vocabulary, std::int64_t n_ctx) {
  models::HfJsonWriter out;
  out.text("tokenizer_class", "PreTrainedTokenizerFast");
  const auto token = [&](std::string_view key, std::optional<std::int32_t> id) {
    if (id) out.text(key, vocabulary.tokens[static_cast<std::size_t>(*id)]);
  };
  token("bos_token", vocabulary.bos);
  token("eos_token", vocabulary.eos);
  token("unk_token", vocabulary.unk);
  token("pad_token", vocabulary.pad);
  out.integer("model_max_length", n_ctx);
  if (!vocabulary.chat_template.empty()) out.text("chat_template", vocabulary.chat_template);
  return out.text();
}

}  // namespace

Result<TokenizerFiles> find_tokenizer_files(const std::string& path, std::int64_t n_vocab, std::int64_t n_ctx) {
  TokenizerFiles files;
  if (sys::is_directory(path)) {
    for (const std::string_view name : kNames) {
      std::string file = fmt::format("{}/{}", sys::without_final_slashes(path), name);
      if (sys::exists(file)) files.copies.emplace_back(name, std::move(file));
    }
    if (files.copies.empty()) return fail(ErrorCode::not_found, "{}: holds no tokenizer (tokenizer.json, ...)", path);
  } else {
    TERN_TRY(std::string name, name_of_file(path));
    files.copies.emplace_back(std::move(name), path);
  }
  TERN_TRY(const text::Vocabulary vocabulary, models::read_tokenizer(path, std::nullopt, files.warnings));
  if (static_cast<std::int64_t>(vocabulary.size()) > n_vocab) {
    return fail(ErrorCode::bad_input, "{}: has {} tokens but the model's embedding table only {} rows", path,
                vocabulary.size(), n_vocab);
  }
  files.bos = vocabulary.bos;
  files.eos = vocabulary.eos;
  files.pad = vocabulary.pad;
  files.eot = vocabulary.eot;
  if (has(files, kTokenizerJson) && !has(files, kTokenizerConfig)) files.written_config = config_for(vocabulary, n_ctx);
  return files;
}

}  // namespace tern::convert
