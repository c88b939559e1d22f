// What holds for packed data and its sampling whatever the sizes, threads and order of calls.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <numeric>
#include <set>

#include "base/random.hpp"
#include "tests/support/data_sets.hpp"
#include "train/data/permutation.hpp"
#include "train/data/sampler.hpp"

namespace tern::train {
namespace {

using test::PackedTexts;

TEST(DataSets, AnyNumberOfThreadsPacksTheSameBytes) {
  std::string text;
  for (int i = 0; text.size() < 1'000'000; i += 50) text += test::documents(50, i) + "<|endoftext|>";
  PackedTexts texts({text, test::documents(300, 70000)});
  texts.options.held_out = 0.1;
  texts.options.shard_tokens = 50000;
  texts.options.overwrite = true;
  std::map<std::string, std::string> first;
  for (const int n_threads : {1, 2, 3}) {
    texts.options.n_threads = n_threads;
    const auto packed = texts.pack();
    ASSERT_TRUE(packed.has_value()) << packed.error().message;
    std::map<std::string, std::string> files;
    for (const auto& entry : std::filesystem::directory_iterator(texts.options.folder)) {
      files[entry.path().filename()] = test::bytes_of(entry.path());
    }
    EXPECT_GT(files.size(), 8U);
    if (first.empty()) first = files;
    EXPECT_TRUE(files == first) << n_threads << " threads";
  }
}

TEST(DataSets, ThePermutationIsABijectionForAnySizeAndSeed) {
  constexpr std::uint64_t kSeed = 20;
  Random random(kSeed);
  for (int round = 0; round < 40; ++round) {
    const std::uint64_t n = 1 + random.below(std::uint64_t{1} << (1 + random.below(17)));
    const std::uint64_t seed = random.next();
    SCOPED_TRACE(fmt::format("n {} seed {} (of {})", n, seed, kSeed));
    const Permutation permutation(n, seed);
    std::vector<bool> seen(n, false);
    for (std::uint64_t i = 0; i < n; ++i) {
      const std::uint64_t to = permutation(i);
      ASSERT_LT(to, n);
      ASSERT_FALSE(seen[to]);
      seen[to] = true;
    }
  }
  const std::uint64_t large = (std::uint64_t{1} << 62) - 5;
  const Permutation permutation(large, 1);
  std::set<std::uint64_t> seen;
  for (std::uint64_t i = 0; i < 1000; ++i) {
    const std::uint64_t to = permutation(large - 1 - i);
    EXPECT_LT(to, large);
    seen.insert(to);
  }
  EXPECT_EQ(seen.size(), 1000U);
}

TEST(DataSets, AWindowDependsOnSeedStepAndRowAlone) {
  const Dataset set = PackedTexts({test::documents(300), test::documents(100, 500)}).open();
  for (const SampleMode mode : {SampleMode::windows, SampleMode::shuffle}) {
    const SamplerOptions options{
        .mode = mode, .n_ctx = 20, .n_rows = 8, .seed = 42, .mixture = {{"a", 1.0}, {"b", 2.0}}};
    const auto sampler = Sampler::make(set, options);
    ASSERT_TRUE(sampler.has_value());
    std::vector<std::pair<std::uint64_t, std::uint64_t>> calls;
    for (std::uint64_t step = 0; step < 60; ++step) {
      for (std::uint64_t row = 0; row < 8; ++row) calls.emplace_back(step, row);
    }
    std::map<std::pair<std::uint64_t, std::uint64_t>, Window> in_order;
    for (const auto& [step, row] : calls) in_order[{step, row}] = sampler->window(step, row);
    Random random(7);
    for (std::size_t i = calls.size(); i > 1; --i) std::swap(calls[i - 1], calls[random.below(i)]);
    const auto later = Sampler::make(set, options);  // a run that was resumed
    for (const auto& [step, row] : calls) EXPECT_EQ(later->window(step, row), (in_order[{step, row}]));

    auto other_options = options;
    other_options.seed = 43;
    const auto other = Sampler::make(set, other_options);
    int n_equal = 0;
    for (const auto& [step, row] : calls) n_equal += other->window(step, row) == in_order[{step, row}] ? 1 : 0;
    EXPECT_LT(n_equal, 60) << "another seed, other windows";
  }
}

TEST(DataSets, HeldOutAndTrainTogetherAreAllDocuments) {
  for (const double fraction : {0.01, 0.3, 0.9}) {
    PackedTexts texts({test::documents(500)});
    const Dataset whole = texts.open();
    texts.options.held_out = fraction;
    texts.options.overwrite = true;
    const Dataset split = texts.open();
    std::multiset<std::vector<std::int32_t>> all, parts;
    const auto collect = [](const Part& part, auto& into) {
      const auto tokens = test::tokens_of(part);
      for (std::size_t i = 0; i + 1 < part.documents().size(); ++i) {
        into.insert({tokens.begin() + static_cast<std::ptrdiff_t>(part.documents()[i]),
                     tokens.begin() + static_cast<std::ptrdiff_t>(part.documents()[i + 1])});
      }
    };
    collect(whole.sources()[0].train, all);
    collect(split.sources()[0].train, parts);
    collect(split.sources()[0].held_out, parts);
    EXPECT_EQ(parts, all) << fraction;
  }
}

}  // namespace
}  // namespace tern::train
