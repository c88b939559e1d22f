#include "text/tokenizer.hpp"

#include <algorithm>
#include <array>
#include <deque>
#include <variant>

#include "base/words.hpp"
#include "text/byte_alphabet.hpp"
#include "text/byte_level_bpe.hpp"
#include "text/metaspace.hpp"
#include "text/normalizer.hpp"
#include "text/sentencepiece_bpe.hpp"
#include "text/special_tokens.hpp"
#include "text/unigram.hpp"
#include "text/utf8.hpp"
#include "text/wordpiece.hpp"

namespace tern::text {

namespace {

constexpr std::size_t kMaxTextBytes = std::size_t{1} << 30;

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
  if (vocabulary.kind == TokenizerKind::spm || vocabulary.kind == TokenizerKind::unigram) {
    return replace_all(token, kSpaceMark, " ");
  }
  if (vocabulary.kind == TokenizerKind::wordpiece) {
    return token.starts_with(kSpaceMark) ? " " + token.substr(kSpaceMark.size()) : token;
  }
  return type == TokenType::user_defined ? token : from_byte_alphabet_or_same(token);
}

}  // namespace

struct Tokenizer::Body {
  Vocabulary vocabulary;
  std::string piece_bytes;               // all pieces, one after another
  std::vector<std::string_view> pieces;  // [n_tokens] into piece_bytes
  Normalizer normalizer;
  std::optional<Metaspace> metaspace;  // spm and unigram
  std::variant<std::monostate, ByteLevelBpe, SentencePieceBpe, WordPiece, Unigram> model;
  SpecialTokens always;  // user-defined
  SpecialTokens on_ask;  // user-defined, control and unknown
  StringIndex by_name;   // control and user-defined tokens
  std::vector<std::int32_t> end_ids;

  void make_pieces();
  [[nodiscard]] Result<void> make_specials();

  [[nodiscard]] Result<void> make_model();

