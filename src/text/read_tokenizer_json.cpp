// Hugging Face tokenizer.json with a model of type WordPiece, Unigram, or BPE in its two shapes: byte-level (the
// pre-tokeniser is told by its pattern) and SentencePiece-like (byte_fallback; scores are made from the order of the
// merges, which came from scores once). What would change ids and is not understood is refused by name.
#include <algorithm>
#include <unordered_map>

#include "base/words.hpp"
#include "text/detect.hpp"
#include "text/json_document.hpp"
#include "text/json_look.hpp"
#include "text/readers.hpp"
#include "text/sentencepiece_bpe.hpp"
#include "text/tokenizer_json_models.hpp"
#include "text/tokenizer_json_pre.hpp"
#include "text/tokenizer_json_rules.hpp"
#include "text/vocabulary_builder.hpp"

namespace tern::text {

namespace {

using nlohmann::json;

Result<std::uint64_t> read_id(const json* value, std::string_view token) {
  if (value == nullptr || !value->is_number_unsigned()) {
    return fail(ErrorCode::bad_input, "the id of token \"{}\" is not a whole number from 0", printable(token));
  }
  return value->get<std::uint64_t>();
}

// Habits of BPE that would change ids: marks at the ends of words (CLIP's "</w>"), merges left out by chance.
Result<void> refuse_other_habits(const json& model) {
  for (const char* key : {"end_of_word_suffix", "continuing_subword_prefix"}) {
    if (const std::string_view mark = string_member(model, key); !mark.empty()) {
      return fail(ErrorCode::unsupported, "tokenizer.json has a BPE model with {} \"{}\"; expected one without", key,
                  printable(mark));
    }
  }
  const json* dropout = member(model, "dropout");
  if (dropout != nullptr && !dropout->is_null() && *dropout != 0.0) {
    return fail(ErrorCode::unsupported,
                "tokenizer.json has a BPE model with dropout, which gives one text different ids each time; expected "
                "null");
  }
  return {};
}

Result<void> read_bpe_tokens(const json& model, bool byte_fallback, VocabularyBuilder& builder) {
  TERN_TRY_DO(refuse_other_habits(model));
  const json* vocab = member(model, "vocab");
  if (vocab == nullptr || !vocab->is_object()) {
    return fail(ErrorCode::bad_input, "tokenizer.json has no model.vocab that maps tokens to ids");
  }
  for (const auto& [token, value] : vocab->items()) {
    TERN_TRY(const std::uint64_t id, read_id(&value, token));
    const bool is_byte = byte_fallback && byte_of_name(token).has_value();
    TERN_TRY_DO(builder.add(id, token, is_byte ? TokenType::byte : TokenType::normal));
  }
  return {};
}

Result<void> read_tokens(const json& root, const json& model, bool byte_fallback, Vocabulary& vocabulary) {
  VocabularyBuilder builder;
  const json* added = member(root, "added_tokens");
  if (added != nullptr && added->is_null()) added = nullptr;
  if (added != nullptr && !added->is_array()) {
    return fail(ErrorCode::bad_input, "tokenizer.json: added_tokens is {}, expected a list", added->type_name());
  }
  if (vocabulary.kind == TokenizerKind::unigram) {
    TERN_TRY_DO(read_unigram_model(model, builder, vocabulary));
  } else if (vocabulary.kind == TokenizerKind::wordpiece) {
    std::vector<std::string_view> names;
    for (std::size_t i = 0; added != nullptr && i < added->size(); ++i) {
      names.push_back(string_member((*added)[i], "content"));
    }
    TERN_TRY_DO(read_wordpiece_model(model, names, builder, vocabulary));
  } else {
    TERN_TRY_DO(read_bpe_tokens(model, byte_fallback, builder));
  }
  const std::string_view unk_token = string_member(model, "unk_token");
  const bool marks_unknown = vocabulary.kind != TokenizerKind::bpe;
  for (std::size_t i = 0; added != nullptr && i < added->size(); ++i) {
    const json& entry = (*added)[i];
    const std::string token(string_member(entry, "content"));
    if (token.empty()) return fail(ErrorCode::bad_input, "tokenizer.json has an added token without content");
    TERN_TRY(const std::uint64_t id, read_id(member(entry, "id"), token));
    TokenType type = bool_member(entry, "special").value_or(false) ? TokenType::control : TokenType::user_defined;
    if (marks_unknown && token == unk_token) type = TokenType::unknown;
    if (vocabulary.unk && id == static_cast<std::uint64_t>(*vocabulary.unk)) type = TokenType::unknown;
    TERN_TRY_DO(builder.add_or_retype(id, token, type));
  }
  TERN_TRY_DO(builder.finish(vocabulary));
  if (vocabulary.kind == TokenizerKind::unigram) {  // added tokens have no score
    vocabulary.scores.resize(vocabulary.size(), 0.0F);
    if (!vocabulary.exact_scores.empty()) vocabulary.exact_scores.resize(vocabulary.size(), 0.0);
  }
  if (!unk_token.empty()) {
    const auto find = [&](const std::string& spelling) {
      const auto found = std::ranges::find(vocabulary.tokens, spelling);
      if (found == vocabulary.tokens.end() || vocabulary.unk) return;
      vocabulary.unk = static_cast<std::int32_t>(found - vocabulary.tokens.begin());
    };
    find(std::string(unk_token));
    if (vocabulary.kind == TokenizerKind::wordpiece) find(wordpiece_spelling(unk_token, "##"));
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

// {"cls": ["[CLS]", 101], "sep": ["[SEP]", 102]}: one before and one after a text.
void read_pair_of_ends(const json& part, Vocabulary& vocabulary) {
  const auto find = [&](std::string_view key) -> std::optional<std::int32_t> {
    const json* pair = member(part, key);
    if (pair == nullptr || !pair->is_array() || pair->empty() || !(*pair)[0].is_string()) return std::nullopt;
    const auto found = std::ranges::find(vocabulary.tokens, (*pair)[0].get_ref<const std::string&>());
    if (found == vocabulary.tokens.end()) return std::nullopt;
    return static_cast<std::int32_t>(found - vocabulary.tokens.begin());
  };
  vocabulary.bos = find("cls");
  vocabulary.eos = find("sep");
  vocabulary.add_bos = vocabulary.bos.has_value();
  vocabulary.add_eos = vocabulary.eos.has_value();
}

// TemplateProcessing says which token stands before and after a text.
void read_post_processor(const json& root, Vocabulary& vocabulary) {
  for (const json* part : parts_of(member(root, "post_processor"), "processors")) {
    if (string_member(*part, "type") == "BertProcessing" || string_member(*part, "type") == "RobertaProcessing") {
      read_pair_of_ends(*part, vocabulary);
      continue;
    }
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
  const bool byte_fallback = bool_member(*model, "byte_fallback").value_or(false);
  Vocabulary vocabulary;
  if (type == "WordPiece") {
    vocabulary.kind = TokenizerKind::wordpiece;
    vocabulary.source = "tokenizer.json (WordPiece)";
  } else if (type == "Unigram") {
    vocabulary.kind = TokenizerKind::unigram;
    vocabulary.source = "tokenizer.json (unigram)";
  } else if (type.empty() || type == "BPE") {
    vocabulary.kind = byte_fallback ? TokenizerKind::spm : TokenizerKind::bpe;
    vocabulary.source = byte_fallback ? "tokenizer.json (BPE with byte fallback)" : "tokenizer.json (byte-level BPE)";
  } else {
    return fail(ErrorCode::unsupported, "tokenizer.json has a model of type {}; expected BPE, WordPiece or Unigram",
                printable(type));
  }
  TERN_TRY_DO(read_tokens(root, *model, byte_fallback, vocabulary));
  if (type.empty() || type == "BPE") TERN_TRY_DO(read_merges(*model, vocabulary));
  if (vocabulary.kind == TokenizerKind::spm) TERN_TRY_DO(scores_from_merges(vocabulary));
  TERN_TRY_DO(read_normalizer_section(root, vocabulary));
  if (vocabulary.kind == TokenizerKind::bpe) {
    TERN_TRY_DO(read_pre_tokenizer_section(root, pre, vocabulary));
  } else {
    TERN_TRY_DO(read_mark_rules(root, vocabulary));
  }
  // The names in tokenizer_config.json come first, then the template's, then the usual ones; whether BOS is added: the
  // configuration, then the template, then the kind's default.
  vocabulary.add_bos = default_add_bos(vocabulary.kind, vocabulary.pre);
  vocabulary.add_eos = default_add_eos(vocabulary.kind);
  read_post_processor(root, vocabulary);
  if (!tokenizer_config.empty()) TERN_TRY_DO(apply_tokenizer_config(vocabulary, tokenizer_config));
  guess_special_ids(vocabulary);
  if (!vocabulary.bos) vocabulary.add_bos = false;
  if (!vocabulary.eos) vocabulary.add_eos = false;
  return vocabulary;
}

const TokenizerFile kTokenizerJsonFile{
    .what = "a Hugging Face tokenizer.json",
    .names = {"tokenizer.json"},
    .looks_like = [](Bytes bytes) { return look_at_json(bytes) == JsonKind::tokenizer; },
    .states_pre = true,
    .read =
        [](const TokenizerInput& input) {
          return read_tokenizer_json(input.bytes, input.tokenizer_config, input.pre);
        }};

}  // namespace tern::text
