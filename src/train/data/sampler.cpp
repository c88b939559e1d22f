#include "train/data/sampler.hpp"

#include <algorithm>
#include <cmath>

#include "base/random.hpp"
#include "base/words.hpp"
#include "train/data/content_hash.hpp"
#include "train/data/permutation.hpp"

namespace tern::train {
namespace {

std::uint64_t seed_of(std::uint64_t seed, std::uint64_t a, std::uint64_t b) {
  return spread_bits(spread_bits(spread_bits(seed) ^ a) ^ b);
}

// Weights by source, 0 for those the mixture does not name; empty for no mixture.
Result<std::vector<double>> weights_of(const Dataset& data, const SamplerOptions& options) {
  std::vector<double> weights;
  if (options.mixture.empty()) return weights;
  weights.assign(data.sources().size(), 0.0);
  std::vector<std::string_view> names;
  for (const Source& source : data.sources()) names.push_back(source.name);
  for (const auto& [name, weight] : options.mixture) {
    const auto found = std::ranges::find(names, name);
    if (found == names.end()) {
      return fail(ErrorCode::usage, "the mixture names the source \"{}\"{}; {} has {}", printable(name),
                  did_you_mean(name, names), data.folder(), fmt::join(names, ", "));
    }
    double& mine = weights[static_cast<std::size_t>(found - names.begin())];
    if (mine != 0.0) return fail(ErrorCode::usage, "the mixture names the source \"{}\" twice", printable(name));
    if (!std::isfinite(weight) || weight <= 0.0) {
      return fail(ErrorCode::usage, "the mixture gives \"{}\" the weight {}, expected a number above 0",
                  printable(name), weight);
    }
    mine = weight;
  }
  return weights;
}

}  // namespace

Result<Sampler> Sampler::make(const Dataset& data, SamplerOptions options) {
  if (options.n_ctx < 1 || options.n_rows < 1) {
    return fail(ErrorCode::usage, "windows of {} tokens in {} rows, expected 1 or more of both", options.n_ctx,
                options.n_rows);
  }
  TERN_TRY(const std::vector<double> weights, weights_of(data, options));
  const std::uint64_t n_ctx = options.n_ctx;
  Sampler sampler(data, std::move(options));
  double total = 0.0;
  std::uint64_t longest = 0;
  std::vector<double> shares(data.sources().size(), 0.0);
  for (std::size_t i = 0; i < shares.size(); ++i) {
    if (!weights.empty() && weights[i] == 0.0) continue;
    const std::uint64_t n_tokens = data.sources()[i].train.n_tokens();
    longest = std::max(longest, n_tokens);
    if (n_tokens < n_ctx + 1 || n_ctx + 1 == 0) {
      if (weights.empty()) continue;
      return fail(ErrorCode::usage, "the source \"{}\" has {} tokens to train on, expected at least one window of {}",
                  data.sources()[i].name, n_tokens, n_ctx + 1);
    }
    const std::uint64_t n_windows = (n_tokens - 1) / n_ctx;
    const double by_size =
        sampler.options_.mode == SampleMode::windows ? static_cast<double>(n_tokens) : static_cast<double>(n_windows);
    shares[i] = weights.empty() ? by_size : weights[i];
    total += shares[i];
    sampler.epoch_ += n_windows;
    sampler.streams_.push_back({.source = i, .n_windows = n_windows});
  }
  if (sampler.streams_.empty()) {
    return fail(ErrorCode::usage,
                "{}: no source has {} tokens to train on, which one window needs; the longest has {}: pack more text, "
                "or train with a shorter context",
                data.folder(), n_ctx + 1, longest);
  }
  std::uint64_t begin = 0;
  double end = 0.0;
  for (Stream& stream : sampler.streams_) {
    double& share = shares[stream.source];
    share /= total;
    stream.end = end += share;
    stream.begin = begin;
    stream.n_slots =
        weights.empty() ? stream.n_windows
                        : std::max<std::uint64_t>(
                              1, static_cast<std::uint64_t>(std::llround(share * static_cast<double>(sampler.epoch_))));
    begin += stream.n_slots;
  }
  sampler.epoch_ = begin;
  sampler.shares_ = std::move(shares);
  return sampler;
}

Window Sampler::window(std::uint64_t step, std::uint64_t row) const {
  TERN_CHECK(row < options_.n_rows);
  if (options_.mode == SampleMode::windows) return any_window(step, row);
  return window_of_epoch(step * options_.n_rows + row);
}

Window Sampler::any_window(std::uint64_t step, std::uint64_t row) const {
  Random random(seed_of(options_.seed, step, row));
  const double place = random.uniform();
  // The last stream takes what rounding leaves above the sum of the shares.
  const auto last = streams_.end() - 1;
  const auto stream = std::find_if(streams_.begin(), last, [&](const Stream& one) { return place < one.end; });
  const std::uint64_t n_starts = data_->sources()[stream->source].train.n_tokens() - options_.n_ctx;
  return {stream->source, random.below(n_starts)};
}

Window Sampler::window_of_epoch(std::uint64_t index) const {
  const std::uint64_t epoch = index / epoch_;
  const std::uint64_t slot = Permutation(epoch_, seed_of(options_.seed, 1, epoch))(index % epoch_);
  const auto stream = std::ranges::upper_bound(streams_, slot, {}, &Stream::begin) - 1;
  // The source's own row of windows goes on from epoch to epoch; each pass through it has its own order.
  const std::uint64_t place = epoch * stream->n_slots + (slot - stream->begin);
  const std::uint64_t pass = place / stream->n_windows;
  const std::uint64_t seed = seed_of(seed_of(options_.seed, 2, stream->source), 3, pass);
  const std::uint64_t window = Permutation(stream->n_windows, seed)(place % stream->n_windows);
  return {stream->source, window * options_.n_ctx};
}

Result<void> Sampler::copy(std::uint64_t step, std::uint64_t row, std::int32_t* out) const {
  const Window at = window(step, row);
  return data_->sources()[at.source].train.copy(at.first, options_.n_ctx + 1, out);
}

}  // namespace tern::train
