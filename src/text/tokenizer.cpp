#include "text/tokenizer.hpp"

#include <algorithm>
#include <array>
#include <deque>
#include <variant>

#include "base/words.hpp"
#include "text/byte_alphabet.hpp"
#include "text/byte_level_bpe.hpp"
#include "text/sentencepiece_bpe.hpp"
#include "text/special_tokens.hpp"
#include "text/utf8.hpp"

namespace tern::text {

namespace {

constexpr std::size_t kMaxTextBytes = std::size_t{1} << 30;
constexpr std::size_t kMaxPieceBytes = std::size_t{1} << 24;

// Names under which published models end an answer, beside the eos that their files name.
constexpr std::array<std::string_view, 9> kEndNames = {"<|eot_id|>",      "<|eom_id|>",    "<|im_end|>",
                                                       "<|end|>",         "<end_of_turn>", "<|endoftext|>",
                                                       "<|end_of_text|>", "<EOT>",         "<end_of_utterance>"};

bool is_special_type(TokenType type) {
  return type == TokenType::control || type == TokenType::user_defined;
}

std::string replace_all(std::string_view text, std::string_view from, std::string_view to) {
  std::string out;
  out.reserve(text.size());
  while (true) {
    const std::size_t at = text.find(from);
    out += text.substr(0, at);
    if (at == std::string_view::npos) return out;
    out += to;
    text.remove_prefix(at + from.size());
  }
}

// The bytes that token `id` stands for in a text.
std::string bytes_of_token(const Vocabulary& vocabulary, std::size_t id) {
  const std::string& token = vocabulary.tokens[id];
  const TokenType type = vocabulary.type(id);
  if (type == TokenType::control || type == TokenType::unknown) return token;
  if (type == TokenType::byte) {
    if (const auto byte = byte_of_name(token)) return std::string(1, static_cast<char>(*byte));
    return token;
  }
  if (vocabulary.kind == TokenizerKind::spm) return replace_all(token, kSpaceMark, " ");
  return type == TokenType::user_defined ? token : from_byte_alphabet_or_same(token);
}

Result<void> check_id(std::string_view name, std::optional<std::int32_t> id, std::size_t n_tokens) {
  if (!id || (*id >= 0 && static_cast<std::size_t>(*id) < n_tokens)) return {};
  return fail(ErrorCode::bad_input, "the {} token is {}, but the vocabulary has {} tokens", name, *id, n_tokens);
}

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
  if (vocabulary.kind == TokenizerKind::spm && vocabulary.scores.size() != n) {
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
  return check_id("end-of-turn", vocabulary.eot, n);
}

}  // namespace

struct Tokenizer::Body {
  Vocabulary vocabulary;
  std::string piece_bytes;               // all pieces, one after another
  std::vector<std::string_view> pieces;  // [n_tokens] into piece_bytes
  std::variant<std::monostate, ByteLevelBpe, SentencePieceBpe> model;
  SpecialTokens always;  // user-defined
  SpecialTokens on_ask;  // user-defined, control and unknown
  StringIndex by_name;   // control and user-defined tokens
  std::vector<std::int32_t> end_ids;

  void make_pieces();
  [[nodiscard]] Result<void> make_specials();

