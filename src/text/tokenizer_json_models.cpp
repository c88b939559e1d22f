#include "text/tokenizer_json_models.hpp"

#include <unordered_set>

#include "base/words.hpp"
#include "text/byte_fallback.hpp"
#include "text/json_document.hpp"
#include "text/space_mark.hpp"

namespace tern::text {

using nlohmann::json;

std::string wordpiece_spelling(std::string_view entry, std::string_view continuing_prefix) {
  if (entry.starts_with('[') && entry.ends_with(']')) return std::string(entry);  // as GGUF files have them
  if (entry.starts_with(continuing_prefix) && entry.size() > continuing_prefix.size()) {
    return std::string(entry.substr(continuing_prefix.size()));
  }
  return std::string(kSpaceMark) + std::string(entry);
}

Result<void> read_wordpiece_model(const json& model, const std::vector<std::string_view>& added,
                                  VocabularyBuilder& builder, Vocabulary& vocabulary) {
  const json* vocab = member(model, "vocab");
  if (vocab == nullptr || !vocab->is_object()) {
    return fail(ErrorCode::bad_input, "tokenizer.json has no model.vocab that maps tokens to ids");
  }
  const std::string prefix(member(model, "continuing_subword_prefix") == nullptr
                               ? std::string_view("##")
                               : string_member(model, "continuing_subword_prefix"));
  if (prefix.empty()) {
    return fail(
        ErrorCode::unsupported,
        "tokenizer.json has a WordPiece model without a continuing_subword_prefix; expected one, such as \"##\"");
  }
  if (const json* most = member(model, "max_input_chars_per_word"); most != nullptr && !most->is_null()) {
    if (!most->is_number_unsigned() || most->get<std::uint64_t>() > 0xFFFFFFFFU) {
      return fail(ErrorCode::bad_input, "max_input_chars_per_word of tokenizer.json is not a whole number");
    }
    vocabulary.max_word_characters = most->get<std::uint32_t>();
  }
  const std::unordered_set<std::string_view> whole(added.begin(), added.end());
  for (const auto& [token, id] : vocab->items()) {
    if (!id.is_number_unsigned()) {
      return fail(ErrorCode::bad_input, "the id of token \"{}\" is not a whole number from 0", printable(token));
    }
    TERN_TRY_DO(builder.add(id.get<std::uint64_t>(), whole.contains(token) ? token : wordpiece_spelling(token, prefix),
                            TokenType::normal));
  }
  return {};
}

Result<void> read_unigram_model(const json& model, VocabularyBuilder& builder, Vocabulary& vocabulary) {
  const json* vocab = member(model, "vocab");
  if (vocab == nullptr || !vocab->is_array()) {
    return fail(ErrorCode::bad_input, "tokenizer.json has no list model.vocab of tokens with scores");
  }
  const json* unk = member(model, "unk_id");
  if (unk != nullptr && !unk->is_null()) {
    if (!unk->is_number_unsigned() || unk->get<std::uint64_t>() >= vocab->size()) {
      return fail(ErrorCode::bad_input, "unk_id of tokenizer.json is no token of its {}", vocab->size());
    }
    vocabulary.unk = unk->get<std::int32_t>();
  }
  const bool byte_fallback = bool_member(model, "byte_fallback").value_or(false);
  std::vector<double> scores;
  bool needs_doubles = false;
  for (const json& entry : *vocab) {
    const std::size_t id = scores.size();
    if (!entry.is_array() || entry.size() != 2 || !entry[0].is_string() || !entry[1].is_number()) {
      return fail(ErrorCode::bad_input, "entry {} of model.vocab is not [token, score]", id);
    }
    auto token = entry[0].get<std::string>();
    TokenType type = TokenType::normal;
    if (byte_fallback && byte_of_name(token)) type = TokenType::byte;
    if (vocabulary.unk == static_cast<std::int32_t>(id)) type = TokenType::unknown;
    TERN_TRY_DO(builder.add(id, std::move(token), type));
    scores.push_back(entry[1].get<double>());
    vocabulary.scores.push_back(static_cast<float>(scores.back()));
    needs_doubles |= static_cast<double>(vocabulary.scores.back()) != scores.back();
  }
  if (needs_doubles) vocabulary.exact_scores = std::move(scores);
  return {};
}

}  // namespace tern::text
