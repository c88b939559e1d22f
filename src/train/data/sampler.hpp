// Which window of tokens is row r of step s: a pure function of (seed, step, row), so a run that goes on needs to know
// nothing but the number of its step. It holds no state and no order; nothing grows with the data.
//
//   windows   a source is drawn by its weight, then a start anywhere in its train part, uniformly; windows overlap and
//             repeat as chance has it.
//   shuffle   each source's train part is cut into windows that touch (the last token of one is the first of the next,
//             so every token but the first is predicted once), and an epoch takes them in a seeded order. An epoch is
//             as long as all windows together. A source with a weight of its own gives its share of an epoch: one that
//             gets less goes on in the next epoch where it stopped, one that gets more begins again, each time in a
//             new order: after every epoch, no window of a source has come more than once more often than another.
//
// Without weights, each source counts by its windows (shuffle) or tokens (windows), so that every token counts alike.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "train/data/dataset.hpp"

namespace tern::train {

enum class SampleMode { windows, shuffle };

struct SamplerOptions {
  SampleMode mode = SampleMode::windows;
  std::uint64_t n_ctx = 0;   // a window is n_ctx + 1 tokens: inputs and what follows each
  std::uint64_t n_rows = 1;  // windows of a step
  std::uint64_t seed = 0;
  std::vector<std::pair<std::string, double>> mixture = {};  // source and weight; others get none. Empty: by tokens
};

struct Window {
  std::size_t source = 0;   // index into Dataset::sources()
  std::uint64_t first = 0;  // token of its train part
  bool operator==(const Window&) const = default;
};

class Sampler {
 public:
  /// `data` outlives the sampler. Errors: usage for a source that is not there (the nearest name is offered), is named
  /// twice, has a weight that is no number above 0, or is shorter than one window; and for data without a window.
  [[nodiscard]] static Result<Sampler> make(const Dataset& data, SamplerOptions options);

  /// Requires: row < n_rows.
  [[nodiscard]] Window window(std::uint64_t step, std::uint64_t row) const;
  /// The n_ctx + 1 tokens of that window. Errors: those of Part::copy.
  [[nodiscard]] Result<void> copy(std::uint64_t step, std::uint64_t row, std::int32_t* out) const;

  /// Windows of an epoch (shuffle); the number of windows that do not overlap otherwise.
  [[nodiscard]] std::uint64_t epoch_windows() const { return epoch_; }
  /// The share of each source of the data set, 0 for one that is not used; together 1.
  [[nodiscard]] const std::vector<double>& shares() const { return shares_; }

 private:
  struct Stream {
    std::size_t source = 0;
    std::uint64_t n_windows = 0;  // that touch
    std::uint64_t begin = 0;      // shuffle: its slots of an epoch are [begin, begin + n_slots)
    std::uint64_t n_slots = 0;
    double end = 0.0;  // windows: the shares up to and with this one
  };
  Sampler(const Dataset& data, SamplerOptions options) : data_(&data), options_(std::move(options)) {}
  [[nodiscard]] Window any_window(std::uint64_t step, std::uint64_t row) const;
  [[nodiscard]] Window window_of_epoch(std::uint64_t index) const;

  const Dataset* data_;
  SamplerOptions options_;
  std::vector<Stream> streams_;
  std::vector<double> shares_;
  std::uint64_t epoch_ = 0;
};

}  // namespace tern::train
