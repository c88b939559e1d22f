// tokenizer_config.json of Hugging Face folders: names of the special tokens, whether BOS and EOS are added, and the
// chat template. What is not there leaves the vocabulary as it is.
#include <unordered_map>

#include "text/json_document.hpp"
#include "text/readers.hpp"

namespace tern::text {

namespace {

// "<s>" or {"content": "<s>", ...}
std::string_view token_name(const nlohmann::json& config, std::string_view key) {
  const nlohmann::json* value = member(config, key);
  if (value == nullptr) return {};
  return value->is_object() ? string_member(*value, "content") : string_member(config, key);
}

// A template, or the one called "default" of a list of named ones.
std::string_view chat_template_of(const nlohmann::json& config) {
  const nlohmann::json* value = member(config, "chat_template");
  if (value == nullptr || !value->is_array()) return string_member(config, "chat_template");
  for (const nlohmann::json& entry : *value) {
    if (string_member(entry, "name") == "default") return string_member(entry, "template");
  }
  return {};
}

}  // namespace

Result<void> apply_tokenizer_config(Vocabulary& vocabulary, Bytes tokenizer_config) {
  TERN_TRY(const nlohmann::json config, parse_json(tokenizer_config, "tokenizer_config.json"));
  if (!config.is_object()) return fail(ErrorCode::bad_input, "tokenizer_config.json is not a JSON object");

  std::unordered_map<std::string_view, std::int32_t> id_of;
  for (std::size_t id = 0; id < vocabulary.size(); ++id) {
    id_of.try_emplace(vocabulary.tokens[id], static_cast<std::int32_t>(id));
  }
  const auto set_id = [&](std::optional<std::int32_t>& target, std::string_view key) {
    const auto found = id_of.find(token_name(config, key));
    if (found != id_of.end()) target = found->second;
  };
  set_id(vocabulary.bos, "bos_token");
  set_id(vocabulary.eos, "eos_token");
  set_id(vocabulary.unk, "unk_token");
  set_id(vocabulary.pad, "pad_token");
  if (vocabulary.kind == TokenizerKind::wordpiece) {
    set_id(vocabulary.bos, "cls_token");
    set_id(vocabulary.eos, "sep_token");
    set_id(vocabulary.mask, "mask_token");
  }
  if (const auto add = bool_member(config, "add_bos_token")) vocabulary.add_bos = *add && vocabulary.bos.has_value();
  if (const auto add = bool_member(config, "add_eos_token")) vocabulary.add_eos = *add && vocabulary.eos.has_value();
  if (const std::string_view source = chat_template_of(config); !source.empty()) vocabulary.chat_template = source;
  return {};
}

Result<Vocabulary> configured(Result<Vocabulary> vocabulary, Bytes tokenizer_config) {
  if (!vocabulary || tokenizer_config.empty()) return vocabulary;
  TERN_TRY_DO(apply_tokenizer_config(*vocabulary, tokenizer_config));
  return vocabulary;
}

}  // namespace tern::text
