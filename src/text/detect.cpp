#include "text/detect.hpp"

#include <nlohmann/json.hpp>

#include "base/byte_cursor.hpp"
#include "base/foreign_content.hpp"
#include "text/protobuf_reader.hpp"

namespace tern::text {

namespace {

// Reads JSON only until the first member of the outer object that tells the two kinds apart.
class JsonLook : public nlohmann::json_sax<nlohmann::json> {
 public:
  SourceKind kind = SourceKind::unknown;

  bool null() override { return on_value(false); }
  bool boolean(bool) override { return on_value(false); }
  bool number_integer(number_integer_t) override { return on_value(true); }
  bool number_unsigned(number_unsigned_t) override { return on_value(true); }
  bool number_float(number_float_t, const string_t&) override { return on_value(false); }
  bool string(string_t&) override { return on_value(false); }
  bool binary(binary_t&) override { return false; }
  bool start_object(std::size_t) override { return (depth_ == 0 || on_value(false)) && ++depth_ <= kMaxDepth; }
  bool start_array(std::size_t) override { return depth_ != 0 && on_value(false) && ++depth_ <= kMaxDepth; }
  bool end_object() override { return --depth_ >= 0; }
  bool end_array() override { return --depth_ >= 0; }
  bool key(string_t& name) override {
    if (depth_ == 1) is_tokenizer_key_ = name == "model" || name == "added_tokens" || name == "pre_tokenizer";
    return true;
  }
  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception&) override { return false; }

 private:
  static constexpr int kMaxDepth = 64;
  // False ends the parse: the answer is known.
  bool on_value(bool is_integer) {
    if (depth_ != 1) return depth_ > 1;
    if (is_integer) kind = SourceKind::vocab_json;
    if (!is_integer && is_tokenizer_key_) kind = SourceKind::tokenizer_json;
    return kind == SourceKind::unknown;
  }
  int depth_ = 0;
  bool is_tokenizer_key_ = false;
};

SourceKind detect_json(std::string_view text) {
  JsonLook look;
  (void)nlohmann::json::sax_parse(text.begin(), text.end(), &look);
  return look.kind;
}

// Field 1 (a piece) whose first field is its text.
bool looks_like_sentencepiece(Bytes bytes) {
  if (bytes.empty() || bytes[0] != std::byte{0x0A}) return false;
  ProtobufReader model(bytes);
  const auto piece = model.next();
  if (!piece || piece->number != 1 || piece->wire_type != 2 || piece->bytes.empty()) return false;
  ProtobufReader fields(piece->bytes);
  const auto text = fields.next();
  return text && text->number == 1 && text->wire_type == 2;
}

// A first line of base64, one space and digits.
bool looks_like_tiktoken(std::string_view text) {
  const std::string_view line = text.substr(0, text.find('\n'));
  const std::size_t space = line.find(' ');
  if (space == std::string_view::npos || space == 0 || space % 4 != 0) return false;
  constexpr std::string_view kBase64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=";
  std::string_view digits = line.substr(space + 1);
  if (digits.ends_with('\r')) digits.remove_suffix(1);
  return line.substr(0, space).find_first_not_of(kBase64) == std::string_view::npos && !digits.empty() &&
         digits.find_first_not_of("0123456789") == std::string_view::npos;
}

// A longest-token length that the first three tokens keep to.
bool looks_like_llama2c(Bytes bytes) {
  ByteCursor cursor(bytes);
  const auto longest = cursor.read<std::int32_t>("longest");
  if (!longest || *longest < 1 || *longest > 1 << 20) return false;
  for (int i = 0; i < 3; ++i) {
    if (!cursor.read<float>("score")) return false;
    const auto length = cursor.read<std::int32_t>("length");
    if (!length || *length < 0 || *length > *longest) return false;
    if (!cursor.take(static_cast<std::uint64_t>(*length), "token")) return false;
  }
  return true;
}

}  // namespace

SourceKind detect_source(Bytes bytes) {
  const std::string_view text = as_text(bytes);
  if (text.starts_with("GGUF")) return SourceKind::gguf;
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  if (first != std::string_view::npos && text[first] == '{') return detect_json(text);
  if (looks_like_sentencepiece(bytes)) return SourceKind::sentencepiece;
  if (looks_like_tiktoken(text)) return SourceKind::tiktoken;
  if (looks_like_llama2c(bytes)) return SourceKind::llama2c;
  return SourceKind::unknown;
}

std::string_view describe(SourceKind kind) {
  switch (kind) {
    case SourceKind::gguf:
      return "a GGUF file";
    case SourceKind::tokenizer_json:
      return "a Hugging Face tokenizer.json";
    case SourceKind::vocab_json:
      return "a vocab.json";
    case SourceKind::sentencepiece:
      return "a SentencePiece model";
    case SourceKind::llama2c:
      return "a llama2.c tokenizer";
    case SourceKind::tiktoken:
      return "a tiktoken rank file";
    case SourceKind::unknown:
      break;
  }
  return "of no known kind";
}

Result<Vocabulary> read_vocabulary(Bytes bytes, std::optional<std::string_view> pre, Bytes tokenizer_config) {
  const SourceKind kind = detect_source(bytes);
  const auto read = [&]() -> Result<Vocabulary> {
    if (kind == SourceKind::tokenizer_json) return read_tokenizer_json(bytes, tokenizer_config, pre);
    if (kind == SourceKind::sentencepiece) return read_sentencepiece(bytes);
    if (kind == SourceKind::llama2c) return read_llama2c_tokenizer(bytes);
    if (kind == SourceKind::tiktoken) return read_tiktoken(bytes, pre);
    if (kind == SourceKind::vocab_json) {
      return fail(ErrorCode::bad_input, "this is a vocab.json, which needs merges.txt beside it: name their folder");
    }
    if (const auto what = foreign_content(bytes); !what.empty()) return fail(ErrorCode::bad_input, "is {}", what);
    return fail(ErrorCode::bad_input,
                "the content is {}, expected a tokenizer.json, a SentencePiece model, a llama2.c tokenizer or tiktoken "
                "ranks",
                describe(kind));
  };
  TERN_TRY(Vocabulary vocabulary, read());
  if (!tokenizer_config.empty() && kind != SourceKind::tokenizer_json) {
    TERN_TRY_DO(apply_tokenizer_config(vocabulary, tokenizer_config));
  }
  return vocabulary;
}

}  // namespace tern::text
