#include "text/sentencepiece_bpe.hpp"

#include <algorithm>
#include <cmath>

#include "base/utf8.hpp"
#include "text/marked_model.hpp"
#include "text/space_mark.hpp"
#include "text/token_models.hpp"

namespace tern::text {

namespace {

constexpr std::uint32_t kNoId = 0xFFFFFFFEU;

// Whether a space mark stands behind another character: then merging can cross the start of a word.
bool has_inner_space(std::string_view token) {
  while (token.starts_with(kSpaceMark)) token.remove_prefix(kSpaceMark.size());
  return token.find(kSpaceMark) != std::string_view::npos;
}

}  // namespace

Result<SentencePieceBpe> SentencePieceBpe::make(const Vocabulary& vocabulary) {
  const std::size_t n = vocabulary.size();
  SentencePieceBpe model;
  model.fallback_ = ByteFallback(vocabulary.unk);
  model.index_ = StringIndex(n);
  model.words_are_independent_ = true;
  for (std::size_t id = 0; id < n; ++id) {
    const std::string& token = vocabulary.tokens[id];
    if (std::isnan(vocabulary.scores[id])) {
      return fail(ErrorCode::bad_input, "the score of token {} is not a number", id);
    }
    if (vocabulary.type(id) == TokenType::byte) {
      TERN_TRY_DO(model.fallback_.add(id, token));
    } else if (vocabulary.type(id) == TokenType::normal && !token.empty()) {
      model.index_.insert(token, static_cast<std::uint32_t>(id));
      model.longest_token_ = std::max(model.longest_token_, token.size());
      if (has_inner_space(token)) model.words_are_independent_ = false;
    }
  }
  // Scores as ranks, equal scores as equal ranks, so that both kinds of BPE share one engine.
  std::vector<float> order(vocabulary.scores.begin(), vocabulary.scores.end());
  std::ranges::sort(order, std::greater<>());
  order.erase(std::unique(order.begin(), order.end()), order.end());
  model.ranks_.resize(n);
  for (std::size_t id = 0; id < n; ++id) {
    const auto at = std::ranges::lower_bound(order, vocabulary.scores[id], std::greater<>());
    model.ranks_[id] = static_cast<std::uint32_t>(at - order.begin());
  }
  return model;
}

// A run of spaces and what follows it up to the next space; the whole text where tokens can span words. Merging inside
// one word never depends on another, so the ids are those of the whole text merged at once.
std::string_view SentencePieceBpe::next_word(std::string_view text) const {
  if (!words_are_independent_) return text;
  const auto space_at = [&](std::size_t at) -> std::size_t {
    if (text[at] == ' ') return 1;
    return text[at] == kSpaceMark[0] && text.substr(at).starts_with(kSpaceMark) ? kSpaceMark.size() : 0;
  };
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t space = space_at(at);
    if (space == 0) break;
    at += space;
  }
  while (at < text.size() && space_at(at) == 0) ++at;
  return text.substr(0, at);
}

Result<void> SentencePieceBpe::encode(std::string_view text, Run& run, std::vector<std::int32_t>& out) const {
  while (!text.empty()) {
    const std::string_view word = next_word(text);
    text.remove_prefix(word.size());
    TERN_TRY_DO(run.cache.append(word, run.ids, out, [&] { return encode_word(word, run); }));
  }
  return {};
}

// The ids of one word, into run.ids.
Result<void> SentencePieceBpe::encode_word(std::string_view word, Run& run) const {
  run.escaped.clear();
  run.symbols.clear();
  while (!word.empty()) {
    const std::size_t length = utf8_step(word).length;
    const auto start = static_cast<std::uint32_t>(run.escaped.size());
    run.escaped += word[0] == ' ' ? kSpaceMark : word.substr(0, length);
    const std::string_view character = std::string_view(run.escaped).substr(start);
    run.symbols.push_back(
        {index_.find(character).value_or(kNoId), start, static_cast<std::uint32_t>(character.size())});
    word.remove_prefix(length);
  }
  const std::string_view escaped = run.escaped;
  run.engine.run(run.symbols, [&](const Symbol& left, const Symbol& right) -> Merge {
    const std::size_t length = std::size_t{left.length} + right.length;
    if (length > longest_token_) return {};
    const auto id = index_.find(escaped.substr(left.start, length));
    if (!id) return {};
    return {ranks_[*id], *id};
  });
  run.ids.clear();
  for (const Symbol& symbol : run.symbols) {
    if (symbol.id != kNoId) {
      run.ids.push_back(static_cast<std::int32_t>(symbol.id));
    } else {
      const bool after_unknown = !run.ids.empty() && fallback_.is_unknown(run.ids.back());
      TERN_TRY_DO(fallback_.spell(escaped.substr(symbol.start, symbol.length), after_unknown, run.ids));
    }
  }
  return {};
}

const TokenModelKind kSentencePieceBpeModel{.kind = TokenizerKind::spm,
                                            .gguf_name = "llama",
                                            .what = "SentencePiece BPE",
                                            .has_scores = true,
                                            .marks_spaces = true,
                                            .starts_with_bos = true,
                                            .leading_space = LeadingSpace::where_one_is_added,
                                            .usual_names = {.unk = "<unk>"},
                                            .bytes_of = bytes_of_marked,
                                            .make = make_marked_model<SentencePieceBpe>};

}  // namespace tern::text
