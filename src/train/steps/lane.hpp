// Where the numbers of a microbatch lie while it is worked on, and one sequence of it in one thread's hands.
//
// A microbatch is a few sequences of equal length. Everything but weight gradients and the head is worked out sequence
// by sequence (a lane), so that what a step has just made is still in the cache when the next one reads it; values that
// the backward pass or the weight gradients need again are saved, the others live in scratch memory of the thread.
#pragma once

#include <cstdint>

namespace tern::train {

/// A buffer of a value or gradient: [n_tokens, width].
struct Place {
  enum class Kind : std::uint8_t { none, saved, scratch };
  Kind kind = Kind::none;
  std::int64_t offset = 0;  // floats a token, from the beginning of its kind's memory
  std::int64_t width = 0;
  bool operator==(const Place&) const = default;
};

/// Sums over the tokens of a sequence, for parameters that are vectors: [n_sequences, width].
struct PartialSum {
  std::int64_t offset = 0;  // floats a sequence
  std::int64_t width = 0;
};

struct Microbatch {
  std::int64_t n_sequences = 0;
  std::int64_t n_tokens = 0;             // of a sequence
  const std::int32_t* tokens = nullptr;  // [n_sequences, n_tokens + 1]: the last is only predicted
  float* saved = nullptr;
  float* partials = nullptr;

  [[nodiscard]] std::int64_t all_tokens() const { return n_sequences * n_tokens; }
  /// [all_tokens, width]: the sequences of a saved buffer lie one after the other.
  [[nodiscard]] float* at(const Place& place) const { return saved + place.offset * all_tokens(); }
  /// [n_sequences, width]
  [[nodiscard]] float* at(const PartialSum& sum) const { return partials + sum.offset * n_sequences; }
  [[nodiscard]] const std::int32_t* tokens_of(std::int64_t sequence) const {
    return tokens + sequence * (n_tokens + 1);
  }
};

struct Lane {
  const Microbatch* batch = nullptr;
  std::int64_t sequence = 0;
  float* scratch = nullptr;    // of the thread, for places
  float* temporary = nullptr;  // of the thread, for use within a step

  [[nodiscard]] std::int64_t n_tokens() const { return batch->n_tokens; }
  [[nodiscard]] const std::int32_t* tokens() const { return batch->tokens_of(sequence); }
  /// [n_tokens, place.width]
  [[nodiscard]] float* at(const Place& place) const {
    return place.kind == Place::Kind::saved ? batch->at(place) + sequence * n_tokens() * place.width
                                            : scratch + place.offset * n_tokens();
  }
  [[nodiscard]] float* at(const PartialSum& sum) const { return batch->at(sum) + sequence * sum.width; }
};

}  // namespace tern::train
