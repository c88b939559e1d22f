#include "text/bpe_trainer.hpp"

#include <algorithm>
#include <array>
#include <queue>
#include <unordered_map>

#include "base/words.hpp"
#include "text/byte_alphabet.hpp"
#include "text/hash_index.hpp"

namespace tern::text {

namespace {

using Id = std::uint32_t;

std::uint64_t key_of(Id left, Id right) {
  return (static_cast<std::uint64_t>(left) << 32) | right;
}

// A pair of ids -> how often it occurs. Grows; pairs stay.
class PairCounts {
 public:
  std::int64_t& operator[](std::uint64_t key) {
    if (n_used_ * 2 >= slots_.size()) grow();
    for (std::size_t at = mix_bits(key) & (slots_.size() - 1);; at = (at + 1) & (slots_.size() - 1)) {
      if (slots_[at].key == key) return slots_[at].count;
      if (slots_[at].key == kFree) {
        slots_[at].key = key;
        ++n_used_;
        return slots_[at].count;
      }
    }
  }

 private:
  static constexpr std::uint64_t kFree = ~std::uint64_t{0};
  struct Slot {
    std::uint64_t key = kFree;
    std::int64_t count = 0;
  };
  void grow() {
    std::vector<Slot> old(slots_.empty() ? 4096 : slots_.size() * 2);
    old.swap(slots_);
    for (const Slot& slot : old) {
      if (slot.key == kFree) continue;
      std::size_t at = mix_bits(slot.key) & (slots_.size() - 1);
      while (slots_[at].key != kFree) at = (at + 1) & (slots_.size() - 1);
      slots_[at] = slot;
    }
  }
  std::vector<Slot> slots_;
  std::size_t n_used_ = 0;
};

// A pair that may be merged in some words. Its count may be out of date; it is looked at again when it comes up.
struct Candidate {
  std::int64_t count = 0;
  std::uint64_t key = 0;
  std::uint32_t places = 0;  // index into the lists of words; a later one is younger
  // The queue's top is its largest element: the highest count, then the smaller ids, then the older candidate.
  bool operator<(const Candidate& other) const {
    if (count != other.count) return count < other.count;
    return key != other.key ? key > other.key : places > other.places;
  }
};

// What one merge changes about the pairs of one neighbour: its count, and the words in which the new pair occurs.
struct Change {
  std::int64_t lost = 0;    // of the old pair
  std::int64_t gained = 0;  // of the new pair
  std::vector<std::uint32_t> places;
};

// Changes by the neighbour's id, on one side of the merged pair.
class Side {
 public:
  void resize(std::size_t n) { changes_.resize(n); }
  void lose(Id neighbour, std::int64_t n) { at(neighbour).lost += n; }
  void gain(Id neighbour, std::int64_t n, std::uint32_t word) {
    Change& change = at(neighbour);
    change.gained += n;
    if (change.places.empty() || change.places.back() != word) change.places.push_back(word);
  }
  // f(neighbour, change) for each, in the order of the first change; all are forgotten then.
  template <typename F>
  void drain(const F& f) {
    for (const Id neighbour : touched_) {
      f(neighbour, changes_[neighbour]);
      changes_[neighbour] = {};
    }
    touched_.clear();
  }

 private:
  Change& at(Id neighbour) {
    Change& change = changes_[neighbour];
    if (change.lost == 0 && change.gained == 0) touched_.push_back(neighbour);
    return change;
  }
  std::vector<Change> changes_;
  std::vector<Id> touched_;
};

class Trainer {
 public:
  explicit Trainer(const BpeTraining& training) : training_(training) {}

  void set_alphabet() {
    for (const std::string& token : training_.special_tokens) (void)id_of(token);
    std::array<std::string, 256> letters;
    for (std::size_t byte = 0; byte < 256; ++byte) letters[byte] = to_byte_alphabet(std::string(1, char_of(byte)));
    std::array<std::string, 256> sorted = letters;
    std::ranges::sort(sorted);  // UTF-8 sorts by code point
    for (const std::string& letter : sorted) (void)id_of(letter);
    for (std::size_t byte = 0; byte < 256; ++byte) byte_ids_[byte] = id_of(letters[byte]);
  }

