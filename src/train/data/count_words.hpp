// The words of text files, counted by several threads: what text/bpe_trainer.hpp learns from. Long documents are cut
// where that changes no word, so one file without separators keeps all threads busy too. The counts are sums, so they
// are the same for every number of threads.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "base/progress.hpp"
#include "sys/thread_pool.hpp"
#include "text/word_counts.hpp"

namespace tern::train {

struct CountedText {
  text::WordCounts words;
  std::uint64_t n_documents = 0;  // without empty ones
  std::uint64_t n_bytes = 0;      // of the files
};

/// Documents are taken as they stand, white space around them included. Errors: those of train/documents.hpp;
/// cancelled.
[[nodiscard]] Result<CountedText> count_words(std::span<const std::string> paths, std::string_view separator,
                                              sys::ThreadPool& threads, Progress& progress);

}  // namespace tern::train
