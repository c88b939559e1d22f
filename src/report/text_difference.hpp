// Where two texts first part ways, cut at whole characters and shown as whole words. Not a diff: after the first
// difference two continuations of a model have nothing to do with each other.
#pragma once

#include <cstddef>
#include <string_view>

namespace tern::report {

struct TextDifference {
  bool equal = false;
  std::size_t same_characters = 0;  // code points before the first difference
  std::string_view same;            // parts of `text`: up to the beginning of the first word that differs,
  std::string_view word;            // that word (empty when `text` simply ends earlier),
  std::string_view rest;            // and what follows
};

/// Splits `text` by its first difference from `reference`. The views live as long as `text`.
[[nodiscard]] TextDifference first_difference(std::string_view reference, std::string_view text);

}  // namespace tern::report
