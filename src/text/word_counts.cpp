#include "text/word_counts.hpp"

#include <algorithm>
#include <cstring>

#include "text/hash_index.hpp"

namespace tern::text {

namespace {

constexpr std::size_t kBlockBytes = std::size_t{1} << 16;

bool is_ascii_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

}  // namespace

std::string_view WordCounts::kept(std::string_view word) {
  if (word.size() > block_left_) {  // what is left of the block before is given up
    block_left_ = std::max(kBlockBytes, word.size());
    blocks_.push_back(std::make_unique_for_overwrite<char[]>(block_left_));
    block_at_ = blocks_.back().get();
  }
  std::memcpy(block_at_, word.data(), word.size());
  const std::string_view out(block_at_, word.size());
  block_at_ += word.size();
  block_left_ -= word.size();
  return out;
}

void WordCounts::grow() {
  std::vector<Slot> old(slots_.empty() ? 1024 : slots_.size() * 2);
  old.swap(slots_);
  for (const Slot& slot : old) {
    if (slot.entry == 0) continue;
    std::size_t at = slot.hash & (slots_.size() - 1);
    while (slots_[at].entry != 0) at = (at + 1) & (slots_.size() - 1);
    slots_[at] = slot;
  }
}

void WordCounts::add(std::string_view word, std::uint64_t n_times) {
  if (entries_.size() * 2 >= slots_.size()) grow();
  const std::uint64_t hash = hash_bytes(word);
  for (std::size_t at = hash & (slots_.size() - 1);; at = (at + 1) & (slots_.size() - 1)) {
    Slot& slot = slots_[at];
    if (slot.entry == 0) {
      entries_.push_back({kept(word), n_times});
      slot = {hash, static_cast<std::uint32_t>(entries_.size())};
      return;
    }
    if (slot.hash == hash && entries_[slot.entry - 1].word == word) {
      entries_[slot.entry - 1].count += n_times;
      return;
    }
  }
}

void WordCounts::add(const WordCounts& other) {
  for (const Entry& entry : other.entries_) add(entry.word, entry.count);
}

std::uint64_t WordCounts::total() const {
  std::uint64_t n = 0;
  for (const Entry& entry : entries_) n += entry.count;
  return n;
}

Result<WordCounter> WordCounter::make() {
  TERN_TRY(const PreTokenizer pre_tokenizer, PreTokenizer::make(kTrainingPre));
  return WordCounter(pre_tokenizer);
}

Result<void> WordCounter::add(std::string_view text) {
  splitter_->start(text);
  for (;;) {
    TERN_TRY(const std::string_view word, splitter_->next());
    if (word.empty()) return {};
    counts_.add(word);
  }
}

std::size_t word_boundary_before(std::string_view text, std::size_t at) {
  for (std::size_t i = std::min(at, text.size()); i > 0; --i) {
    if (i + 1 < text.size() && text[i] == ' ' && is_ascii_letter(text[i - 1]) && is_ascii_letter(text[i + 1])) return i;
  }
  return 0;
}

}  // namespace tern::text
