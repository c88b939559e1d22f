// Which windows a run sees: every mode's promises on small data, and what is refused.
#include "train/data/sampler.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "tests/support/data_sets.hpp"
#include "train/data/permutation.hpp"

namespace tern::train {
namespace {

using test::PackedTexts;

// Sources a, b and c (which is shorter than any window here).
Dataset data() {
  return PackedTexts({test::documents(200), test::documents(60, 500), "the"}).open();
}

Sampler make(const Dataset& set, SamplerOptions options) {
  auto sampler = Sampler::make(set, std::move(options));
  EXPECT_TRUE(sampler.has_value()) << (sampler ? "" : sampler.error().message);
  return *sampler;
}

std::string error_of(const Dataset& set, SamplerOptions options) {
  const auto sampler = Sampler::make(set, std::move(options));
  return sampler ? "no error" : sampler.error().message;
}

TEST(Sampler, AWindowIsTheTokensAtItsPlace) {
  const Dataset set = data();
  const Sampler sampler = make(set, {.mode = SampleMode::shuffle, .n_ctx = 16, .n_rows = 4, .seed = 3});
  std::vector<std::int32_t> tokens(17);
  for (std::uint64_t row = 0; row < 4; ++row) {
    const Window at = sampler.window(2, row);
    ASSERT_TRUE(sampler.copy(2, row, tokens.data()).has_value());
    const auto all = test::tokens_of(set.sources()[at.source].train);
    EXPECT_TRUE(std::equal(tokens.begin(), tokens.end(), all.begin() + static_cast<std::ptrdiff_t>(at.first)));
  }
}

TEST(Sampler, AnEpochOfShuffleVisitsEveryWindowOnceInAnotherOrderEachTime) {
  const Dataset set = data();
  const Sampler sampler = make(set, {.mode = SampleMode::shuffle, .n_ctx = 16, .n_rows = 1, .seed = 5});
  const std::uint64_t a = (set.sources()[0].train.n_tokens() - 1) / 16;
  const std::uint64_t b = (set.sources()[1].train.n_tokens() - 1) / 16;
  ASSERT_EQ(sampler.epoch_windows(), a + b);
  std::vector<std::vector<Window>> epochs(3);
  for (std::uint64_t step = 0; step < 3 * (a + b); ++step) {
    epochs[step / (a + b)].push_back(sampler.window(step, 0));
  }
  for (const auto& epoch : epochs) {
    std::set<std::pair<std::size_t, std::uint64_t>> seen;
    for (const Window& window : epoch) {
      EXPECT_EQ(window.first % 16, 0U);
      EXPECT_LE(window.first + 17, set.sources()[window.source].train.n_tokens());
      seen.emplace(window.source, window.first);
    }
    EXPECT_EQ(seen.size(), a + b);
  }
  EXPECT_NE(epochs[0], epochs[1]);
  EXPECT_NE(epochs[1], epochs[2]);
}

TEST(Sampler, WeightsThinAndRepeatSourcesEvenly) {
  const Dataset set = data();
  const Sampler sampler = make(
      set, {.mode = SampleMode::shuffle, .n_ctx = 16, .n_rows = 1, .seed = 5, .mixture = {{"a", 1.0}, {"b", 3.0}}});
  EXPECT_DOUBLE_EQ(sampler.shares()[0], 0.25);
  EXPECT_DOUBLE_EQ(sampler.shares()[1], 0.75);
  EXPECT_EQ(sampler.shares()[2], 0.0);
  std::map<std::pair<std::size_t, std::uint64_t>, int> times;
  for (const std::uint64_t n_epochs : {1U, 2U, 3U, 4U}) {
    times.clear();
    std::map<std::size_t, std::uint64_t> of_source;
    for (std::uint64_t step = 0; step < n_epochs * sampler.epoch_windows(); ++step) {
      const Window window = sampler.window(step, 0);
      ++times[{window.source, window.first}];
      ++of_source[window.source];
    }
    for (const std::size_t source : {0U, 1U}) {
      const std::uint64_t n_windows = (set.sources()[source].train.n_tokens() - 1) / 16;
      int most = 0, least = 1000;
      for (std::uint64_t i = 0; i < n_windows; ++i) {
        const auto found = times.find({source, i * 16});
        const int n = found == times.end() ? 0 : found->second;
        most = std::max(most, n);
        least = std::min(least, n);
      }
      EXPECT_LE(most - least, 1) << n_epochs;
    }
    const double share = static_cast<double>(of_source[1]) / static_cast<double>(of_source[0] + of_source[1]);
    EXPECT_NEAR(share, 0.75, 0.01);
  }
}

TEST(Sampler, WindowsFollowTheMixtureAndReachEveryStart) {
  const Dataset set = data();
  const Sampler sampler = make(
      set, {.mode = SampleMode::windows, .n_ctx = 16, .n_rows = 10, .seed = 1, .mixture = {{"b", 0.4}, {"a", 0.6}}});
  std::map<std::size_t, int> n_of;
  std::uint64_t lowest = ~std::uint64_t{0}, highest = 0;
  for (std::uint64_t step = 0; step < 4000; ++step) {
    for (std::uint64_t row = 0; row < 10; ++row) {
      const Window window = sampler.window(step, row);
      ++n_of[window.source];
      if (window.source != 1) continue;
      lowest = std::min(lowest, window.first);
      highest = std::max(highest, window.first);
    }
  }
  EXPECT_NEAR(n_of[0] / 40000.0, 0.6, 0.01);
  EXPECT_EQ(n_of[2], 0);
  EXPECT_EQ(lowest, 0U);
  EXPECT_EQ(highest, set.sources()[1].train.n_tokens() - 17);
}

TEST(Sampler, WithoutAMixtureEveryTokenCountsAlike) {
  const Dataset set = data();
  const double a = static_cast<double>(set.sources()[0].train.n_tokens());
  const double b = static_cast<double>(set.sources()[1].train.n_tokens());
  EXPECT_DOUBLE_EQ(make(set, {.n_ctx = 16}).shares()[0], a / (a + b)) << "c has no window and no share";
}

TEST(Sampler, TheSmallestDataIsOneWindow) {
  const Dataset set = PackedTexts({"the cat and that hat"}).open();
  const std::uint64_t n = set.sources()[0].train.n_tokens();
  for (const SampleMode mode : {SampleMode::windows, SampleMode::shuffle}) {
    const Sampler sampler = make(set, {.mode = mode, .n_ctx = n - 1});
    for (std::uint64_t step : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{1} << 60}) {
      EXPECT_EQ(sampler.window(step, 0), (Window{0, 0}));
    }
    EXPECT_EQ(error_of(set, {.mode = mode, .n_ctx = n}),
              fmt::format("{}: no source has {} tokens to train on, which one window needs; the longest has {}: pack "
                          "more text, or train with a shorter context",
                          set.folder(), n + 1, n));
  }
}

TEST(Sampler, SaysWhatIsWrongWithAMixture) {
  const Dataset set = PackedTexts({test::documents(100), "the cat"}).open();
  const auto with = [&](std::vector<std::pair<std::string, double>> mixture) {
    return error_of(set, {.n_ctx = 32, .mixture = std::move(mixture)});
  };
  EXPECT_EQ(with({{"a", 1.0}}), "no error");
  EXPECT_EQ(with({{"stories", 1.0}}), "the mixture names the source \"stories\"; " + set.folder() + " has a, b");
  EXPECT_EQ(with({{"a", 1.0}, {"a", 2.0}}), "the mixture names the source \"a\" twice");
  EXPECT_EQ(with({{"a", 0.0}}), "the mixture gives \"a\" the weight 0, expected a number above 0");
  EXPECT_EQ(with({{"a", std::nan("")}}), "the mixture gives \"a\" the weight nan, expected a number above 0");
  EXPECT_EQ(with({{"a", 1.0}, {"b", 1.0}}),
            fmt::format("the source \"b\" has {} tokens to train on, expected at least one window of 33",
                        set.sources()[1].train.n_tokens()));
  EXPECT_EQ(error_of(set, {.n_ctx = 0}), "windows of 0 tokens in 1 rows, expected 1 or more of both");
  EXPECT_NE(error_of(set, {.n_ctx = ~std::uint64_t{0}}), "no error") << "n_ctx + 1 overflows";
}

TEST(Permutation, IsABijectionForEverySmallSize) {
  for (std::uint64_t n = 1; n < 300; ++n) {
    std::vector<bool> seen(n, false);
    const Permutation permutation(n, n * 7);
    for (std::uint64_t i = 0; i < n; ++i) {
      const std::uint64_t to = permutation(i);
      ASSERT_LT(to, n);
      ASSERT_FALSE(seen[to]) << n;
      seen[to] = true;
    }
  }
}

TEST(Permutation, LooksShuffled) {
  // Each of 10 places gets about a tenth of what lands there from each tenth.
  const Permutation permutation(100000, 9);
  std::map<std::pair<std::uint64_t, std::uint64_t>, int> cells;
  for (std::uint64_t i = 0; i < 100000; ++i) ++cells[{i / 10000, permutation(i) / 10000}];
  for (const auto& [cell, n] : cells) EXPECT_NEAR(n, 1000, 150);
  EXPECT_EQ(cells.size(), 100U);
}

}  // namespace
}  // namespace tern::train
