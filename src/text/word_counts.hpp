// How often each word of a text occurs: all that BPE training wants to know of it. A hash table that owns the words'
// bytes, so that a text may go when it has been counted; memory grows with the number of different words, not with the
// text. Counts of several threads add up to the same table whoever counted what.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "text/pre_tokenizer.hpp"

namespace tern::text {

class WordCounts {
 public:
  struct Entry {
    std::string_view word;  // raw bytes; lives as long as the table
    std::uint64_t count = 0;
  };

  /// `n_times` more of `word` (at most 4 GiB long).
  void add(std::string_view word, std::uint64_t n_times = 1);
  void add(const WordCounts& other);

  /// In the order in which the words came first.
  [[nodiscard]] const std::vector<Entry>& entries() const { return entries_; }
  /// Of all words together.
  [[nodiscard]] std::uint64_t total() const;

 private:
  struct Slot {
    std::uint64_t hash = 0;
    std::uint32_t entry = 0;  // one more than the index; 0: free
  };
  void grow();
  [[nodiscard]] std::string_view kept(std::string_view word);

  std::vector<Slot> slots_;
  std::vector<Entry> entries_;
  std::vector<std::unique_ptr<char[]>> blocks_;
  char* block_at_ = nullptr;
  std::size_t block_left_ = 0;
};

/// The pre-tokeniser that training splits with, by its name in text/pre_names.hpp: LLaMA 3's pattern.
inline constexpr std::string_view kTrainingPre = "llama-bpe";

/// Splits texts into words and counts them; one a thread.
class WordCounter {
 public:
  [[nodiscard]] static Result<WordCounter> make();

  /// Requires: `text` is valid UTF-8. A word never reaches over the end of a text.
  [[nodiscard]] Result<void> add(std::string_view text);

  [[nodiscard]] const WordCounts& counts() const { return counts_; }

 private:
  explicit WordCounter(const PreTokenizer& pre_tokenizer) : splitter_(std::make_unique<WordSplitter>(pre_tokenizer)) {}
  std::unique_ptr<WordSplitter> splitter_;
  WordCounts counts_;
};

/// Where a long text may be cut so that its two halves have the words that the whole has: before a space between two
/// ASCII letters, the last such place at or before `at`; 0 if there is none. Holds for kTrainingPre: a run of letters
/// ends before the space, and the space begins the next word.
[[nodiscard]] std::size_t word_boundary_before(std::string_view text, std::size_t at);

}  // namespace tern::text
