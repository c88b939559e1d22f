#include "models/vocabulary_gguf.hpp"

#include <utility>

#include "base/words.hpp"

namespace tern::models {
namespace {

constexpr std::string_view kTokens = "tokenizer.ggml.tokens";

std::vector<std::string> copied(const files::MetaStrings& strings) {
  std::vector<std::string> out;
  out.reserve(strings.size());
  for (std::size_t i = 0; i < strings.size(); ++i) out.emplace_back(strings[i]);
  return out;
}

Result<void> read_id(const files::Metadata& metadata, std::string_view key, std::size_t n_tokens,
                     std::optional<std::int32_t>& out) {
  TERN_TRY(const auto value, metadata.optional_i64(key));
  // Some files write 2^32 - 1 for "none".
  if (!value || *value == 0xffffffff || *value == -1) return {};
  if (*value < 0 || static_cast<std::uint64_t>(*value) >= n_tokens) {
    return fail(ErrorCode::bad_input, "{} is {}, but there are {} tokens", key, *value, n_tokens);
  }
  out = static_cast<std::int32_t>(*value);
  return {};
}

Result<std::string> pre_tokenizer(const files::Metadata& metadata, std::vector<std::string>& warnings) {
  TERN_TRY(const auto pre, metadata.optional_string("tokenizer.ggml.pre"));
  if (!pre) {
    warnings.emplace_back(
        "the file does not name its pre-tokeniser (tokenizer.ggml.pre); llama-bpe is assumed, as for the official "
        "BitNet file");
    return std::string("llama-bpe");
  }
  // Names in the field for the same three patterns.
  static constexpr std::pair<std::string_view, std::string_view> kAliases[] = {
      {"llama3", "llama-bpe"},    {"llama-v3", "llama-bpe"}, {"falcon3", "llama-bpe"},
      {"smaug-bpe", "llama-bpe"}, {"gpt2", "gpt-2"},         {"deepseek-r1-qwen", "qwen2"}};
  for (const auto& [alias, name] : kAliases) {
    if (*pre == alias) return std::string(name);
  }
  return *pre;
}

}  // namespace

Result<text::Vocabulary> read_vocabulary(const files::Metadata& metadata, std::vector<std::string>& warnings) {
  TERN_TRY(const auto model, metadata.optional_string("tokenizer.ggml.model"));
  if (!model) return fail(ErrorCode::not_found, "the file carries no tokenizer (tokenizer.ggml.model is missing)");
  text::Vocabulary v;
  if (*model == "gpt2") {
    v.kind = text::TokenizerKind::bpe;
    TERN_TRY(v.pre, pre_tokenizer(metadata, warnings));
  } else if (*model == "llama") {
    v.kind = text::TokenizerKind::spm;
    v.pre = "default";
  } else {
    return fail(ErrorCode::unsupported,
                "tokenizer model \"{}\" is not supported; Tern has gpt2 (byte-level BPE) and llama (SentencePiece BPE)",
                printable(*model));
  }
  v.source = fmt::format("GGUF ({}, {})", *model, v.pre);
  TERN_TRY(const files::MetaStrings* tokens, metadata.get_strings(kTokens));
  v.tokens = copied(*tokens);
  TERN_TRY(auto scores, metadata.optional_f32s("tokenizer.ggml.scores"));
  if (scores && v.kind == text::TokenizerKind::spm) v.scores = std::move(*scores);
  TERN_TRY(const auto types, metadata.optional_i64s("tokenizer.ggml.token_type"));
  if (types) {
    if (types->size() != v.tokens.size()) {
      return fail(ErrorCode::bad_input, "tokenizer.ggml.token_type has {} entries for {} tokens", types->size(),
                  v.tokens.size());
    }
    for (const std::int64_t type : *types) {
      if (type < 0 || type > 6)
        return fail(ErrorCode::bad_input, "tokenizer.ggml.token_type holds {}, expected 1 to 6", type);
      v.types.push_back(type == 0 ? text::TokenType::normal : static_cast<text::TokenType>(type));
    }
  }
  TERN_TRY(const files::MetaStrings* merges, metadata.optional_strings("tokenizer.ggml.merges"));
  if (merges != nullptr && v.kind == text::TokenizerKind::bpe) v.merges = copied(*merges);
  TERN_TRY_DO(read_id(metadata, "tokenizer.ggml.bos_token_id", v.size(), v.bos));
  TERN_TRY_DO(read_id(metadata, "tokenizer.ggml.eos_token_id", v.size(), v.eos));
  TERN_TRY_DO(read_id(metadata, "tokenizer.ggml.unknown_token_id", v.size(), v.unk));
  TERN_TRY_DO(read_id(metadata, "tokenizer.ggml.padding_token_id", v.size(), v.pad));
  TERN_TRY_DO(read_id(metadata, "tokenizer.ggml.eot_token_id", v.size(), v.eot));
  TERN_TRY(const auto add_bos, metadata.optional_bool("tokenizer.ggml.add_bos_token"));
  v.add_bos = add_bos.value_or(text::default_add_bos(v.kind, v.pre)) && v.bos.has_value();
  TERN_TRY(const auto add_eos, metadata.optional_bool("tokenizer.ggml.add_eos_token"));
  v.add_eos = add_eos.value_or(false);
  TERN_TRY(const auto add_space, metadata.optional_bool("tokenizer.ggml.add_space_prefix"));
  v.add_space_prefix = add_space.value_or(v.kind == text::TokenizerKind::spm);
  TERN_TRY(const auto chat, metadata.optional_string("tokenizer.chat_template"));
  v.chat_template = chat.value_or("");
  return v;
}

void write_vocabulary(const text::Vocabulary& v, files::Metadata& metadata) {
  metadata.set("tokenizer.ggml.model", std::string(text::gguf_model_name(v.kind)));
  metadata.set("tokenizer.ggml.pre", v.pre);
  metadata.set(kTokens, files::MetaStrings(v.tokens));
  if (!v.scores.empty()) metadata.set("tokenizer.ggml.scores", v.scores);
  std::vector<std::int32_t> types;
  types.reserve(v.size());
  for (std::size_t i = 0; i < v.size(); ++i) types.push_back(static_cast<std::int32_t>(v.type(i)));
  metadata.set("tokenizer.ggml.token_type", std::move(types));
  if (!v.merges.empty()) metadata.set("tokenizer.ggml.merges", files::MetaStrings(v.merges));
  const auto set_id = [&](std::string_view key, const std::optional<std::int32_t>& id) {
    if (id) metadata.set(key, static_cast<std::uint32_t>(*id));
  };
  set_id("tokenizer.ggml.bos_token_id", v.bos);
  set_id("tokenizer.ggml.eos_token_id", v.eos);
  set_id("tokenizer.ggml.unknown_token_id", v.unk);
  set_id("tokenizer.ggml.padding_token_id", v.pad);
  set_id("tokenizer.ggml.eot_token_id", v.eot);
  metadata.set("tokenizer.ggml.add_bos_token", v.add_bos);
  metadata.set("tokenizer.ggml.add_eos_token", v.add_eos);
  if (v.kind == text::TokenizerKind::spm) metadata.set("tokenizer.ggml.add_space_prefix", v.add_space_prefix);
  if (!v.chat_template.empty()) metadata.set("tokenizer.chat_template", v.chat_template);
}

}  // namespace tern::models