  void set_words(const WordCounts& words) {
    std::unordered_map<std::uint64_t, std::uint32_t> places_of;
    for (const WordCounts::Entry& entry : words.entries()) {
      const auto index = static_cast<std::uint32_t>(words_.size());
      words_.push_back({symbols_.size(), entry.word.size(), static_cast<std::int64_t>(entry.count)});
      for (const char c : entry.word) symbols_.push_back(byte_ids_[static_cast<unsigned char>(c)]);
      const Id* at = symbols_.data() + words_.back().first;
      for (std::size_t i = 0; i + 1 < entry.word.size(); ++i) {
        const std::uint64_t key = key_of(at[i], at[i + 1]);
        counts_[key] += words_.back().count;
        const auto [found, is_new] = places_of.try_emplace(key, static_cast<std::uint32_t>(places_.size()));
        if (is_new) places_.emplace_back();
        std::vector<std::uint32_t>& list = places_[found->second];
        if (list.empty() || list.back() != index) list.push_back(index);
      }
    }
    for (const auto& [key, list] : places_of) queue_.push({counts_[key], key, list});
  }

  Result<void> merge_all(Progress& progress) {
    progress.begin("merges", training_.vocab_size);
    while (tokens_.size() < training_.vocab_size && !queue_.empty()) {
      Candidate top = queue_.top();
      queue_.pop();
      if (const std::int64_t now = counts_[top.key]; now != top.count) {
        top.count = now;
        queue_.push(top);
        continue;
      }
      if (top.count < 1 || static_cast<std::uint64_t>(top.count) < training_.min_frequency) break;
      if (progress.cancelled()) return fail(ErrorCode::cancelled, "stopped; no tokenizer was written");
      merge(top);
      progress.update(tokens_.size());
    }
    progress.end();
    return {};
  }

  Vocabulary finish() {
    Vocabulary vocabulary;
    vocabulary.kind = TokenizerKind::bpe;
    vocabulary.types.assign(tokens_.size(), TokenType::normal);
    const std::size_t n_special = training_.special_tokens.size();
    std::fill_n(vocabulary.types.begin(), n_special, TokenType::control);
    if (n_special > 0) vocabulary.eos = n_special > 1 ? 1 : 0;
    if (n_special > 1) vocabulary.bos = 0;
    vocabulary.add_bos = vocabulary.bos.has_value();
    vocabulary.pre = kTrainingPre;
    vocabulary.ignore_merges = false;
    vocabulary.source = "trained (byte-level BPE)";
    // A pair that came up again counts where it came last.
    std::unordered_map<std::uint64_t, std::size_t> last;
    for (std::size_t i = 0; i < merges_.size(); ++i) last[merges_[i]] = i;
    for (std::size_t i = 0; i < merges_.size(); ++i) {
      if (last[merges_[i]] != i) continue;
      vocabulary.merges.push_back(fmt::format("{} {}", tokens_[merges_[i] >> 32], tokens_[merges_[i] & 0xFFFFFFFFU]));
    }
    vocabulary.tokens = std::move(tokens_);
    return vocabulary;
  }

 private:
  struct Word {
    std::size_t first = 0;  // symbol
    std::size_t length = 0;
    std::int64_t count = 0;
  };

  static char char_of(std::size_t byte) { return static_cast<char>(static_cast<unsigned char>(byte)); }

  // The id of this spelling; a new one where it is no token yet.
  Id id_of(const std::string& spelling) {
    const auto [found, is_new] = ids_.try_emplace(spelling, static_cast<Id>(tokens_.size()));
    if (is_new) tokens_.push_back(spelling);
    return found->second;
  }