  // The state of one call: the model's own, and texts that the word cache keeps views into.
  template <typename Model>
  struct Call {
    explicit Call(const Model& model) : run(model) {}
    typename Model::Run run;
    std::deque<std::string> texts;
  };
  template <typename Model>
  [[nodiscard]] Result<void> encode(const Model& the_model, std::string_view text, bool parse_special,
                                    std::vector<std::int32_t>& out) const;
  [[nodiscard]] Result<void> encode_plain(const ByteLevelBpe& bpe, std::string_view plain, bool is_first,
                                          Call<ByteLevelBpe>& call, std::vector<std::int32_t>& out) const;
  [[nodiscard]] Result<void> encode_plain(const SentencePieceBpe& spm, std::string_view plain, bool is_first,
                                          Call<SentencePieceBpe>& call, std::vector<std::int32_t>& out) const;
  [[nodiscard]] Result<void> encode_plain(const WordPiece& wordpiece, std::string_view plain, bool is_first,
                                          Call<WordPiece>& call, std::vector<std::int32_t>& out) const;
  [[nodiscard]] Result<void> encode_plain(const Unigram& unigram, std::string_view plain, bool is_first,
                                          Call<Unigram>& call, std::vector<std::int32_t>& out) const;
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

Result<void> Tokenizer::Body::make_model() {
  const auto keep = [&](auto made) -> Result<void> {
    if (!made) return std::unexpected(std::move(made).error());
    model = std::move(*made);
    return {};
  };
  if (vocabulary.kind == TokenizerKind::bpe) return keep(ByteLevelBpe::make(vocabulary, pieces));
  if (vocabulary.kind == TokenizerKind::wordpiece) return keep(WordPiece::make(vocabulary));
  TERN_TRY(metaspace, Metaspace::make(vocabulary));
  if (vocabulary.kind == TokenizerKind::unigram) return keep(Unigram::make(vocabulary));
  return keep(SentencePieceBpe::make(vocabulary));
}

Result<Tokenizer> Tokenizer::make(Vocabulary vocabulary) {
  TERN_TRY_DO(check_vocabulary(vocabulary));
  auto body = std::make_shared<Body>();
  body->vocabulary = std::move(vocabulary);
  body->make_pieces();
  TERN_TRY_DO(body->make_specials());
  TERN_TRY(body->normalizer, Normalizer::make(body->vocabulary));
  TERN_TRY_DO(body->make_model());
  return Tokenizer(std::move(body));
}

// Text between special tokens is normalised and goes to the model, which puts a space in front where it must.
template <typename Model>
Result<void> Tokenizer::Body::encode(const Model& the_model, std::string_view text, bool parse_special,
                                     std::vector<std::int32_t>& out) const {
  Call<Model> call(the_model);
  const SpecialTokens& special = parse_special ? on_ask : always;
  std::size_t at = 0;
  while (at < text.size()) {
    const auto match = special.find(text, at);
    std::string_view plain = text.substr(at, match ? match->start - at : std::string_view::npos);
    if (!plain.empty() && !normalizer.empty()) {
      std::string normalised;
      TERN_TRY(plain, normalizer.apply(plain, normalised));
      if (plain.data() == normalised.data()) plain = call.texts.emplace_back(std::move(normalised));
    }
    if (!plain.empty()) TERN_TRY_DO(encode_plain(the_model, plain, at == 0, call, out));
    if (!match) break;
    out.push_back(match->id);
    at = match->start + match->length;
  }
  return {};
}

// Byte-level vocabularies: a space before the text only, unless one is there.
Result<void> Tokenizer::Body::encode_plain(const ByteLevelBpe& bpe, std::string_view plain, bool is_first,
                                           Call<ByteLevelBpe>& call, std::vector<std::int32_t>& out) const {
  if (is_first && vocabulary.add_space_prefix && plain[0] != ' ') {
    plain = call.texts.emplace_back(" " + std::string(plain));
  }
  return bpe.encode(plain, call.run, out);
}

// SentencePiece vocabularies: a space before the text and after each special token (as transformers and llama.cpp have
// it), even where one is there; with the rules of a Metaspace only as those say.
Result<void> Tokenizer::Body::encode_plain(const SentencePieceBpe& spm, std::string_view plain, bool is_first,
                                           Call<SentencePieceBpe>& call, std::vector<std::int32_t>& out) const {
  if (metaspace) {
    return metaspace->for_each_piece(plain, is_first, call.texts.emplace_back(),
                                     [&](std::string_view piece) { return spm.encode(piece, call.run, out); });
  }
  if (vocabulary.add_space_prefix) plain = call.texts.emplace_back(" " + std::string(plain));
  return spm.encode(plain, call.run, out);
}

Result<void> Tokenizer::Body::encode_plain(const WordPiece& wordpiece, std::string_view plain, bool,
                                           Call<WordPiece>& call, std::vector<std::int32_t>& out) const {
  return wordpiece.encode(plain, call.run, out);
}

Result<void> Tokenizer::Body::encode_plain(const Unigram& unigram, std::string_view plain, bool is_first,
                                           Call<Unigram>& call, std::vector<std::int32_t>& out) const {
  if (metaspace) {
    return metaspace->for_each_piece(plain, is_first, call.texts.emplace_back(),
                                     [&](std::string_view piece) { return unigram.encode(piece, call.run, out); });
  }
  std::string escaped = replace_all(plain, " ", kSpaceMark);
  if (vocabulary.add_space_prefix) escaped.insert(0, kSpaceMark);
  return unigram.encode(escaped, call.run, out);
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
  TERN_TRY_DO(std::visit(
      [&](const auto& model) -> Result<void> {
        if constexpr (std::is_same_v<std::decay_t<decltype(model)>, std::monostate>) {
          return {};
        } else {
          return body_->encode(model, text, options.parse_special, ids);
        }
      },
      body_->model));
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
  bool at_start = begins_with_added_space(body_->vocabulary);
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

namespace {

template <typename Model>
std::optional<std::int32_t> find_spelled_with_marks(const Model& model, std::string_view token) {
  if (const auto id = model.index().find(replace_all(token, " ", kSpaceMark))) return static_cast<std::int32_t>(*id);
  const std::int32_t byte = token.size() == 1 ? model.byte_id(static_cast<unsigned char>(token[0])) : -1;
  return byte < 0 ? std::nullopt : std::optional(byte);
}

}  // namespace

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
  } else if (const auto* wordpiece = std::get_if<WordPiece>(&body_->model)) {
    const std::string spelling =
        token.starts_with(' ') ? std::string(kSpaceMark) + std::string(token.substr(1)) : std::string(token);
    if (const auto id = wordpiece->index().find(spelling)) return static_cast<std::int32_t>(*id);
  } else if (const auto* spm = std::get_if<SentencePieceBpe>(&body_->model)) {
    return find_spelled_with_marks(*spm, token);
  } else if (const auto* unigram = std::get_if<Unigram>(&body_->model)) {
    return find_spelled_with_marks(*unigram, token);
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
