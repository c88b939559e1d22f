// The rules of Hugging Face's pre-tokenizers Metaspace and WhitespaceSplit, for vocabularies that spell a space as
// U+2581: cut at white space or not, put a mark in front of a text or not, cut before each mark or not. Vocabularies
// from SentencePiece itself have no such rules. Source: Hugging Face's tokenizers.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "text/vocabulary.hpp"

namespace tern::text {

struct Metaspace {
  enum class Prepend { first, always, never };

  bool whitespace_split = false;  // first cut at white space, which goes
  bool marks_spaces = false;      // there is a Metaspace: the rules below hold
  Prepend prepend = Prepend::always;
  bool split = true;

  /// From Vocabulary::pre_tokenizer; nothing where that is empty. Errors: another rule, by name.
  [[nodiscard]] static Result<std::optional<Metaspace>> make(const Vocabulary& vocabulary);

  /// Calls visit(piece) -> Result<void> for each piece of `text`, spaces spelled as U+2581. The pieces are views into
  /// `escaped`, which is filled here. `is_first`: the text begins what was asked to be encoded.
  template <typename Visit>
  [[nodiscard]] Result<void> for_each_piece(std::string_view text, bool is_first, std::string& escaped,
                                            const Visit& visit) const;

 private:
  // Appends the pieces of `text` to `escaped` and where each ends to `ends`.
  void escape(std::string_view text, bool is_first, std::string& escaped, std::vector<std::size_t>& ends) const;
};

template <typename Visit>
Result<void> Metaspace::for_each_piece(std::string_view text, bool is_first, std::string& escaped,
                                       const Visit& visit) const {
  std::vector<std::size_t> ends;
  escape(text, is_first, escaped, ends);
  std::size_t begin = 0;
  for (const std::size_t end : ends) {
    if (end > begin) TERN_TRY_DO(visit(std::string_view(escaped).substr(begin, end - begin)));
    begin = end;
  }
  return {};
}

}  // namespace tern::text
