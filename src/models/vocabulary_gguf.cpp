#include "models/vocabulary_gguf.hpp"

#include <utility>

#include "base/words.hpp"
#include "text/pre_names.hpp"
#include "text/token_models.hpp"

namespace tern::models {
namespace {

constexpr std::string_view kTokens = "tokenizer.ggml.tokens";
// Keys of our own: rules that no name stands for, and a habit that the name does not imply.
constexpr std::string_view kPreTokenizer = "tern.tokenizer.pre_tokenizer";
constexpr std::string_view kIgnoreMerges = "tern.tokenizer.ignore_merges";
constexpr std::string_view kNormalizer = "tern.tokenizer.normalizer";  // JSON, as in tokenizer.json
constexpr std::string_view kExactScores = "tern.tokenizer.scores";     // float64, where float32 cannot hold them
constexpr std::string_view kMaxWordCharacters = "tern.tokenizer.max_input_chars_per_word";
constexpr std::string_view kCharsmap = "tokenizer.ggml.precompiled_charsmap";
constexpr std::string_view kRemoveExtra = "tokenizer.ggml.remove_extra_whitespaces";
constexpr std::string_view kClsId = "tokenizer.ggml.cls_token_id";
constexpr std::string_view kSepId = "tokenizer.ggml.seperator_token_id";  // spelled so in the field
constexpr std::string_view kMaskId = "tokenizer.ggml.mask_token_id";

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

// Architectures whose files without a name were all made with GPT-2's pattern.
bool is_of_gpt2(std::string_view architecture) {
  return architecture == "gpt2" || architecture == "gptneox";
}

Result<void> read_pre_tokenizer(const files::Metadata& metadata, std::vector<std::string>& warnings,
                                text::Vocabulary& v) {
  TERN_TRY(const auto pre, metadata.optional_string("tokenizer.ggml.pre"));
  if (!pre) {
    TERN_TRY(const auto architecture, metadata.optional_string("general.architecture"));
    v.pre = is_of_gpt2(architecture.value_or("")) ? "gpt-2" : "llama-bpe";
    warnings.push_back(
        fmt::format("the file does not name its pre-tokeniser (tokenizer.ggml.pre); {} is assumed, as for {}", v.pre,
                    v.pre == "gpt-2" ? "GPT-2 and GPT-NeoX" : "the official BitNet file"));
  } else {
    const text::NamedPreTokenizer* named = text::find_pre_tokenizer(*pre);
    v.pre = named != nullptr ? std::string(named->name) : *pre;
  }
  TERN_TRY(v.ignore_merges, metadata.optional_bool(kIgnoreMerges));
  if (v.pre != text::kCustomPre) return {};
  TERN_TRY(const auto rules, metadata.optional_string(kPreTokenizer));
  if (!rules) {
    return fail(ErrorCode::bad_input, "tokenizer.ggml.pre is \"{}\", but the file has no rules under {}",
                text::kCustomPre, kPreTokenizer);
  }
  v.pre_tokenizer = *rules;
  return {};
}

// What is done to a text before it is split, and for the kinds without a named pre-tokeniser their rules.
Result<void> read_rules(const files::Metadata& metadata, text::Vocabulary& v) {
  TERN_TRY(const auto normalizer, metadata.optional_string(kNormalizer));
  v.normalizer = normalizer.value_or("");
  const text::TokenModelKind& model = text::token_model_of(v.kind);
  if (model.has_named_pre) return {};
  TERN_TRY(const auto rules, metadata.optional_string(kPreTokenizer));
  v.pre_tokenizer = rules.value_or("");
  if (model.marks_spaces) {
    TERN_TRY(const auto map, metadata.optional_i64s(kCharsmap));
    if (map) {
      for (const std::int64_t byte : *map) {
        if (byte < -128 || byte > 255)
          return fail(ErrorCode::bad_input, "{} holds {}, expected bytes", kCharsmap, byte);
        v.charsmap.push_back(static_cast<std::uint8_t>(byte));
      }
    }
    TERN_TRY(const auto remove, metadata.optional_bool(kRemoveExtra));
    const bool heeds = v.kind == text::TokenizerKind::unigram || !v.charsmap.empty();
    v.remove_extra_whitespaces = remove.value_or(false) && heeds;
  }
  return {};
}

// BERT's names for what stands before, between and behind texts.
Result<void> read_bert(const files::Metadata& metadata, text::Vocabulary& v) {
  if (!v.bos) TERN_TRY_DO(read_id(metadata, kClsId, v.size(), v.bos));
  if (!v.eos) TERN_TRY_DO(read_id(metadata, kSepId, v.size(), v.eos));
  TERN_TRY_DO(read_id(metadata, kMaskId, v.size(), v.mask));
  TERN_TRY(const auto most, metadata.optional_u64(kMaxWordCharacters));
  if (most && *most > 0xffffffff) return fail(ErrorCode::bad_input, "{} is {}, too large", kMaxWordCharacters, *most);
  if (most) v.max_word_characters = static_cast<std::uint32_t>(*most);
  return {};
}

}  // namespace

Result<text::Vocabulary> read_vocabulary(const files::Metadata& metadata, std::vector<std::string>& warnings) {
  TERN_TRY(const auto model, metadata.optional_string("tokenizer.ggml.model"));
  if (!model) return fail(ErrorCode::not_found, "the file carries no tokenizer (tokenizer.ggml.model is missing)");
  TERN_TRY(const text::TokenModelKind* kind, text::find_token_model(*model));
  text::Vocabulary v;
  v.kind = kind->kind;
  if (kind->has_named_pre) {
    TERN_TRY_DO(read_pre_tokenizer(metadata, warnings, v));
  } else {
    TERN_TRY(const auto pre, metadata.optional_string("tokenizer.ggml.pre"));
    v.pre = pre.value_or("default");  // names the model, not a rule
  }
  TERN_TRY_DO(read_rules(metadata, v));
  v.source = fmt::format("GGUF ({}, {})", *model, v.pre);
  TERN_TRY(const files::MetaStrings* tokens, metadata.get_strings(kTokens));
  v.tokens = copied(*tokens);
  TERN_TRY(auto scores, metadata.optional_f32s("tokenizer.ggml.scores"));
  if (scores && kind->has_scores) v.scores = std::move(*scores);
  if (const files::MetaValue* exact = metadata.find(kExactScores); exact != nullptr && kind->has_scores) {
    const auto* numbers = std::get_if<std::vector<double>>(&exact->storage);
    if (numbers == nullptr) {
      return fail(ErrorCode::bad_input, "{} is {}, expected an array of float64", kExactScores, exact->type_text());
    }
    v.exact_scores = *numbers;
  }
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
  if (v.kind == text::TokenizerKind::wordpiece) TERN_TRY_DO(read_bert(metadata, v));
  TERN_TRY(const auto add_bos, metadata.optional_bool("tokenizer.ggml.add_bos_token"));
  v.add_bos = add_bos.value_or(text::default_add_bos(v.kind, v.pre)) && v.bos.has_value();
  TERN_TRY(const auto add_eos, metadata.optional_bool("tokenizer.ggml.add_eos_token"));
  v.add_eos = add_eos.value_or(text::default_add_eos(v.kind) && v.eos.has_value());
  TERN_TRY(const auto add_space, metadata.optional_bool("tokenizer.ggml.add_space_prefix"));
  v.add_space_prefix = add_space.value_or(kind->marks_spaces);
  TERN_TRY(const auto chat, metadata.optional_string("tokenizer.chat_template"));
  v.chat_template = chat.value_or("");
  return v;
}

void write_vocabulary(const text::Vocabulary& v, files::Metadata& metadata) {
  const text::TokenModelKind& kind = text::token_model_of(v.kind);
  metadata.set("tokenizer.ggml.model", std::string(kind.gguf_name));
  metadata.set("tokenizer.ggml.pre", v.pre);
  if (v.pre == text::kCustomPre || (!kind.has_named_pre && !v.pre_tokenizer.empty())) {
    metadata.set(kPreTokenizer, v.pre_tokenizer);
  }
  if (!v.normalizer.empty()) metadata.set(kNormalizer, v.normalizer);
  if (!v.charsmap.empty()) metadata.set(kCharsmap, v.charsmap);
  if (v.kind == text::TokenizerKind::unigram || !v.charsmap.empty()) {
    metadata.set(kRemoveExtra, v.remove_extra_whitespaces);
  }
  if (v.ignore_merges) metadata.set(kIgnoreMerges, *v.ignore_merges);
  metadata.set(kTokens, files::MetaStrings(v.tokens));
  if (!v.scores.empty()) metadata.set("tokenizer.ggml.scores", v.scores);
  if (!v.exact_scores.empty()) metadata.set(kExactScores, v.exact_scores);
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
  if (v.kind == text::TokenizerKind::wordpiece) {
    set_id(kClsId, v.bos);
    set_id(kSepId, v.eos);
    set_id(kMaskId, v.mask);
    if (v.max_word_characters != text::Vocabulary{}.max_word_characters) {
      metadata.set(kMaxWordCharacters, v.max_word_characters);
    }
  }
  metadata.set("tokenizer.ggml.add_bos_token", v.add_bos);
  metadata.set("tokenizer.ggml.add_eos_token", v.add_eos);
  if (kind.marks_spaces || v.add_space_prefix) {
    metadata.set("tokenizer.ggml.add_space_prefix", v.add_space_prefix);
  }
  if (!v.chat_template.empty()) metadata.set("tokenizer.chat_template", v.chat_template);
}

}  // namespace tern::models
