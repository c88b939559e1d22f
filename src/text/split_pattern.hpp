// One compiled pattern of a pre-tokeniser, and the search for its matches. PCRE2 with Unicode properties and its
// just-in-time compiler stay behind this header. Patterns of our own table are known to be linear and run bare; a
// pattern from a file runs with a callout at every item, which counts its work, so that a runaway one ends in an error
// after about half a second instead of hanging (the compiler's own match limit does not see every kind of loop).
#pragma once

#include <bitset>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "base/error.hpp"

namespace tern::text {

class SplitPattern {
 public:
  enum class Trust { ours, from_file };

  /// `pattern`: in the dialect of text/regex_dialect.hpp. on_bytes: the text it sees is spelled in the printable byte
  /// alphabet. Errors: the pattern is not understood, with the byte offset in it.
  [[nodiscard]] static Result<SplitPattern> make(std::string_view pattern, bool on_bytes, Trust trust);

  /// False only if no match of the pattern lies in `piece` (raw bytes, even for a pattern that sees the alphabet).
  [[nodiscard]] bool may_match(std::string_view piece) const {
    if (!is_filtered_) return true;
    for (const char c : piece) {
      if (can_start_[static_cast<unsigned char>(c)]) return true;
    }
    return false;
  }

 private:
  friend class PatternSearch;
  struct Code;
  std::shared_ptr<const Code> code_;
  std::bitset<256> can_start_;  // bytes with which a match can start
  bool is_filtered_ = false;
};

struct PatternMatch {
  std::size_t begin = 0, end = 0;
};

/// Finds matches; one a thread and a text.
class PatternSearch {
 public:
  explicit PatternSearch(const SplitPattern& pattern);
  ~PatternSearch();
  PatternSearch(const PatternSearch&) = delete;
  PatternSearch& operator=(const PatternSearch&) = delete;
  PatternSearch(PatternSearch&&) noexcept;

  /// The first match that starts at `from` or later. Requires: `subject` is valid UTF-8. Errors: the pattern works too
  /// long or needs too much memory.
  [[nodiscard]] Result<std::optional<PatternMatch>> find(std::string_view subject, std::size_t from);

 private:
  struct Scratch;
  std::shared_ptr<const SplitPattern::Code> code_;
  std::unique_ptr<Scratch> scratch_;
};

}  // namespace tern::text
