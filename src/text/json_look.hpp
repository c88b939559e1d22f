// A quick look at JSON: a tokenizer, a list of words, or something else. It parses no further than it must.
#pragma once

#include <cstddef>
#include <span>

namespace tern::text {

enum class JsonKind {
  other,
  tokenizer,   // an object with "model", "added_tokens" or "pre_tokenizer" that are no numbers
  vocabulary,  // an object that maps a name to a whole number
};

[[nodiscard]] JsonKind look_at_json(std::span<const std::byte> bytes);

}  // namespace tern::text