  template <typename Model>
  [[nodiscard]] Result<void> encode(const Model& the_model, std::string_view text, bool parse_special,
                                    std::vector<std::int32_t>& out) const;
};

void Tokenizer::Body::make_pieces() {
  std::vector<std::size_t> ends(vocabulary.size());
  for (std::size_t id = 0; id < vocabulary.size(); ++id) {
    piece_bytes += bytes_of_token(vocabulary, id);
    ends[id] = piece_bytes.size();
  }
  pieces.resize(vocabulary.size());
  for (std::size_t id = 0; id < ends.size(); ++id) {
    const std::size_t start = id == 0 ? 0 : ends[id - 1];
    pieces[id] = std::string_view(piece_bytes).substr(start, ends[id] - start);
  }
}

Result<void> Tokenizer::Body::make_specials() {
  std::vector<SpecialTokens::Entry> user_defined;
  std::vector<SpecialTokens::Entry> all;
  for (std::size_t id = 0; id < pieces.size(); ++id) {
    const TokenType type = vocabulary.type(id);
    if (pieces[id].empty()) continue;
    const SpecialTokens::Entry entry{pieces[id], static_cast<std::int32_t>(id)};
    if (type == TokenType::user_defined) user_defined.push_back(entry);
    if (is_special_type(type) || type == TokenType::unknown) all.push_back(entry);
  }
  TERN_TRY(always, SpecialTokens::make(user_defined));
  TERN_TRY(on_ask, SpecialTokens::make(all));
  by_name = StringIndex(all.size());
  for (const SpecialTokens::Entry& entry : all) by_name.insert(entry.name, static_cast<std::uint32_t>(entry.id));

  if (vocabulary.eos) end_ids.push_back(*vocabulary.eos);
  if (vocabulary.eot) end_ids.push_back(*vocabulary.eot);
  for (const std::string_view name : kEndNames) {
    if (const auto id = by_name.find(name)) end_ids.push_back(static_cast<std::int32_t>(*id));
  }
  std::ranges::sort(end_ids);
  end_ids.erase(std::unique(end_ids.begin(), end_ids.end()), end_ids.end());
  return {};
}

Result<Tokenizer> Tokenizer::make(Vocabulary vocabulary) {
  TERN_TRY_DO(check_vocabulary(vocabulary));
  auto body = std::make_shared<Body>();
  body->vocabulary = std::move(vocabulary);
  body->make_pieces();
  TERN_TRY_DO(body->make_specials());
  if (body->vocabulary.kind == TokenizerKind::bpe) {
    TERN_TRY(ByteLevelBpe model, ByteLevelBpe::make(body->vocabulary, body->pieces));
    body->model = std::move(model);
  } else {
    TERN_TRY(SentencePieceBpe model, SentencePieceBpe::make(body->vocabulary));
    body->model = std::move(model);
  }
  return Tokenizer(std::move(body));
}

// Text between special tokens goes to the model. The space prefix: SentencePiece vocabularies get it before the text
// and after each special token (as transformers and llama.cpp have it), byte-level ones before the text only, unless a
// space is there.
template <typename Model>
Result<void> Tokenizer::Body::encode(const Model& the_model, std::string_view text, bool parse_special,
                                     std::vector<std::int32_t>& out) const {
  constexpr bool kIsSpm = std::is_same_v<Model, SentencePieceBpe>;
  typename Model::Run run(the_model);
  std::deque<std::string> prefixed;  // the word cache keeps views, so these live as long as it
  const SpecialTokens& special = parse_special ? on_ask : always;
  bool wants_space = vocabulary.add_space_prefix;
  std::size_t at = 0;
  while (at < text.size()) {
    const auto match = special.find(text, at);
    std::string_view plain = text.substr(at, match ? match->start - at : std::string_view::npos);
    if (!plain.empty()) {
      if (wants_space && (kIsSpm || plain[0] != ' ')) {
        plain = prefixed.emplace_back(" " + std::string(plain));
      }
      TERN_TRY_DO(the_model.encode(plain, run, out));
    }
    wants_space = vocabulary.add_space_prefix && kIsSpm;
    if (!match) break;
    out.push_back(match->id);
    at = match->start + match->length;
  }
  return {};
}

Result<std::vector<std::int32_t>> Tokenizer::encode(std::string_view text, EncodeOptions options) const {
  if (text.size() > kMaxTextBytes) {
    return fail(ErrorCode::bad_input, "the text is {}, at most {} are tokenised at once: split it",
                human_bytes(text.size()), human_bytes(kMaxTextBytes));
  }
  const Vocabulary& vocabulary = body_->vocabulary;
  std::vector<std::int32_t> ids;
  ids.reserve(text.size() / 4 + 2);
  if (options.add_bos) {
    if (!vocabulary.bos) return fail(ErrorCode::usage, "BOS was asked for, but this vocabulary has no bos token");
    ids.push_back(*vocabulary.bos);
  }
  if (const auto* bpe = std::get_if<ByteLevelBpe>(&body_->model)) {
    TERN_TRY_DO(body_->encode(*bpe, text, options.parse_special, ids));
  } else if (const auto* spm = std::get_if<SentencePieceBpe>(&body_->model)) {
    TERN_TRY_DO(body_->encode(*spm, text, options.parse_special, ids));
  }
  if (options.add_eos) {
    if (!vocabulary.eos) return fail(ErrorCode::usage, "EOS was asked for, but this vocabulary has no eos token");
    ids.push_back(*vocabulary.eos);
  }
  return ids;
}

std::string_view Tokenizer::piece(std::int32_t id) const {
  return is_valid(id) ? body_->pieces[static_cast<std::size_t>(id)] : std::string_view{};
}

std::string Tokenizer::decode(std::span<const std::int32_t> ids, bool render_special) const {
  std::string out;
  bool at_start = body_->vocabulary.kind == TokenizerKind::spm && body_->vocabulary.add_space_prefix;
  for (const std::int32_t id : ids) {
    std::string_view bytes = piece(id);
    if (is_control(id)) {
      if (render_special) out += bytes;
      continue;
    }
    if (at_start && bytes.starts_with(' ')) bytes.remove_prefix(1);
    if (is_valid(id)) at_start = false;
    out += bytes;
  }
  return out;
}

std::optional<std::int32_t> Tokenizer::find_special(std::string_view name) const {
  const auto id = body_->by_name.find(name);
  if (!id || !is_special_type(body_->vocabulary.type(*id))) return std::nullopt;
  return static_cast<std::int32_t>(*id);
}

std::optional<std::int32_t> Tokenizer::find(std::string_view token) const {
  if (token.empty()) return std::nullopt;
  if (const auto id = body_->by_name.find(token)) return static_cast<std::int32_t>(*id);
  if (const auto* bpe = std::get_if<ByteLevelBpe>(&body_->model)) {
    if (const auto id = bpe->index().find(token)) return static_cast<std::int32_t>(*id);
  } else if (const auto* spm = std::get_if<SentencePieceBpe>(&body_->model)) {
    if (const auto id = spm->index().find(replace_all(token, " ", kSpaceMark))) return static_cast<std::int32_t>(*id);
    if (token.size() == 1) {
      const std::int32_t id = spm->byte_id(static_cast<unsigned char>(token[0]));
      if (id >= 0) return id;
    }
  }
  return std::nullopt;
}

bool Tokenizer::is_valid(std::int32_t id) const {
  return id >= 0 && static_cast<std::size_t>(id) < body_->pieces.size();
}

bool Tokenizer::is_control(std::int32_t id) const {
  if (!is_valid(id)) return false;
  const TokenType type = body_->vocabulary.type(static_cast<std::size_t>(id));
  return type == TokenType::control || type == TokenType::unknown;
}

bool Tokenizer::is_end_of_generation(std::int32_t id) const {
  return std::ranges::binary_search(body_->end_ids, id);
}
std::span<const std::int32_t> Tokenizer::end_of_generation_ids() const {
  return body_->end_ids;
}
const Vocabulary& Tokenizer::vocabulary() const {
  return body_->vocabulary;
}
std::size_t Tokenizer::size() const {
  return body_->pieces.size();
}

}  // namespace tern::text
