// Hugging Face tokenizer.json with a BPE model, in its two shapes: byte-level (the pre-tokeniser is told by its
// pattern) and SentencePiece-like (byte_fallback; scores are made from the order of the merges, which came from scores
// once). What would change ids and is not understood is refused by name. NFC normalisation is left aside, as in
// llama.cpp.
#include <algorithm>
#include <unordered_map>

#include "base/words.hpp"
#include "text/json_document.hpp"
#include "text/pre_tokenizer.hpp"
#include "text/readers.hpp"
#include "text/sentencepiece_bpe.hpp"
#include "text/vocabulary_builder.hpp"

namespace tern::text {

namespace {

using nlohmann::json;

// The parts of a component: itself, or the members of a "Sequence".
std::vector<const json*> parts_of(const json* component, std::string_view list_name) {
  std::vector<const json*> parts;
  if (component == nullptr || !component->is_object()) return parts;
  if (string_member(*component, "type") != "Sequence") return {component};
  const json* list = member(*component, list_name);
  if (list == nullptr || !list->is_array()) return parts;
  for (const json& part : *list) parts.push_back(&part);
  return parts;
}

Result<std::uint64_t> read_id(const json* value, std::string_view token) {
  if (value == nullptr || !value->is_number_unsigned()) {
    return fail(ErrorCode::bad_input, "the id of token \"{}\" is not a whole number from 0", printable(token));
  }
  return value->get<std::uint64_t>();
}

Result<void> read_tokens(const json& root, const json& model, bool byte_fallback, Vocabulary& vocabulary) {
  const json* vocab = member(model, "vocab");
  if (vocab == nullptr || !vocab->is_object()) {
    return fail(ErrorCode::bad_input, "tokenizer.json has no model.vocab that maps tokens to ids");
  }
  VocabularyBuilder builder;
  for (const auto& [token, value] : vocab->items()) {
    TERN_TRY(const std::uint64_t id, read_id(&value, token));
    const bool is_byte = byte_fallback && byte_of_name(token).has_value();
    TERN_TRY_DO(builder.add(id, token, is_byte ? TokenType::byte : TokenType::normal));
  }
  const std::string_view unk_token = string_member(model, "unk_token");
  if (const json* added = member(root, "added_tokens"); added != nullptr && added->is_array()) {
    for (const json& entry : *added) {
      const std::string token(string_member(entry, "content"));
      if (token.empty()) return fail(ErrorCode::bad_input, "tokenizer.json has an added token without content");
      TERN_TRY(const std::uint64_t id, read_id(member(entry, "id"), token));
      TokenType type = bool_member(entry, "special").value_or(false) ? TokenType::control : TokenType::user_defined;
      if (byte_fallback && token == unk_token) type = TokenType::unknown;
      TERN_TRY_DO(builder.add_or_retype(id, token, type));
    }
  }
  TERN_TRY_DO(builder.finish(vocabulary));
  if (!unk_token.empty()) {
    const auto found = std::ranges::find(vocabulary.tokens, unk_token);
    if (found != vocabulary.tokens.end()) vocabulary.unk = static_cast<std::int32_t>(found - vocabulary.tokens.begin());
  }
  return {};
}

// "a b" or ["a", "b"], both as "a b".
Result<void> read_merges(const json& model, Vocabulary& vocabulary) {
  const json* merges = member(model, "merges");
  if (merges == nullptr || !merges->is_array()) {
    return fail(ErrorCode::bad_input, "tokenizer.json has no list model.merges");
  }
  vocabulary.merges.reserve(merges->size());
  for (const json& merge : *merges) {
    if (merge.is_string()) {
      vocabulary.merges.push_back(merge.get_ref<const std::string&>());
    } else if (merge.is_array() && merge.size() == 2 && merge[0].is_string() && merge[1].is_string()) {
      vocabulary.merges.push_back(merge[0].get_ref<const std::string&>() + " " +
                                  merge[1].get_ref<const std::string&>());
    } else {
      return fail(ErrorCode::bad_input, "merge {} of tokenizer.json is neither \"a b\" nor [\"a\", \"b\"]",
                  vocabulary.merges.size());
    }
  }
  return {};
}

// Scores for an engine that merges by score: 0, -1, -2, ... in the order in which the merges first make a token; tokens
// that no merge makes come last. Every way to make a token stands in the merges list of a converted SentencePiece
// model.
Result<void> scores_from_merges(Vocabulary& vocabulary) {
  std::unordered_map<std::string_view, std::size_t> id_of;
  for (std::size_t id = 0; id < vocabulary.size(); ++id) id_of.try_emplace(vocabulary.tokens[id], id);
  const float last = -static_cast<float>(vocabulary.merges.size()) - 1.0F;
  std::vector<bool> scored(vocabulary.size(), false);
  vocabulary.scores.assign(vocabulary.size(), last);
  std::size_t next = 0;
  std::string both;
  for (std::size_t rank = 0; rank < vocabulary.merges.size(); ++rank) {
    const std::string& merge = vocabulary.merges[rank];
    const std::size_t space = merge.find(' ');
    both = merge;
    if (space != std::string::npos) both.erase(space, 1);
    const auto found = space == std::string::npos ? id_of.end() : id_of.find(both);
    if (found == id_of.end()) {
      return fail(ErrorCode::bad_input, "merge {} (\"{}\") does not make a token of the vocabulary", rank,
                  printable(merge));
    }
    if (scored[found->second]) continue;
    scored[found->second] = true;
    vocabulary.scores[found->second] = -static_cast<float>(next++);
  }
  vocabulary.merges.clear();
  for (std::size_t id = 0; id < vocabulary.size(); ++id) {
    const TokenType type = vocabulary.type(id);
    if (type != TokenType::normal && type != TokenType::user_defined) vocabulary.scores[id] = 0.0F;
  }
  return {};
}

Result<void> read_byte_level_rules(const json& root, std::optional<std::string_view> named, Vocabulary& vocabulary) {
  for (const json* part : parts_of(member(root, "normalizer"), "normalizers")) {
    const std::string_view type = string_member(*part, "type");
    if (type != "NFC") {
      return fail(ErrorCode::unsupported,
                  "tokenizer.json has the normalizer {}; byte-level BPE is read with none or NFC", printable(type));
    }
  }
  std::size_t n_splits = 0;
  for (const json* part : parts_of(member(root, "pre_tokenizer"), "pretokenizers")) {
    const std::string_view type = string_member(*part, "type");
    if (type == "ByteLevel") {
      if (bool_member(*part, "add_prefix_space").value_or(false)) vocabulary.add_space_prefix = true;
      if (!bool_member(*part, "use_regex").value_or(true)) continue;
      vocabulary.pre = "gpt-2";
      ++n_splits;
    } else if (type == "Split") {
      const json* pattern = member(*part, "pattern");
      const std::string_view regex = pattern == nullptr ? std::string_view{} : string_member(*pattern, "Regex");
      vocabulary.pre = PreTokenizer::name_of_pattern(regex);
      if (vocabulary.pre.empty() && !named) {
        return fail(ErrorCode::unsupported,
                    "tokenizer.json splits text with the pattern {}, which is none of gpt-2, llama-bpe and qwen2",
                    printable(regex, 200));
      }
      ++n_splits;
    } else if (!named) {
      return fail(ErrorCode::unsupported,
                  "tokenizer.json has the pre-tokenizer {}; expected ByteLevel, or one Split and "
                  "ByteLevel",
                  printable(type));
    }
  }
  if (named) {
    vocabulary.pre = *named;
  } else if (n_splits != 1) {
    return fail(ErrorCode::unsupported,
                "tokenizer.json splits text {} times; expected once, with one of the patterns "
                "gpt-2, llama-bpe and qwen2",
                n_splits);
  }
  return {};
}

Result<void> read_sentencepiece_rules(const json& root, Vocabulary& vocabulary) {
  vocabulary.pre = "default";
  for (const json* part : parts_of(member(root, "normalizer"), "normalizers")) {
    const std::string_view type = string_member(*part, "type");
    if (type == "Prepend") {
      vocabulary.add_space_prefix = true;
    } else if (type != "Replace" && type != "NFC") {
      return fail(ErrorCode::unsupported, "tokenizer.json has the normalizer {}; expected Prepend and Replace",
                  printable(type));
    }
  }
  for (const json* part : parts_of(member(root, "pre_tokenizer"), "pretokenizers")) {
    const std::string_view type = string_member(*part, "type");
    if (type != "Metaspace") {
      return fail(ErrorCode::unsupported, "tokenizer.json has the pre-tokenizer {}; expected Metaspace or none",
                  printable(type));
    }
    const std::string_view scheme = string_member(*part, "prepend_scheme");
    vocabulary.add_space_prefix =
        scheme.empty() ? bool_member(*part, "add_prefix_space").value_or(true) : scheme != "never";
  }
  return {};
}

// TemplateProcessing says which token stands before and after a text.
void read_post_processor(const json& root, Vocabulary& vocabulary) {
  for (const json* part : parts_of(member(root, "post_processor"), "processors")) {
    if (string_member(*part, "type") != "TemplateProcessing") continue;
    const json* single = member(*part, "single");
    if (single == nullptr || !single->is_array() || single->empty()) continue;
    const auto token_at = [&](const json& piece) -> std::optional<std::int32_t> {
      const json* special = member(piece, "SpecialToken");
      if (special == nullptr) return std::nullopt;
      const auto found = std::ranges::find(vocabulary.tokens, string_member(*special, "id"));
      if (found == vocabulary.tokens.end()) return std::nullopt;
      return static_cast<std::int32_t>(found - vocabulary.tokens.begin());
    };
    const auto first = token_at(single->front());
    const auto last = single->size() > 1 ? token_at(single->back()) : std::nullopt;
    vocabulary.add_bos = first.has_value();
    vocabulary.add_eos = last.has_value();
    if (first) vocabulary.bos = first;
    if (last) vocabulary.eos = last;
  }
}

}  // namespace

Result<Vocabulary> read_tokenizer_json(Bytes bytes, Bytes tokenizer_config, std::optional<std::string_view> pre) {
  TERN_TRY(const json root, parse_json(bytes, "tokenizer.json"));
  const json* model = member(root, "model");
  if (model == nullptr || !model->is_object()) {
    return fail(ErrorCode::bad_input, "the JSON has no object \"model\": not a tokenizer.json");
  }
  const std::string_view type = string_member(*model, "type");
  if (!type.empty() && type != "BPE") {
    return fail(ErrorCode::unsupported, "tokenizer.json has a model of type {}; only BPE is supported",
                printable(type));
  }
  const bool byte_fallback = bool_member(*model, "byte_fallback").value_or(false);
  Vocabulary vocabulary;
  vocabulary.kind = byte_fallback ? TokenizerKind::spm : TokenizerKind::bpe;
  vocabulary.source = byte_fallback ? "tokenizer.json (BPE with byte fallback)" : "tokenizer.json (byte-level BPE)";
  TERN_TRY_DO(read_tokens(root, *model, byte_fallback, vocabulary));
  TERN_TRY_DO(read_merges(*model, vocabulary));
  if (byte_fallback) {
    TERN_TRY_DO(scores_from_merges(vocabulary));
    TERN_TRY_DO(read_sentencepiece_rules(root, vocabulary));
  } else {
    TERN_TRY_DO(read_byte_level_rules(root, pre, vocabulary));
  }
  // The names in tokenizer_config.json come first, then the template's, then the usual ones; whether BOS is added: the
  // configuration, then the template, then the kind's default.
  vocabulary.add_bos = default_add_bos(vocabulary.kind, vocabulary.pre);
  read_post_processor(root, vocabulary);
  if (!tokenizer_config.empty()) TERN_TRY_DO(apply_tokenizer_config(vocabulary, tokenizer_config));
  guess_special_ids(vocabulary);
  if (!vocabulary.bos) vocabulary.add_bos = false;
  if (!vocabulary.eos) vocabulary.add_eos = false;
  return vocabulary;
}

}  // namespace tern::text
