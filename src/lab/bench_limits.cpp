// Implementation of bench_limits.hpp.
#include "lab/bench_limits.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace tern::lab {
namespace {

constexpr std::string_view k16BitSums = "maddubs16";

}  // namespace

void Limits::want(std::string_view quantity, int n_threads) {
  if (quantity.empty()) return;
  const bool known = std::ranges::any_of(
      all_, [&](const Limit& limit) { return limit.quantity == quantity && limit.n_threads == n_threads; });
  if (!known) all_.push_back({.quantity = std::string(quantity), .n_threads = n_threads, .value = std::nullopt});
}

void Limits::want(const BenchCost& cost, int n_threads) {
  want(kReadLimit, n_threads);
  for (const BenchCost::Products& products : cost.products) {
    want(products.peak, n_threads);
    if (products.per_operation != 1) want(k16BitSums, n_threads);
  }
}

Result<void> Limits::measure(const MeasureLimit& measure_one, std::uint64_t buffer_bytes, Progress& progress) {
  if (!measure_one) return {};
  for (Limit& limit : all_) {
    if (rounds_ > 0 && !limit.value) continue;
    if (progress.cancelled()) return fail(ErrorCode::cancelled, "stopped while measuring the machine's limits");
    const auto measured = measure_one(limit.quantity, limit.n_threads, buffer_bytes);
    if (measured) {
      limit.value = std::max(*measured, limit.value.value_or(0.0));
    } else if (!limit.value) {
      progress.note("no limit: " + measured.error().message);
    }
  }
  ++rounds_;
  return {};
}

std::optional<double> Limits::find(std::string_view quantity, int n_threads) const {
  for (const Limit& limit : all_) {
    if (limit.quantity == quantity && limit.n_threads == n_threads) return limit.value;
  }
  return std::nullopt;
}

std::uint64_t read_buffer_bytes(double bytes_per_step, std::uint64_t last_level_cache) {
  constexpr std::uint64_t kLeast = 1'000'000'000;
  constexpr double kMost = 1e12;  // more than any weights; the conversion below stays exact
  const auto wanted = static_cast<std::uint64_t>(std::clamp(bytes_per_step, 0.0, kMost));
  // An unknown cache could be any size.
  if (last_level_cache == 0 || last_level_cache > std::uint64_t{1} << 40) return std::max(wanted, kLeast);
  return std::clamp(wanted, kLeast, std::max(kLeast, 4 * last_level_cache));
}

bool may_come_from_cache(double bytes, std::uint64_t last_level_cache) {
  constexpr double kLargeCache = 512e6;
  return bytes < (last_level_cache == 0 ? kLargeCache : 2.0 * static_cast<double>(last_level_cache));
}

Judgement judge(const BenchCost& cost, double seconds, int n_threads, bool generates, const Limits& limits,
                bool may_be_cached) {
  const auto read = limits.find(kReadLimit, n_threads);
  if (!read || *read <= 0.0 || seconds <= 0.0) return {};
  const double reading = cost.bytes / (*read * 1e9);
  double computing = 0.0;
  double longest = 0.0;
  std::string_view slowest;
  bool looks_up = false;
  for (const BenchCost::Products& products : cost.products) {
    const auto peak = limits.find(products.peak, n_threads);
    if (!peak || *peak <= 0.0) {
      if (generates) continue;
      return {};
    }
    const double part = products.n / (*peak * 1e9 * products.per_operation);
    computing += part;
    if (part > longest) {
      longest = part;
      slowest = products.peak;
      looks_up = products.per_operation != 1;
    }
  }
  const bool memory_bound = reading >= computing;
  Judgement judged{.percent = 100.0 * std::max(reading, computing) / seconds,
                   .limit = std::string(memory_bound ? kReadLimit : slowest)};
  const auto sums = limits.find(k16BitSums, n_threads);
  if (!memory_bound && sums && looks_up) judged.ratio_to_16_bit_sums = cost.n_products() / seconds / (*sums * 1e9);
  if (memory_bound && may_be_cached && *judged.percent > 100.0) {
    judged.percent.reset();
    judged.from_cache = true;
  }
  return judged;
}

Result<void> check_percent(const Judgement& judged, std::span<const Limit> limits, int n_threads, std::string_view name,
                           std::string_view speed) {
  if (!judged.percent || *judged.percent <= 100.0) return {};
  for (const Limit& limit : limits) {
    if (limit.quantity != judged.limit || limit.n_threads != n_threads) continue;
    return fail(ErrorCode::internal,
                "{}: {} is {:.1f} % of the limit ({} {:.1f} {}): more than the machine can do, so a figure is wrong; "
                "measure again on a quiet machine with a larger --limit-seconds, and report this if it stays",
                name, speed, *judged.percent, limit.quantity, limit.value.value_or(0.0), limit.unit());
  }
  return fail(ErrorCode::internal, "{}: {:.1f} % of a limit that is not known", name, *judged.percent);
}

}  // namespace tern::lab
