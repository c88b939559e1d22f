// Pieces of the arena: aligned, apart, zero, kept when it moves; in 2 MiB pages where the kernel gives them.
#include "sys/page_arena.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <new>
#include <utility>
#include <vector>

namespace tern::sys {
namespace {

TEST(PageArena, PiecesAreAlignedZeroAndApart) {
  PageArena arena;
  std::vector<std::pair<std::byte*, std::size_t>> pieces;
  std::uint64_t sum = 0;
  for (const std::size_t n : {std::size_t{1}, std::size_t{63}, std::size_t{64}, std::size_t{65}, std::size_t{0},
                              std::size_t{3} << 20, std::size_t{300} << 20, std::size_t{1000}}) {
    std::byte* piece = arena.take(n);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(piece) % 64, 0U);
    for (const std::size_t i : {std::size_t{0}, n / 2, n - 1}) {
      if (i < n) {
        EXPECT_EQ(piece[i], std::byte{0});
      }
    }
    if (n > 0) piece[0] = piece[n - 1] = std::byte{static_cast<unsigned char>(pieces.size() + 1)};
    pieces.emplace_back(piece, n);
    sum += n;
  }
  EXPECT_EQ(arena.taken_bytes(), sum);
  const PageArena moved = std::move(arena);
  EXPECT_EQ(moved.taken_bytes(), sum);
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    const auto [piece, n] = pieces[i];
    if (n == 0) continue;
    EXPECT_EQ(piece[0], std::byte{static_cast<unsigned char>(i + 1)});
    EXPECT_EQ(piece[n - 1], std::byte{static_cast<unsigned char>(i + 1)});
  }
}

TEST(PageArena, RefusesWhatNoMachineHas) {
  PageArena arena;
  EXPECT_THROW(static_cast<void>(arena.take(std::size_t{1} << 60)), std::bad_alloc);
  EXPECT_EQ(arena.taken_bytes(), 0U);
  EXPECT_NE(arena.take(10), nullptr);
}

TEST(PageArena, APieceThatIsGivenBackIsTakenAgainAsZeros) {
  PageArena arena;
  std::byte* kept = arena.take(100);
  kept[99] = std::byte{7};
  for (const std::size_t n : {std::size_t{1}, std::size_t{0}, std::size_t{1000}, std::size_t{9} << 20,
                              std::size_t{300} << 20}) {  // the last one opens a chunk of its own
    std::byte* piece = arena.take(n);
    std::memset(piece, 1, n);
    arena.give_back(piece);
    EXPECT_EQ(arena.taken_bytes(), 100U);
    std::byte* again = arena.take(n);
    EXPECT_EQ(again, piece);
    EXPECT_TRUE(std::all_of(again, again + n, [](std::byte b) { return b == std::byte{0}; })) << n;
    arena.give_back(again);
  }
  EXPECT_EQ(kept[99], std::byte{7});
}

TEST(PageArena, LiesInHugePagesWhereTheKernelHasThem) {
  if (!PageArena::kernel_has_huge_pages()) GTEST_SKIP() << "this kernel gives no 2 MiB pages";
  PageArena arena;
  constexpr std::size_t kBytes = std::size_t{64} << 20;
  std::memset(arena.take(kBytes), 1, kBytes);
  // The kernel may be short of them; none at all for 64 MB would mean that we did not ask.
  EXPECT_GT(arena.huge_bytes(), 0U);
  EXPECT_LE(arena.huge_bytes(), kBytes + (std::size_t{2} << 20));
}

TEST(PageArena, AnEmptyOneHasNothing) {
  const PageArena arena;
  EXPECT_EQ(arena.taken_bytes(), 0U);
  EXPECT_EQ(arena.huge_bytes(), 0U);
}

}  // namespace
}  // namespace tern::sys
