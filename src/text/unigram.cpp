#include "text/unigram.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/utf8.hpp"
#include "base/words.hpp"
#include "text/marked_model.hpp"
#include "text/token_models.hpp"

namespace tern::text {

namespace {

constexpr double kUnknownPenalty = 10.0;  // below the least score, as both references have it
// SentencePiece keeps float32 and starts from 0 again when a sum has become as small as this.
constexpr double kRebaseBelow = -100'000.0;
constexpr std::size_t kMaxStretch = std::size_t{1} << 24;  // bytes kept in hand at once

double as_float(double score) {
  return static_cast<double>(static_cast<float>(score));
}

}  // namespace

Result<Unigram> Unigram::make(const Vocabulary& vocabulary) {
  const std::size_t n = vocabulary.size();
  Unigram model;
  model.fallback_ = ByteFallback(vocabulary.unk);
  model.in_words_ = !vocabulary.pre_tokenizer.empty();
  if (!vocabulary.exact_scores.empty() && vocabulary.exact_scores.size() != n) {
    return fail(ErrorCode::bad_input, "the vocabulary has {} tokens but {} exact scores", n,
                vocabulary.exact_scores.size());
  }
  const auto score_of = [&](std::size_t id) {
    return vocabulary.exact_scores.empty() ? static_cast<double>(vocabulary.scores[id]) : vocabulary.exact_scores[id];
  };
  std::size_t n_bytes = 0;
  double least = std::numeric_limits<double>::max();
  for (std::size_t id = 0; id < n; ++id) {
    const TokenType type = vocabulary.type(id);
    const std::string& token = vocabulary.tokens[id];
    if (!std::isfinite(score_of(id)) || !std::isfinite(vocabulary.scores[id])) {
      return fail(ErrorCode::bad_input, "the score of token {} (\"{}\") is not a finite number", id, printable(token));
    }
    // tokenizers counts the special tokens in, SentencePiece does not.
    if (model.in_words_ || type == TokenType::normal) least = std::min(least, score_of(id));
    if (type != TokenType::normal) continue;
    if (token.size() > kMaxTokenBytes) {
      return fail(ErrorCode::bad_input, "token {} has {} bytes, a unigram vocabulary may have at most {}", id,
                  token.size(), kMaxTokenBytes);
    }
    n_bytes += token.size();
  }
  if (least == std::numeric_limits<double>::max()) least = 0;
  model.unknown_score_ = model.in_words_
                             ? least - kUnknownPenalty
                             : static_cast<double>(static_cast<float>(least) - static_cast<float>(kUnknownPenalty));
  model.index_ = StringIndex(n);
  model.trie_ = TokenTrie(n_bytes);
  for (std::size_t id = 0; id < n; ++id) {
    const std::string& token = vocabulary.tokens[id];
    if (vocabulary.type(id) == TokenType::byte) {
      TERN_TRY_DO(model.fallback_.add(id, token));
    }
    if (vocabulary.type(id) != TokenType::normal || token.empty()) continue;
    model.index_.insert(token, static_cast<std::uint32_t>(id));
    model.trie_.insert(token, static_cast<std::uint32_t>(id));
  }
  model.scores_.reserve(n);
  for (std::size_t id = 0; id < n; ++id) model.scores_.push_back(score_of(id));
  return model;
}

Result<void> Unigram::encode(std::string_view escaped, Run& run, std::vector<std::int32_t>& out) const {
  run.after_unknown = false;
  if (!in_words_) return walk(escaped, run, out);
  return run.cache.append(escaped, run.ids, out, [&] {
    run.ids.clear();
    return walk(escaped, run, run.ids);
  });
}

// Walks over the text by characters. best[i] belongs to byte i of the present stretch; a stretch ends where no token
// reaches further, since every way to spell the text passes there: what lies behind is given out and forgotten, and
// only the sum goes on.
Result<void> Unigram::walk(std::string_view text, Run& run, std::vector<std::int32_t>& out) const {
  std::vector<Best>& best = run.best;
  best.assign(1, {});
  std::size_t base = 0;   // where the stretch begins
  std::size_t reach = 0;  // the furthest byte that a token of the stretch ends at
  std::size_t at = 0;
  while (at < text.size()) {
    if (at == reach && at > base) {
      TERN_TRY_DO(give_out(text.substr(base, at - base), run, out));
      const double sum = best[at - base].score;
      best.assign(1, {});
      best[0].score = sum;
      base = at;
    }
    double sum = best[at - base].score;
    if (!in_words_ && sum < kRebaseBelow) {
      for (std::size_t i = at + 1; i <= reach; ++i) best[i - base].score = as_float(best[i - base].score - sum);
      sum = best[at - base].score = 0;
    }
    const std::size_t character = utf8_step(text.substr(at)).length;
    const auto offer = [&](std::size_t length, double score, std::uint32_t id) {
      if (!in_words_) score = as_float(score);
      const std::size_t end = at + length;
      if (end > reach) reach = end;
      if (end - base >= best.size()) best.resize(end - base + 1);
      Best& there = best[end - base];
      if (there.length == 0 || score > there.score) there = {score, static_cast<std::uint32_t>(length), id};
    };
    bool has_single = false;
    trie_.for_each_at_front(text.substr(at), [&](std::size_t length, std::uint32_t id) {
      offer(length, scores_[id] + sum, id);
      if (length == character) has_single = true;
    });
    if (!has_single) offer(character, unknown_score_ + sum, kNoId);
    at += character;
    if (at - base > kMaxStretch) {
      return fail(ErrorCode::bad_input,
                  "the text has a stretch of more than {} in which tokens overlap everywhere: split it",
                  human_bytes(kMaxStretch));
    }
  }
  return give_out(text.substr(base), run, out);
}

Result<void> Unigram::give_out(std::string_view stretch, Run& run, std::vector<std::int32_t>& out) const {
  run.path.clear();
  for (std::size_t end = stretch.size(); end > 0; end -= run.best[end].length) {
    run.path.emplace_back(run.best[end].id, run.best[end].length);
  }
  std::size_t at = 0;
  for (auto step = run.path.rbegin(); step != run.path.rend(); ++step) {
    const auto& [id, length] = *step;
    if (id == kNoId) {
      TERN_TRY(run.after_unknown, fallback_.spell(stretch.substr(at, length), run.after_unknown, out));
    } else {
      out.push_back(static_cast<std::int32_t>(id));
      run.after_unknown = false;
    }
    at += length;
  }
  return {};
}

const TokenModelKind kUnigramModel{.kind = TokenizerKind::unigram,
                                   .gguf_name = "t5",
                                   .what = "unigram",
                                   .has_scores = true,
                                   .marks_spaces = true,
                                   .ends_with_eos = true,
                                   .leading_space = LeadingSpace::where_one_is_added,
                                   .usual_names = {.unk = "<unk>"},
                                   .bytes_of = bytes_of_marked,
                                   .make = make_marked_model<Unigram>};

}  // namespace tern::text
