#include "engine/prompt_lookup.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace tern::engine {
namespace {

using Ids = std::vector<std::int32_t>;

Ids found(const Ids& ids, std::size_t n_most = 5) {
  return prompt_lookup(ids, n_most);
}

TEST(PromptLookup, GivesWhatFollowedTheSameTokensBefore) {
  EXPECT_EQ(found({5, 6, 7, 8, 9, 5, 6}), (Ids{7, 8, 9, 5, 6}));
  EXPECT_EQ(found({5, 6, 7, 8, 9, 5, 6}, 2), (Ids{7, 8}));
  EXPECT_EQ(found({5, 6, 7, 8, 9, 5, 6}, 0), Ids{});
}

TEST(PromptLookup, OneTokenAloneSaysTooLittle) {
  EXPECT_EQ(found({5, 6, 7, 5}), Ids{});
  EXPECT_EQ(found({5, 5, 7, 5}), Ids{});
}

TEST(PromptLookup, ALongerRunWinsOverALaterOne) {
  //  2 3 4 | 10 ... 3 4 | 20 ... 2 3 4
  EXPECT_EQ(found({1, 2, 3, 4, 10, 9, 3, 4, 20, 2, 3, 4}, 1), Ids{10});
  // Beyond four tokens the later place wins.
  EXPECT_EQ(found({9, 1, 2, 3, 4, 10, 8, 1, 2, 3, 4, 20, 9, 1, 2, 3, 4}, 1), Ids{20});
}

TEST(PromptLookup, AmongRunsOfOneLengthTheLatestWins) {
  EXPECT_EQ(found({3, 4, 10, 3, 4, 20, 3, 4}, 1), Ids{20});
}

TEST(PromptLookup, ATextThatGoesRoundInCirclesIsFollowed) {
  EXPECT_EQ(found({7, 7, 7}, 4), (Ids{7, 7, 7, 7}));
  EXPECT_EQ(found({1, 2, 1, 2, 1, 2}, 5), (Ids{1, 2, 1, 2, 1}));
  EXPECT_EQ(found({5, 6, 7, 8, 9, 5, 6}, 9), (Ids{7, 8, 9, 5, 6, 7, 8, 9, 5}));
}

TEST(PromptLookup, ShortTextsHaveNothing) {
  EXPECT_EQ(found({}), Ids{});
  EXPECT_EQ(found({1}), Ids{});
  EXPECT_EQ(found({1, 1}), Ids{});
  EXPECT_EQ(found({1, 2, 3, 4, 5, 6}), Ids{});
}

}  // namespace
}  // namespace tern::engine
