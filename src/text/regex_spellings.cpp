// Published patterns that take quadratic time in a backtracking engine, and spellings of them that do not.
#include <array>

#include "text/regex_dialect.hpp"

namespace tern::text {

namespace {

struct Spelling {
  std::string_view published;
  std::string_view linear;
};

// Why they are equal is said beside each; tests/unit/text compares them on generated texts.
constexpr std::array kLinearSpellings = {
    // Only the first space of a run can start a match: from there the match takes all that a later start could reach.
    Spelling{R"(\s+$)", R"((?<!\s)\s+$)"},
    // The first group of a run looks ahead to its end; after it the rest is whole groups, one after another.
    Spelling{R"(\d{1,3}(?=(?:\d{3})*\b))", R"((?<!\d)\d{1,3}(?=(?:\d{3})*+\b)|\G(?<=\d)\d{3})"},
    // A letter with its marks is found in one way only, so nothing is won by giving any of it back.
    Spelling{R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?(?:\p{L}\p{M}*(?: \p{L}\p{M}*)*)+|\p{N}|)"
             R"( ?[^\s\p{L}\p{N}]+[\r\n/]?|\s*[\r\n]|\s+(?!\S)|\s+)",
             R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?(?:\p{L}\p{M}*+(?: \p{L}\p{M}*+)*+)++|\p{N}|)"
             R"( ?[^\s\p{L}\p{N}]+[\r\n/]?|\s*[\r\n]|\s+(?!\S)|\s+)"},
    // A space that is no line end, just before, was cut off by \s{n}, so the search for a line end has failed already.
    Spelling{R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|)"
             R"(\s{512}(?!\S)|\s{256}(?!\S)|\s{128}(?!\S)|\s{64}(?!\S)|\s{32}(?!\S)|\s{16}(?!\S)|\s{8}(?!\S)|)"
             R"(\s{4}(?!\S)|\s{1,2}(?!\S)|\s{1})",
             R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|)"
             R"((?<![^\S\r\n])\s*[\r\n]+|)"
             R"(\s{512}(?!\S)|\s{256}(?!\S)|\s{128}(?!\S)|\s{64}(?!\S)|\s{32}(?!\S)|\s{16}(?!\S)|\s{8}(?!\S)|)"
             R"(\s{4}(?!\S)|\s{1,2}(?!\S)|\s{1})"},
};

}  // namespace

std::string_view linear_spelling(std::string_view pattern) {
  for (const Spelling& spelling : kLinearSpellings) {
    if (spelling.published == pattern) return spelling.linear;
  }
  return pattern;
}

}  // namespace tern::text