  void merge(const Candidate& top) {
    const Id left = static_cast<Id>(top.key >> 32);
    const Id right = static_cast<Id>(top.key & 0xFFFFFFFFU);
    const Id made = id_of(tokens_[left] + tokens_[right]);
    merges_.push_back(top.key);
    before_.resize(tokens_.size());
    after_.resize(tokens_.size());
    for (const std::uint32_t word : places_[top.places]) merge_in(word, left, right, made);
    std::vector<std::uint32_t>().swap(places_[top.places]);

    // Counts first, all of them: a pair is a candidate by what is left of it in the end.
    struct Gain {
      std::uint64_t key;
      std::vector<std::uint32_t> places;
    };
    std::vector<Gain> gains;
    const auto settle = [&](std::uint64_t old_key, std::uint64_t new_key, Change& change) {
      counts_[old_key] -= change.lost;
      if (change.gained == 0) return;
      counts_[new_key] += change.gained;
      gains.push_back({new_key, std::move(change.places)});
    };
    before_.drain([&](Id id, Change& change) { settle(key_of(id, left), key_of(id, made), change); });
    after_.drain([&](Id id, Change& change) { settle(key_of(right, id), key_of(made, id), change); });
    for (Gain& gain : gains) {
      const std::int64_t count = counts_[gain.key];
      if (count < 1) continue;
      queue_.push({count, gain.key, static_cast<std::uint32_t>(places_.size())});
      places_.push_back(std::move(gain.places));
    }
  }

  // Merges the pair from left to right in one word, and notes what that changes about its neighbours.
  void merge_in(std::uint32_t index, Id left, Id right, Id made) {
    Word& word = words_[index];
    Id* symbols = symbols_.data() + word.first;
    std::size_t n = 0;
    for (std::size_t i = 0; i < word.length; ++n) {
      if (symbols[i] != left || i + 1 == word.length || symbols[i + 1] != right) {
        symbols[n] = symbols[i++];
        continue;
      }
      if (n > 0) {
        before_.lose(symbols[n - 1], word.count);
        before_.gain(symbols[n - 1], word.count, index);
      }
      i += 2;
      if (i < word.length) {
        after_.lose(symbols[i], word.count);
        // (made, made) is one pair, whichever side sees it.
        (symbols[i] == made ? before_ : after_).gain(symbols[i], word.count, index);
      }
      symbols[n] = made;
    }
    word.length = n;
  }

  const BpeTraining& training_;
  std::vector<std::string> tokens_;  // by id, in the byte alphabet
  std::unordered_map<std::string, Id> ids_;
  std::array<Id, 256> byte_ids_{};
  std::vector<Id> symbols_;
  std::vector<Word> words_;
  PairCounts counts_;
  std::vector<std::vector<std::uint32_t>> places_;  // words in which a candidate may occur
  std::priority_queue<Candidate> queue_;
  std::vector<std::uint64_t> merges_;
  Side before_, after_;
};

}  // namespace

Result<void> check_training(const BpeTraining& training) {
  for (std::size_t i = 0; i < training.special_tokens.size(); ++i) {
    const std::string& token = training.special_tokens[i];
    if (token.empty()) return fail(ErrorCode::usage, "a special token is empty, expected a name such as <|end|>");
    if (std::count(training.special_tokens.begin(), training.special_tokens.end(), token) > 1) {
      return fail(ErrorCode::usage, "the special token \"{}\" is named twice, expected once", printable(token));
    }
  }
  const std::size_t least = 256 + training.special_tokens.size();
  if (training.vocab_size < least || training.vocab_size > 0x7FFFFFFF) {
    return fail(ErrorCode::usage,
                "the vocabulary size is {}, expected {} or more: the 256 bytes and {} special tokens are always there",
                training.vocab_size, least, training.special_tokens.size());
  }
  return {};
}

Result<Vocabulary> train_bpe(const WordCounts& words, const BpeTraining& training, Progress& progress) {
  TERN_TRY_DO(check_training(training));
  Trainer trainer(training);
  trainer.set_alphabet();
  trainer.set_words(words);
  TERN_TRY_DO(trainer.merge_all(progress));
  return trainer.finish();
}

}  // namespace tern::text
