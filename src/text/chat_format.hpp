// How a conversation is written down for a model: the families of chat templates that most models use, recognised by
// the markers in tokenizer.chat_template. It does not run templates (they are Jinja programs); one that is of no family
// here is not guessed at.
//
// The names of special tokens in the scaffold become those tokens; the words of a person never do: whoever types
// "<|eot_id|>" has typed ten characters. Words and scaffold that touch are encoded as one text, as the model saw it.
// Source: the templates published with the models of each family.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "text/tokenizer.hpp"

namespace tern::text {

/// The scaffold around one speaker's words. "{bos}" and "{eos}" stand for the vocabulary's tokens.
struct ChatTurn {
  std::string_view before;
  std::string_view after;
};

struct ChatFormat {
  std::string_view name;
  std::array<std::string_view, 2> markers;   // all of them stand in a template of this family; "" is no marker
  std::array<std::string_view, 4> specials;  // names in the scaffold that are tokens where the vocabulary has them
  ChatTurn system;
  bool system_in_user = false;  // the system's part stands inside the first user's turn, before the words
  ChatTurn user;
  ChatTurn assistant;
  std::string_view end;  // what ends an answer, for vocabularies in which it is no token; "" for {eos}
  bool begins_with_bos = false;
};

/// Null for an empty template or one of no known family.
[[nodiscard]] const ChatFormat* recognise_chat_format(std::string_view chat_template);

/// A piece of a conversation, in order.
struct ChatPiece {
  std::string_view text;
  bool is_scaffold = false;  // may hold names of special tokens and {bos}, {eos}
};

/// The ids of some pieces.
[[nodiscard]] Result<std::vector<std::int32_t>> encode_chat(const Tokenizer& tokenizer, const ChatFormat& format,
                                                            const std::vector<ChatPiece>& pieces);

}  // namespace tern::text
