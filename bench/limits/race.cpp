// See race.hpp.
#include "race.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <numeric>

namespace limits {

namespace {

constexpr double kBurstSeconds = 0.004;  // short enough to fit between two turns of a busy scheduler
constexpr double kHeats = 0.4;           // share of the time in which all runners run
constexpr std::size_t kFinalists = 3;
constexpr std::size_t kHeatBursts = 2, kFinalBursts = 5;

double median(std::vector<double> rates) {
  std::sort(rates.begin(), rates.end());
  const std::size_t n = rates.size();
  return n % 2 == 1 ? rates[n / 2] : (rates[n / 2 - 1] + rates[n / 2]) / 2;
}

}  // namespace

void Pace::learn(double work, double seconds) {
  best_rate_ = std::max(best_rate_, work / std::max(seconds, 1e-9));
  work_ = std::clamp(best_rate_ * kBurstSeconds, least_, most_);
}

std::vector<Attempt> race(const std::vector<Runner>& runners, double seconds) {
  const auto start = std::chrono::steady_clock::now();
  const auto spent = [&] { return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(); };
  std::vector<std::vector<double>> rates(runners.size());
  const auto best = [&](std::size_t i) { return *std::max_element(rates[i].begin(), rates[i].end()); };
  std::vector<std::size_t> running(runners.size());
  std::iota(running.begin(), running.end(), std::size_t{0});
  const auto round = [&] {
    for (const std::size_t i : running) {
      const double rate = runners[i].burst();
      if (rate < 0) return false;
      rates[i].push_back(rate);
    }
    return true;
  };
  const auto sort = [&] {
    std::sort(running.begin(), running.end(), [&](auto a, auto b) { return best(a) > best(b); });
  };

  for (std::size_t n = 0; n < kHeatBursts || spent() < kHeats * seconds; ++n) {
    if (!round()) return {};
  }
  sort();
  const std::vector<std::size_t> out(
      running.begin() + static_cast<std::ptrdiff_t>(std::min(kFinalists, running.size())), running.end());
  running.resize(running.size() - out.size());
  while (rates[running[0]].size() < kFinalBursts || spent() < seconds) {
    if (!round()) return {};
  }
  running.insert(running.end(), out.begin(), out.end());
  sort();
  std::vector<Attempt> attempts;
  for (const std::size_t i : running) {
    attempts.push_back({runners[i].loop, best(i), median(rates[i]), static_cast<int>(rates[i].size())});
  }
  return attempts;
}

}  // namespace limits
