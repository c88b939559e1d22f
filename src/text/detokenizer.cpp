#include "text/detokenizer.hpp"

#include "base/utf8.hpp"

namespace tern::text {

Detokenizer::Detokenizer(Tokenizer tokenizer, DetokenizeOptions options)
    : tokenizer_(std::move(tokenizer)),
      at_start_(options.at_start && begins_with_added_space(tokenizer_.vocabulary())),
      render_special_(options.render_special) {}

std::string Detokenizer::push(std::int32_t id) {
  std::string_view bytes = tokenizer_.piece(id);
  if (tokenizer_.is_control(id)) {
    if (!render_special_) bytes = {};
  } else if (tokenizer_.is_valid(id)) {
    if (at_start_ && bytes.starts_with(' ')) bytes.remove_prefix(1);
    at_start_ = false;
  }
  held_ += bytes;
  std::string out;
  std::string_view rest = held_;
  while (!rest.empty()) {
    const std::size_t valid = utf8_valid_prefix(rest);
    out += rest.substr(0, valid);
    rest.remove_prefix(valid);
    if (rest.empty()) break;
    const Utf8Step step = utf8_step(rest);
    if (step.incomplete) break;
    out += kReplacementCharacter;
    rest.remove_prefix(step.length);
  }
  held_.erase(0, held_.size() - rest.size());
  return out;
}

std::string Detokenizer::finish() {
  at_start_ = false;
  if (held_.empty()) return {};
  held_.clear();
  return std::string(kReplacementCharacter);
}

}  // namespace tern::text
