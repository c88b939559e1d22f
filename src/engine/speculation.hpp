// Speculative decoding of one sequence: a token and what is guessed to follow it go through the model in one step,
// which costs little more than one token; the guesses are kept as far as they turn out right. Since the logits of a
// token do not depend on the rest of its batch, they are bit for bit those of decoding one token after the other, and
// so is whatever a sampler chooses by them.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/session.hpp"

namespace tern::engine {

class Speculation {
 public:
  /// Over sequence 0 of a session whose last batch had one token that wanted logits, the last of the text so far. At
  /// most `n_most` tokens are guessed at once; 0: none.
  Speculation(Session& session, std::int64_t n_most) : session_(session), n_most_(n_most), n_next_(n_most) {}

  /// Logits [n_vocab] after the last token.
  [[nodiscard]] std::span<const float> logits() const { return session_.logits(n_right_); }

  /// Goes on by one token, the last of `ids`, which is the whole sequence; afterwards logits() are those behind it.
  /// `n_left`: how many more tokens are to be chosen at most. Errors: as Session::decode.
  [[nodiscard]] Result<void> advance(std::span<const std::int32_t> ids, std::int64_t n_left);

  /// The session forgets what was only guessed: it holds what plain decoding would have left in it.
  void finish();

  [[nodiscard]] std::int64_t n_drafted() const { return n_drafted_; }
  [[nodiscard]] std::int64_t n_accepted() const { return n_accepted_; }

 private:
  void draft(std::span<const std::int32_t> ids, std::int64_t n_left);
  /// How far to guess from now on: long where guesses held, and for a while not at all where they did not.
  void learn();

  Session& session_;
  std::int64_t n_most_;
  std::int64_t n_next_;               // to guess in the next step
  std::int64_t n_pauses_ = 0;         // steps to come without guesses
  int n_misses_ = 0;                  // guessing steps in a row of which nothing was right
  std::vector<std::int32_t> drafts_;  // of the last step
  std::size_t n_right_ = 0;           // of them, so far
  std::vector<BatchItem> batch_;
  std::int64_t n_drafted_ = 0;
  std::int64_t n_accepted_ = 0;
};

}  // namespace tern::engine
