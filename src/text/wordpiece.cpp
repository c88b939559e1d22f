#include "text/wordpiece.hpp"

#include <algorithm>

#include "base/utf8.hpp"
#include "base/words.hpp"
#include "text/json_document.hpp"
#include "text/space_mark.hpp"
#include "text/token_model_of.hpp"
#include "text/token_models.hpp"
#include "text/unicode.hpp"

namespace tern::text {

namespace {

constexpr std::string_view kContinues = "##";
constexpr std::uint32_t kMostCharacters = 1U << 12;  // of a word
constexpr std::size_t kMaxTokenBytes = 1024;         // bounds the steps at each byte of a text

enum class Class { space, punctuation, letter };

struct Character {
  std::size_t length;
  Class kind;
};

Character character_at(std::string_view text) {
  const Utf8Step step = utf8_step(text);
  if (!step.valid) return {step.length, Class::letter};
  const std::uint32_t c = utf8_code_point(text);
  if (is_white_space(c)) return {step.length, Class::space};
  return {step.length, is_bert_punctuation(c) ? Class::punctuation : Class::letter};
}

}  // namespace

Result<WordPiece> WordPiece::make(const Vocabulary& vocabulary) {
  WordPiece model;
  model.unknown_ = vocabulary.unk;
  model.max_characters_ = vocabulary.max_word_characters;
  if (vocabulary.max_word_characters == 0 || vocabulary.max_word_characters > kMostCharacters) {
    return fail(ErrorCode::bad_input, "words may have {} characters (max_input_chars_per_word), expected 1 to {}",
                vocabulary.max_word_characters, kMostCharacters);
  }
  if (!vocabulary.pre_tokenizer.empty()) {
    const auto bytes = std::as_bytes(std::span(vocabulary.pre_tokenizer.data(), vocabulary.pre_tokenizer.size()));
    TERN_TRY(const nlohmann::json section, parse_json(bytes, "the section \"pre_tokenizer\""));
    const std::string_view type = string_member(section, "type");
    if (type == "WhitespaceSplit") {
      model.cut_ = Cut::spaces;
    } else if (type != "BertPreTokenizer") {
      return fail(ErrorCode::unsupported,
                  "the pre-tokenizer {} does not go with WordPiece here; expected BertPreTokenizer or WhitespaceSplit",
                  type.empty() ? "without a type" : printable(type));
    }
  }
  std::size_t n_bytes = 0;
  for (const std::string& token : vocabulary.tokens) n_bytes += std::min(token.size(), kMaxTokenBytes);
  model.index_ = StringIndex(vocabulary.size());
  model.trie_ = TokenTrie(n_bytes);
  for (std::size_t id = 0; id < vocabulary.size(); ++id) {
    const std::string& token = vocabulary.tokens[id];
    if (vocabulary.type(id) != TokenType::normal || token.empty()) continue;
    if (token.size() > kMaxTokenBytes) {
      return fail(ErrorCode::bad_input, "token {} has {} bytes, a WordPiece vocabulary may have at most {}", id,
                  token.size(), kMaxTokenBytes);
    }
    model.index_.insert(token, static_cast<std::uint32_t>(id));
    model.trie_.insert(token, static_cast<std::uint32_t>(id));
  }
  return model;
}

Result<void> WordPiece::encode(std::string_view text, Run& run, std::vector<std::int32_t>& out) const {
  while (!text.empty()) {
    const Character first = character_at(text);
    std::size_t length = first.length;
    if (first.kind == Class::space) {
      text.remove_prefix(length);
      continue;
    }
    const bool alone = first.kind == Class::punctuation && cut_ == Cut::spaces_and_punctuation;
    while (!alone && length < text.size()) {
      const Character next = character_at(text.substr(length));
      if (next.kind == Class::space) break;
      if (next.kind == Class::punctuation && cut_ == Cut::spaces_and_punctuation) break;
      length += next.length;
    }
    const std::string_view word = text.substr(0, length);
    text.remove_prefix(length);
    TERN_TRY_DO(run.cache.append(word, run.ids, out, [&] { return encode_word(word, run); }));
  }
  return {};
}

// The ids of one word, into run.ids.
Result<void> WordPiece::encode_word(std::string_view word, Run& run) const {
  run.ids.clear();
  if (spell(word, run)) return {};
  run.ids.clear();
  if (!unknown_) {
    return fail(ErrorCode::bad_input, "the word \"{}\" cannot be spelled, and this vocabulary has no unknown token",
                printable(word));
  }
  run.ids.push_back(*unknown_);
  return {};
}

bool WordPiece::spell(std::string_view word, Run& run) const {
  std::size_t n_characters = 0;
  for (std::size_t at = 0; at < word.size(); at += utf8_step(word.substr(at)).length) {
    if (++n_characters > max_characters_) return false;
  }
  // The longest token at the front that is at least `least` bytes long, whole characters only.
  const auto longest_at = [&](std::string_view rest, std::size_t least) -> std::optional<std::uint32_t> {
    std::optional<std::uint32_t> longest;
    trie_.for_each_at_front(rest, [&](std::size_t length, std::uint32_t id) {
      const bool inside = length < rest.size() && is_utf8_continuation(rest[length]);
      if (inside || length < least) return;
      run.taken = length;
      longest = id;
    });
    return longest;
  };
  run.marked = kSpaceMark;
  run.marked += word;
  std::string_view rest = run.marked;
  while (!rest.empty()) {
    std::optional<std::uint32_t> id;
    if (!run.ids.empty()) {
      if (rest.starts_with(kSpaceMark)) return false;  // would be taken for the start of a word
      id = longest_at(rest, 1);
    } else {
      // The reference looks a word up as it stands in its file, so that one that begins with "##" is a continuation.
      const std::string_view continued = word.starts_with(kContinues) ? word.substr(kContinues.size()) : "";
      if (!continued.empty() && !continued.starts_with(kSpaceMark)) id = longest_at(continued, 1);
      if (id) {
        rest.remove_prefix(kSpaceMark.size() + kContinues.size());
      } else {
        id = longest_at(rest, kSpaceMark.size() + 1);
      }
    }
    if (!id) return false;
    run.ids.push_back(static_cast<std::int32_t>(*id));
    rest.remove_prefix(run.taken);
  }
  return true;
}

namespace {

// No space is added: words are found first, and U+2581 stands in the vocabulary before those that begin one.
class WordPieceModel : public TokenModelOf<WordPieceModel, WordPiece> {
 public:
  using TokenModelOf::TokenModelOf;
  Result<void> encode_plain(std::string_view plain, bool, State& state, std::vector<std::int32_t>& out) const {
    return model_.encode(plain, state.run, out);
  }
  [[nodiscard]] std::optional<std::int32_t> find(std::string_view token) const override {
    if (!token.starts_with(' ')) return as_id(model_.index().find(token));
    return as_id(model_.index().find(std::string(kSpaceMark) + std::string(token.substr(1))));
  }
};

Result<std::unique_ptr<const TokenModel>> make_model(const Vocabulary& vocabulary, std::span<const std::string_view>) {
  TERN_TRY(auto model, WordPiece::make(vocabulary));
  return std::make_unique<const WordPieceModel>(std::move(model));
}

std::string bytes_of(const std::string& token, TokenType) {
  return token.starts_with(kSpaceMark) ? " " + token.substr(kSpaceMark.size()) : token;
}

}  // namespace

const TokenModelKind kWordPieceModel{
    .kind = TokenizerKind::wordpiece,
    .gguf_name = "bert",
    .what = "WordPiece",
    .starts_with_bos = true,
    .ends_with_eos = true,
    .leading_space = LeadingSpace::never_of_text,
    .usual_names = {.bos = "[CLS]", .eos = "[SEP]", .unk = "[UNK]", .pad = "[PAD]", .mask = "[MASK]"},
    .bytes_of = bytes_of,
    .make = make_model};

}  // namespace tern::text
