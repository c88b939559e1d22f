#include "text/vocabulary.hpp"

#include "text/pre_names.hpp"
#include "text/token_models.hpp"

namespace tern::text {

namespace {

constexpr std::size_t kMaxPieceBytes = std::size_t{1} << 24;

Result<void> check_id(std::string_view name, std::optional<std::int32_t> id, std::size_t n_tokens) {
  if (!id || (*id >= 0 && static_cast<std::size_t>(*id) < n_tokens)) return {};
  return fail(ErrorCode::bad_input, "the {} token is {}, but the vocabulary has {} tokens", name, *id, n_tokens);
}

}  // namespace

Result<void> check_vocabulary(const Vocabulary& vocabulary) {
  const std::size_t n = vocabulary.size();
  if (n == 0) return fail(ErrorCode::bad_input, "the vocabulary holds no tokens");
  if (n > 0x7FFFFFFF) return fail(ErrorCode::bad_input, "the vocabulary holds {} tokens, too many for 32-bit ids", n);
  if (!vocabulary.types.empty() && vocabulary.types.size() != n) {
    return fail(ErrorCode::bad_input, "the vocabulary has {} tokens but {} token types", n, vocabulary.types.size());
  }
  for (std::size_t id = 0; id < vocabulary.types.size(); ++id) {
    const auto type = static_cast<std::int32_t>(vocabulary.types[id]);
    if (type < 1 || type > 6) {
      return fail(ErrorCode::bad_input, "token {} has type {}, expected 1 to 6", id, type);
    }
  }
  if (token_model_of(vocabulary.kind).has_scores && vocabulary.scores.size() != n) {
    return fail(ErrorCode::bad_input,
                "the vocabulary has {} tokens but {} scores; a SentencePiece vocabulary needs one each", n,
                vocabulary.scores.size());
  }
  for (std::size_t id = 0; id < n; ++id) {
    if (vocabulary.tokens[id].size() > kMaxPieceBytes) {
      return fail(ErrorCode::bad_input, "token {} is {} bytes long, at most {} are allowed", id,
                  vocabulary.tokens[id].size(), kMaxPieceBytes);
    }
  }
  TERN_TRY_DO(check_id("bos", vocabulary.bos, n));
  TERN_TRY_DO(check_id("eos", vocabulary.eos, n));
  TERN_TRY_DO(check_id("unknown", vocabulary.unk, n));
  TERN_TRY_DO(check_id("padding", vocabulary.pad, n));
  TERN_TRY_DO(check_id("mask", vocabulary.mask, n));
  return check_id("end-of-turn", vocabulary.eot, n);
}

bool default_add_bos(TokenizerKind kind, std::string_view pre) {
  const TokenModelKind& model = token_model_of(kind);
  if (model.starts_with_bos || !model.has_named_pre) return model.starts_with_bos;
  const NamedPreTokenizer* named = find_pre_tokenizer(pre);
  return named != nullptr && named->starts_with_bos;
}

bool default_add_eos(TokenizerKind kind) {
  return token_model_of(kind).ends_with_eos;
}

bool begins_with_added_space(const Vocabulary& vocabulary) {
  const LeadingSpace space = token_model_of(vocabulary.kind).leading_space;
  return space == LeadingSpace::never_of_text ||
         (space == LeadingSpace::where_one_is_added && vocabulary.add_space_prefix);
}

}  // namespace tern::text
