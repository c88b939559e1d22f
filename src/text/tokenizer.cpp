#include "text/tokenizer.hpp"

#include <algorithm>
#include <array>
#include <deque>

#include "base/words.hpp"
#include "text/byte_fallback.hpp"
#include "text/hash_index.hpp"
#include "text/normalizer.hpp"
#include "text/special_tokens.hpp"
#include "text/token_models.hpp"

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

// The bytes that token `id` stands for in a text.
std::string bytes_of_token(const Vocabulary& vocabulary, std::size_t id) {
  const std::string& token = vocabulary.tokens[id];
  const TokenType type = vocabulary.type(id);
  if (type == TokenType::control || type == TokenType::unknown) return token;
  if (type == TokenType::byte) {
    if (const auto byte = byte_of_name(token)) return std::string(1, static_cast<char>(*byte));
    return token;
  }
  return token_model_of(vocabulary.kind).bytes_of(token, type);
}

}  // namespace

struct Tokenizer::Body {
  Vocabulary vocabulary;
  std::string piece_bytes;               // all pieces, one after another
  std::vector<std::string_view> pieces;  // [n_tokens] into piece_bytes
  Normalizer normalizer;
  std::unique_ptr<const TokenModel> model;
  SpecialTokens always;  // user-defined
  SpecialTokens on_ask;  // user-defined, control and unknown
  StringIndex by_name;   // control and user-defined tokens
  std::vector<std::int32_t> end_ids;

  void make_pieces();
  [[nodiscard]] Result<void> make_specials();
  [[nodiscard]] Result<void> encode(std::string_view text, bool parse_special, std::vector<std::int32_t>& out) const;
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
  TERN_TRY(body->normalizer, Normalizer::make(body->vocabulary));
  TERN_TRY(body->model, token_model_of(body->vocabulary.kind).make(body->vocabulary, body->pieces));
  return Tokenizer(std::move(body));
}

// Text between special tokens is normalised and goes to the model, which puts a space in front where it must.
Result<void> Tokenizer::Body::encode(std::string_view text, bool parse_special, std::vector<std::int32_t>& out) const {
  const std::unique_ptr<TokenModel::Call> call = model->call();
  std::deque<std::string> texts;  // normalised; the call keeps views into them
  const SpecialTokens& special = parse_special ? on_ask : always;
  std::size_t at = 0;
  while (at < text.size()) {
    const auto match = special.find(text, at);
    std::string_view plain = text.substr(at, match ? match->start - at : std::string_view::npos);
    if (!plain.empty() && !normalizer.empty()) {
      std::string normalised;
      TERN_TRY(plain, normalizer.apply(plain, normalised));
      if (plain.data() == normalised.data()) plain = texts.emplace_back(std::move(normalised));
    }
    if (!plain.empty()) TERN_TRY_DO(call->encode(plain, at == 0, out));
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
  TERN_TRY_DO(body_->encode(text, options.parse_special, ids));
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

std::optional<std::int32_t> Tokenizer::find_special(std::string_view name) const {
  const auto id = body_->by_name.find(name);
  if (!id || !is_special_type(body_->vocabulary.type(*id))) return std::nullopt;
  return static_cast<std::int32_t>(*id);
}

std::optional<std::int32_t> Tokenizer::find(std::string_view token) const {
  if (token.empty()) return std::nullopt;
  if (const auto id = body_->by_name.find(token)) return static_cast<std::int32_t>(*id);
  return body_->model->find(token);
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
