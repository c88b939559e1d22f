// Byte-level BPE training: which merges, in which order, give a vocabulary of a wanted size. It reads no text: it has
// the counts of words (text/word_counts.hpp). Again and again the pair of neighbours that occurs most often becomes a
// token, the pair with the smaller ids among equals. Vocabulary and merges are those of the tokenizers library's
// BpeTrainer on the same words, with all its habits: special tokens first, then the alphabet by code point; a merge
// whose spelling is a token already makes no new one; a merge that is found twice counts where it stands last. (That
// library counts pairs in 32 bits, so beyond two thousand million of one pair only this one goes on counting.)
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/progress.hpp"
#include "text/vocabulary.hpp"
#include "text/word_counts.hpp"

namespace tern::text {

struct BpeTraining {
  std::size_t vocab_size = 0;                    // special tokens and the 256 bytes included
  std::vector<std::string> special_tokens = {};  // get the ids from 0 on
  std::uint64_t min_frequency = 0;               // a pair that occurs less often is not merged
};

/// Errors: usage for a size that does not hold the special tokens and the bytes, or special tokens that are empty or
/// equal: what train_bpe refuses, for who wants to know before the words are counted.
[[nodiscard]] Result<void> check_training(const BpeTraining& training);

/// A vocabulary of kind bpe for kTrainingPre, of `vocab_size` tokens or fewer where the words have no more pairs. The
/// first special token becomes BOS and the second EOS; a single one EOS. Errors: those of check_training; cancelled.
[[nodiscard]] Result<Vocabulary> train_bpe(const WordCounts& words, const BpeTraining& training, Progress& progress);

}  // namespace tern::text
