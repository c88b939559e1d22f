// Splits text into the words that byte-level BPE merges within: the rules of text/pre_rules.hpp, made ready to run, and
// a lazy walk over the words. Named rules (text/pre_names.hpp) are linear on every text; rules from a file either run
// as they are written or end in one error, never in a hang. It is no tokenizer: it knows no tokens.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "text/pre_rules.hpp"
#include "text/split_pattern.hpp"

namespace tern::text {

class PreTokenizer {
 public:
  /// By GGUF's name (tokenizer.ggml.pre), aliases with the same rules included. Errors: an unknown name, with the list.
  [[nodiscard]] static Result<PreTokenizer> make(std::string_view name);

  /// Rules from a file. Errors: too many of them, or a pattern that is not understood.
  [[nodiscard]] static Result<PreTokenizer> make(const PreRules& rules);

  /// The main names: what messages and help list.
  [[nodiscard]] static std::span<const std::string_view> names();

  /// Whether the name stands for this rule: a word that is a token as a whole is taken without merging.
  [[nodiscard]] static bool takes_whole_words(std::string_view name);

 private:
  friend class WordSplitter;
  friend class RuleWalk;
  struct Stage {
    PreRule rule;  // its pattern is not kept
    SplitPattern pattern;
  };
  PreTokenizer() = default;
  [[nodiscard]] static Result<PreTokenizer> make(const PreRules& rules, SplitPattern::Trust trust);
  std::shared_ptr<const std::vector<Stage>> stages_;
};

class RuleWalk;

/// Walks over the words of texts, one text after the other. Words come in order; each byte of the text is in exactly
/// one of them, unless a rule removes text or puts spaces in. One a thread.
class WordSplitter {
 public:
  explicit WordSplitter(const PreTokenizer& pre_tokenizer);
  ~WordSplitter();
  WordSplitter(const WordSplitter&) = delete;
  WordSplitter& operator=(const WordSplitter&) = delete;

  /// Starts on `text`. Requires: valid UTF-8 that outlives the splitter. Work that rules from a file have spent on
  /// earlier texts still counts.
  void start(std::string_view text);

  /// The next word; empty at the end. It lives as long as its text and the splitter. Errors: a rule from a file works
  /// too long on this text.
  [[nodiscard]] Result<std::string_view> next();

 private:
  std::shared_ptr<const std::vector<PreTokenizer::Stage>> stages_;
  std::vector<std::unique_ptr<RuleWalk>> walks_;  // one a rule
  std::size_t depth_ = 0;                         // the rule whose pieces are being asked for
  std::string_view rest_;                         // without rules: the text itself
};

}  // namespace tern::text
