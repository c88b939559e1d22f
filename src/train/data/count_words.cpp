#include "train/data/count_words.hpp"

#include <algorithm>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "train/data/documents.hpp"
#include "train/data/turns.hpp"

namespace tern::train {
namespace {

constexpr std::size_t kPieceBytes = std::size_t{1} << 18;  // of text a thread takes at once
constexpr std::size_t kBatchPieces = 64;

// Pieces of text whose words are the words of the documents they come from.
class Pieces {
 public:
  void add(std::string_view document) {
    while (document.size() > 2 * kPieceBytes) {
      std::size_t cut = 0;
      std::size_t end = kPieceBytes;
      for (; cut == 0 && end < document.size(); end += kPieceBytes) {  // a text without spaces is looked at once
        const std::size_t from = end - kPieceBytes;
        const std::string_view window = document.substr(from, kPieceBytes + 1);
        const std::size_t found = text::word_boundary_before(window, kPieceBytes);
        cut = found == 0 ? 0 : from + found;
      }
      if (cut == 0) break;
      put(document.substr(0, cut));
      document.remove_prefix(cut);
    }
    if (!document.empty()) put(document);
  }
  [[nodiscard]] bool is_full() const { return n_bytes_ >= kBatchPieces * kPieceBytes; }
  [[nodiscard]] const std::vector<std::string_view>& all() const { return pieces_; }
  void clear() {
    pieces_.clear();
    n_bytes_ = 0;
  }

 private:
  void put(std::string_view piece) {
    pieces_.push_back(piece);
    n_bytes_ += piece.size();
  }
  std::vector<std::string_view> pieces_;
  std::size_t n_bytes_ = 0;
};

// Counters, as many as threads have asked for one at once.
class Counters {
 public:
  /// From any thread; what goes wrong is kept for state().
  void count(std::span<const std::string_view> pieces) {
    auto done = count_with_free(pieces);
    const std::lock_guard lock(mutex_);
    if (state_) state_ = std::move(done);
  }
  [[nodiscard]] const Result<void>& state() const { return state_; }
  text::WordCounts sum() {
    text::WordCounts words;
    for (const auto& counter : free_) words.add(counter->counts());
    return words;
  }

 private:
  Result<void> count_with_free(std::span<const std::string_view> pieces) {
    TERN_TRY(std::unique_ptr<text::WordCounter> counter, take());
    Result<void> done;
    for (const std::string_view piece : pieces) {
      if (done) done = counter->add(piece);
    }
    const std::lock_guard lock(mutex_);
    free_.push_back(std::move(counter));
    return done;
  }
  Result<std::unique_ptr<text::WordCounter>> take() {
    {
      const std::lock_guard lock(mutex_);
      if (!free_.empty()) {
        auto counter = std::move(free_.back());
        free_.pop_back();
        return counter;
      }
    }
    TERN_TRY(text::WordCounter made, text::WordCounter::make());
    return std::make_unique<text::WordCounter>(std::move(made));
  }
  std::mutex mutex_;
  std::vector<std::unique_ptr<text::WordCounter>> free_;
  Result<void> state_;
};

// Counts and forgets the pieces.
Result<void> count(Pieces& pieces, Counters& counters, sys::ThreadPool& threads) {
  in_turns(
      std::span(pieces.all()), kPieceBytes, threads, [](std::string_view piece) { return piece.size(); },
      [&](std::span<const std::string_view> turn) { counters.count(turn); });
  pieces.clear();
  return counters.state();
}

}  // namespace

Result<CountedText> count_words(std::span<const std::string> paths, std::string_view separator,
                                sys::ThreadPool& threads, Progress& progress) {
  std::vector<DocumentReader> readers;  // all of them first: a wrong name is said before the work, not after it
  CountedText out;
  for (const std::string& path : paths) {
    TERN_TRY(DocumentReader reader, DocumentReader::open(path, std::string(separator)));
    out.n_bytes += reader.size();
    readers.push_back(std::move(reader));
  }
  progress.begin("counting words", out.n_bytes);
  Counters counters;
  std::uint64_t n_before = 0;
  for (DocumentReader& reader : readers) {
    Pieces pieces;
    for (;;) {
      TERN_TRY(const auto document, reader.next());
      if (document) {
        out.n_documents += document->empty() ? 0 : 1;
        pieces.add(*document);
        if (!pieces.is_full()) continue;
      }
      if (progress.cancelled()) return fail(ErrorCode::cancelled, "stopped; no tokenizer was written");
      TERN_TRY_DO(count(pieces, counters, threads));
      reader.release();
      progress.update(n_before + reader.position());
      if (!document) break;
    }
    n_before += reader.size();
  }
  progress.end();
  out.words = counters.sum();
  return out;
}

}  // namespace tern::train
