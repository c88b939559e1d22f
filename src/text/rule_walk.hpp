// One rule of a pre-tokeniser at work on one piece of text: the matches of its pattern, what stands between them, and
// what its behaviour makes of the two. It looks one part ahead at most, so the pieces come while the text is read.
// Source: behaviour of the tokenizers library, its treatment of empty matches included.
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <string_view>

#include "text/pre_tokenizer.hpp"

namespace tern::text {

class RuleWalk {
 public:
  explicit RuleWalk(const PreTokenizer::Stage& stage) : stage_(stage), search_(stage.pattern) {}

  void start(std::string_view piece);

  /// The next piece; empty at the end.
  [[nodiscard]] Result<std::string_view> next();

 private:
  struct Part {
    std::size_t begin = 0, end = 0;  // bytes of the piece
    bool is_match = false;
  };

  [[nodiscard]] std::string_view with_space(std::string_view piece);
  [[nodiscard]] Result<std::optional<PatternMatch>> next_match();
  [[nodiscard]] Result<std::optional<Part>> next_part();
  [[nodiscard]] Result<bool> joins_next(const Part& part);
  [[nodiscard]] std::size_t raw_offset(std::size_t subject_offset);

  const PreTokenizer::Stage& stage_;
  PatternSearch search_;
  std::string_view piece_;
  std::string_view whole_;    // the piece, if no match can lie in it
  std::string_view subject_;  // what the pattern sees: the piece, or its spelling
  std::string spelling_;      // of the piece in the byte alphabet

  bool searching_ = false;
  std::size_t from_ = 0;                   // of the next search, in the subject
  std::optional<std::size_t> last_match_;  // end of the match before, in the subject
  std::size_t seen_ = 0;                   // of the subject: how far raw_offset has counted
  std::size_t seen_raw_ = 0;
  std::size_t covered_ = 0;    // bytes of the piece that are in parts already
  std::optional<Part> match_;  // found, but the text before it comes first
  std::optional<Part> ahead_;  // looked at, not yet taken

  std::deque<std::string> blocks_;  // pieces with a space put before them
};

}  // namespace tern::text
