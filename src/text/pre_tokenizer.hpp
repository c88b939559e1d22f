// Splits text into the words that byte-level BPE merges within: three published patterns, known by GGUF's names. Not a
// general splitter: an unknown pattern is refused, since a nearly right one gives nearly right ids. The patterns run in
// PCRE2 with Unicode properties and its just-in-time compiler; all are linear on every text.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace tern::text {

class PreTokenizer {
 public:
  /// By GGUF's name (tokenizer.ggml.pre), aliases with the same pattern included.
  [[nodiscard]] static Result<PreTokenizer> make(std::string_view name);

  /// GGUF's name of a pattern as tokenizer.json spells it; empty if it is none of ours.
  [[nodiscard]] static std::string_view name_of_pattern(std::string_view pattern);

  /// The main names: what messages and help list.
  [[nodiscard]] static std::span<const std::string_view> names();

  /// llama-bpe's rule: a word that is a token as a whole is taken without merging.
  [[nodiscard]] static bool takes_whole_words(std::string_view name);

 private:
  friend class WordSplitter;
  struct Code;
  explicit PreTokenizer(std::shared_ptr<const Code> code) : code_(std::move(code)) {}
  std::shared_ptr<const Code> code_;
};

/// Walks over the words of one text; every byte is in exactly one word. One a thread.
class WordSplitter {
 public:
  explicit WordSplitter(const PreTokenizer& pre_tokenizer);
  ~WordSplitter();
  WordSplitter(const WordSplitter&) = delete;
  WordSplitter& operator=(const WordSplitter&) = delete;

  /// Starts on `text`. Requires: valid UTF-8 that outlives the walk.
  void start(std::string_view text);

  /// The next word; empty at the end. Errors: the pattern engine gave up (its memory or match limits).
  [[nodiscard]] Result<std::string_view> next();

 private:
  struct Scratch;
  std::shared_ptr<const PreTokenizer::Code> code_;
  std::unique_ptr<Scratch> scratch_;
  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace tern::text
