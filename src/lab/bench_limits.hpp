// How near a measured time comes to what the machine can do at most. Not the measuring of limits, which is somebody
// else's (MeasureLimit). The one idea is the roofline: a test cannot take less time than its bytes take to be read, nor
// less than its multiply-adds take at the peak of the instructions that do them; the longer of the two is the limit.
// Source: Williams, Waterman and Patterson, "Roofline: an insightful visual performance model" (2009).
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/progress.hpp"
#include "lab/bench_cost.hpp"

namespace tern::lab {

/// Reading memory; bytes are counted, other quantities are multiply-adds.
inline constexpr std::string_view kReadLimit = "read_huge";

/// Measures a quantity of bench/limits with that many threads, in 1e9 per second; reading goes round in buffer_bytes.
using MeasureLimit =
    std::function<Result<double>(std::string_view quantity, int n_threads, std::uint64_t buffer_bytes)>;

struct Limit {
  std::string quantity;
  int n_threads = 1;
  std::optional<double> value;  // nothing: could not be measured
  /// As bench/limits names it: look-ups are counted as such, whatever they stand for.
  [[nodiscard]] std::string_view unit() const {
    if (quantity == kReadLimit) return "GB/s";
    return quantity.starts_with("lookup") || quantity.starts_with("add") ? "G/s" : "GMAC/s";
  }
};

class Limits {
 public:
  /// A limit that will be needed. Every quantity once a number of threads; "" is none.
  void want(std::string_view quantity, int n_threads);
  /// What a test's cost needs.
  void want(const BenchCost& cost, int n_threads);
  /// Measures all that are wanted; of several rounds the best counts, since a machine is never faster than it is. What
  /// cannot be measured is said once and left out from then on. No function: measures nothing. Errors: cancelled.
  [[nodiscard]] Result<void> measure(const MeasureLimit& measure_one, std::uint64_t buffer_bytes, Progress& progress);

  [[nodiscard]] std::optional<double> find(std::string_view quantity, int n_threads) const;
  [[nodiscard]] std::span<const Limit> all() const { return all_; }

 private:
  std::vector<Limit> all_;
  int rounds_ = 0;
};

/// The buffer that reading is measured over: as large as what a step reads, at least 1e9 bytes, but at most four times
/// the last-level cache where that is more: beyond, a larger buffer measures the same and only takes memory.
[[nodiscard]] std::uint64_t read_buffer_bytes(double bytes_per_step, std::uint64_t last_level_cache);

/// Whether so many bytes, read again and again, may come from a cache in part: below twice the last-level cache, since
/// other cores may have caches of their own that help; where its size is not known, below 512 MB.
[[nodiscard]] bool may_come_from_cache(double bytes, std::uint64_t last_level_cache);

/// What a time is worth.
struct Judgement {
  std::optional<double> percent;  // least seconds / seconds * 100
  std::string limit;              // the quantity that binds; "" where it is not known
  /// Where look-ups take the place of multiply-adds and bind: all multiply-adds of the test over the peak of 16-bit
  /// sums, which AVX2 code that multiplies cannot pass.
  std::optional<double> ratio_to_16_bit_sums = std::nullopt;
  bool from_cache = false;  // faster than memory can be read, and what was read fits the cache: so percent is left out
};

/// A limit that is missing leaves the percentage out; when generating only the one of reading does. `may_be_cached`:
/// what is read may sit in a cache.
[[nodiscard]] Judgement judge(const BenchCost& cost, double seconds, int n_threads, bool generates,
                              const Limits& limits, bool may_be_cached);

/// Errors: internal when a percentage is above 100, which no machine can do: then the instrument is wrong. `name` is
/// the row's, `speed` its figures.
[[nodiscard]] Result<void> check_percent(const Judgement& judged, std::span<const Limit> limits, int n_threads,
                                         std::string_view name, std::string_view speed);

}  // namespace tern::lab
