// The two ways of merging must give the same symbols, and both what a plain scan of the definition gives.
#include "text/merge_engine.hpp"

#include <gtest/gtest.h>

#include <map>

#include "text/hash_index.hpp"
#include "text/special_tokens.hpp"
#include "text/word_cache.hpp"

namespace tern::text {
namespace {

using Table = std::map<std::pair<std::uint32_t, std::uint32_t>, Merge>;

std::vector<Symbol> symbols_of(const std::vector<std::uint32_t>& ids) {
  std::vector<Symbol> symbols;
  for (std::size_t i = 0; i < ids.size(); ++i) symbols.push_back({ids[i], static_cast<std::uint32_t>(i), 1});
  return symbols;
}

std::vector<std::uint32_t> ids_of(const std::vector<Symbol>& symbols) {
  std::vector<std::uint32_t> ids;
  for (const Symbol& symbol : symbols) ids.push_back(symbol.id);
  return ids;
}

// The definition, word for word.
std::vector<std::uint32_t> merge_plainly(std::vector<std::uint32_t> ids, const Table& table) {
  while (true) {
    std::size_t best_at = ids.size();
    Merge best;
    for (std::size_t i = 0; i + 1 < ids.size(); ++i) {
      const auto found = table.find({ids[i], ids[i + 1]});
      if (found != table.end() && found->second.rank < best.rank) {
        best = found->second;
        best_at = i;
      }
    }
    if (best_at == ids.size()) return ids;
    ids[best_at] = best.id;
    ids.erase(ids.begin() + static_cast<std::ptrdiff_t>(best_at) + 1);
  }
}

// A small generator of its own, so that the test does not depend on another room's.
struct Lcg {
  std::uint64_t state;
  std::uint32_t below(std::uint32_t n) {
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    return static_cast<std::uint32_t>(state >> 33) % n;
  }
};

TEST(MergeEngine, BothWaysFollowTheDefinition) {
  Lcg random{20260101};
  for (int round = 0; round < 300; ++round) {
    Table table;
    const std::uint32_t n_letters = 1 + random.below(4);
    std::uint32_t n_ids = n_letters;
    for (int i = 0; i < 30; ++i) {
      // Equal ranks on purpose: then the leftmost goes first.
      table.try_emplace({random.below(n_ids), random.below(n_ids)}, Merge{random.below(12), n_ids});
      ++n_ids;
    }
    const auto lookup = [&](const Symbol& left, const Symbol& right) {
      const auto found = table.find({left.id, right.id});
      return found == table.end() ? Merge{} : found->second;
    };
    std::vector<std::uint32_t> letters;
    for (std::uint32_t n = random.below(150); n > 0; --n) letters.push_back(random.below(n_letters));
    const auto expected = merge_plainly(letters, table);
    MergeEngine engine;
    auto by_scan = symbols_of(letters);
    auto by_heap = symbols_of(letters);
    auto by_either = symbols_of(letters);
    engine.run_short(by_scan, lookup);
    if (!letters.empty()) engine.run_long(by_heap, lookup);
    engine.run(by_either, lookup);
    EXPECT_EQ(ids_of(by_scan), expected) << "round " << round;
    EXPECT_EQ(ids_of(by_heap), expected) << "round " << round;
    EXPECT_EQ(ids_of(by_either), expected) << "round " << round;
  }
}

TEST(MergeEngine, KeepsStartsAndLengths) {
  MergeEngine engine;
  auto symbols = symbols_of({0, 0, 0, 0, 0});
  engine.run(symbols, [](const Symbol& left, const Symbol& right) {
    return left.length == 1 && right.length == 1 ? Merge{0, 1} : Merge{};
  });
  ASSERT_EQ(symbols.size(), 3U);
  EXPECT_EQ(symbols[1].start, 2U);
  EXPECT_EQ(symbols[1].length, 2U);
  EXPECT_EQ(symbols[2].start, 4U);
  EXPECT_EQ(symbols[2].length, 1U);
}

TEST(HashIndex, FindsWhatWasPutInAndNothingElse) {
  std::vector<std::string> words;
  for (int i = 0; i < 5000; ++i)
    words.push_back(std::string(static_cast<std::size_t>(i % 23), 'x') + std::to_string(i));
  StringIndex index(words.size());
  for (std::size_t i = 0; i < words.size(); ++i) EXPECT_TRUE(index.insert(words[i], static_cast<std::uint32_t>(i)));
  EXPECT_FALSE(index.insert(words[7], 99));
  for (std::size_t i = 0; i < words.size(); ++i) EXPECT_EQ(index.find(std::string(words[i])), i);
  EXPECT_EQ(index.find("y1"), std::nullopt);
  EXPECT_EQ(StringIndex().find("x"), std::nullopt);
  PairIndex pairs(100);
  for (std::uint32_t i = 0; i < 100; ++i) EXPECT_TRUE(pairs.insert(i, i * 7, {i, i + 1}));
  EXPECT_FALSE(pairs.insert(3, 21, {0, 0}));
  for (std::uint32_t i = 0; i < 100; ++i) EXPECT_EQ(pairs.find(i, i * 7).id, i + 1);
  EXPECT_EQ(pairs.find(1, 1).rank, Merge::kNone);
}

TEST(WordCache, RemembersThroughGrowthAndStopsAtItsBound) {
  std::vector<std::string> words;
  for (std::size_t i = 0; i < WordCache::kMaxEntries + 1000; ++i) words.push_back("w" + std::to_string(i));
  WordCache cache;
  EXPECT_TRUE(cache.find("w0").empty());
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::vector<std::int32_t> ids = {static_cast<std::int32_t>(i), 7};
    cache.insert(words[i], ids);
  }
  std::size_t n_known = 0;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const auto ids = cache.find(words[i]);
    if (ids.empty()) continue;
    ++n_known;
    ASSERT_EQ(ids.size(), 2U);
    EXPECT_EQ(ids[0], static_cast<std::int32_t>(i));
  }
  EXPECT_LE(n_known, WordCache::kMaxEntries);
  EXPECT_GT(n_known, WordCache::kMaxEntries * 9 / 10);
  const std::string long_word(WordCache::kMaxWordBytes + 1, 'x');
  cache.insert(long_word, std::vector<std::int32_t>{1});
  EXPECT_TRUE(cache.find(long_word).empty());
}

TEST(SpecialTokens, TakesTheLeftmostAndThereTheLongest) {
  const auto special = SpecialTokens::make({{"<a>", 1}, {"<a><b>", 2}, {"b>", 3}, {"<c", 4}});
  ASSERT_TRUE(special.has_value());
  const auto match = special->find("x<a><b>", 0);
  ASSERT_TRUE(match.has_value());
  EXPECT_EQ(match->id, 2);
  EXPECT_EQ(match->start, 1U);
  EXPECT_EQ(match->length, 6U);
  EXPECT_EQ(special->find("x<a><b>", 2)->id, 3);
  EXPECT_EQ(special->find("<<a>", 0)->start, 1U);
  EXPECT_FALSE(special->find("<a b <", 0).has_value());
  EXPECT_FALSE(SpecialTokens().find("<a>", 0).has_value());
}

TEST(SpecialTokens, RefusesANameThatWouldMakeTextsSlow) {
  const std::string name(SpecialTokens::kMaxNameBytes + 1, 'x');
  EXPECT_FALSE(SpecialTokens::make({{name, 5}}).has_value());
}

}  // namespace
}  // namespace tern::text
