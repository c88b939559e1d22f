// Token ids to text, one at a time, for streaming: what it gives out is always valid UTF-8. A character whose bytes
// come in several tokens is held back until it is whole; bytes that can never become a character turn into U+FFFD. Not
// for exact bytes: that is Tokenizer::decode.
#pragma once

#include <cstdint>
#include <string>

#include "text/tokenizer.hpp"

namespace tern::text {

struct DetokenizeOptions {
  /// The first token begins the text: a SentencePiece vocabulary's leading space is taken off (BOS may come first).
  /// False when the ids continue a text that is already shown.
  bool at_start = true;
  bool render_special = false;  // show control tokens by their names
};

class Detokenizer {
 public:
  explicit Detokenizer(Tokenizer tokenizer, DetokenizeOptions options = {});

  /// The text that is certain after this token; may be empty. An id outside the vocabulary adds nothing.
  [[nodiscard]] std::string push(std::int32_t id);

  /// What was held back, an unfinished character as U+FFFD; the object starts anew afterwards (not at_start).
  [[nodiscard]] std::string finish();

 private:
  Tokenizer tokenizer_;
  bool at_start_;
  bool render_special_;
  std::string held_;  // the first bytes of a character, at most 3
};

}  // namespace tern::text
