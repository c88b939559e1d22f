#include "text/json_look.hpp"

#include <nlohmann/json.hpp>

#include "base/byte_cursor.hpp"

namespace tern::text {
namespace {

// Reads JSON only until the first member of the outer object that tells the two kinds apart.
class Look : public nlohmann::json_sax<nlohmann::json> {
 public:
  JsonKind kind = JsonKind::other;

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
    if (is_integer) kind = JsonKind::vocabulary;
    if (!is_integer && is_tokenizer_key_) kind = JsonKind::tokenizer;
    return kind == JsonKind::other;
  }
  int depth_ = 0;
  bool is_tokenizer_key_ = false;
};

}  // namespace

JsonKind look_at_json(std::span<const std::byte> bytes) {
  const std::string_view text = as_text(bytes);
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos || text[first] != '{') return JsonKind::other;
  Look look;
  (void)nlohmann::json::sax_parse(text.begin(), text.end(), &look);
  return look.kind;
}

}  // namespace tern::text
