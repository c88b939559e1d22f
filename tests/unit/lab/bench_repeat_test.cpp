// The order of repetitions and what is run again, with a clock that is made up.
#include "lab/bench_repeat.hpp"

#include <gtest/gtest.h>

namespace tern::lab {
namespace {

class Listener final : public Progress {
 public:
  void update(std::uint64_t done, std::string_view /*note*/) override { last = done; }
  void note(std::string_view line) override { notes.emplace_back(line); }
  [[nodiscard]] bool cancelled() const override { return n_runs != nullptr && *n_runs >= stop_after; }
  std::vector<std::string> notes;
  std::uint64_t last = 0;
  const std::size_t* n_runs = nullptr;
  std::size_t stop_after = 0;
};

TEST(BenchRepeat, EveryRepetitionRunsEveryTestOnceInTurns) {
  std::vector<std::size_t> order;
  Listener listener;
  const auto run = [&](std::size_t test) -> Result<Timed> {
    order.push_back(test);
    return Timed{.seconds = static_cast<double>(order.size()), .share_lost = 0.0};
  };
  const auto repeated = run_interleaved(3, 2, run, 10, listener);
  ASSERT_TRUE(repeated.has_value());
  EXPECT_EQ(order, (std::vector<std::size_t>{0, 1, 2, 0, 1, 2}));
  EXPECT_EQ((*repeated)[1].seconds, (std::vector<double>{2.0, 5.0}));
  EXPECT_EQ((*repeated)[1].disturbed, 0);
  EXPECT_EQ(listener.last, 16U);
  EXPECT_TRUE(listener.notes.empty());
}

TEST(BenchRepeat, ADisturbedRunIsMadeAgainAndTheLeastDisturbedOneCountsNotTheFastest) {
  const std::vector<Timed> tries{{1.0, 0.5}, {3.0, 0.1}, {2.0, 0.3}, {4.0, 0.4}};
  std::size_t n_runs = 0;
  Listener listener;
  const auto run = [&](std::size_t /*test*/) -> Result<Timed> { return tries[n_runs++]; };
  const auto repeated = run_interleaved(1, 1, run, 0, listener);
  ASSERT_TRUE(repeated.has_value());
  EXPECT_EQ(n_runs, 4U) << "three times again at most";
  EXPECT_EQ(repeated->front().seconds, std::vector<double>{3.0});
  EXPECT_EQ(repeated->front().disturbed, 1);
  ASSERT_EQ(listener.notes.size(), 1U);
  EXPECT_EQ(listener.notes.front(),
            "the machine was busy: 3 of the runs were made again; 1 of 1 repetitions stayed disturbed");
}

TEST(BenchRepeat, AQuietTryEndsTheRetriesAndIsNotDisturbed) {
  const std::vector<Timed> tries{{1.0, 0.021}, {2.0, 0.02}, {9.0, 0.0}};
  std::size_t n_runs = 0;
  Listener listener;
  const auto run = [&](std::size_t /*test*/) -> Result<Timed> { return tries[n_runs++]; };
  const auto repeated = run_interleaved(1, 1, run, 0, listener);
  ASSERT_TRUE(repeated.has_value());
  EXPECT_EQ(n_runs, 2U);
  EXPECT_EQ(repeated->front().seconds, std::vector<double>{2.0});
  EXPECT_EQ(repeated->front().disturbed, 0);
  EXPECT_EQ(listener.notes.size(), 1U);
}

TEST(BenchRepeat, StopsBetweenRunsAndAtAnError) {
  std::size_t n_runs = 0;
  Listener listener;
  listener.n_runs = &n_runs;
  listener.stop_after = 4;
  const auto run = [&](std::size_t /*test*/) -> Result<Timed> {
    ++n_runs;
    return Timed{.seconds = 1.0, .share_lost = 0.0};
  };
  const auto stopped = run_interleaved(3, 100, run, 0, listener);
  ASSERT_FALSE(stopped.has_value());
  EXPECT_EQ(stopped.error().code, ErrorCode::cancelled);
  EXPECT_EQ(n_runs, 4U);
  Listener quiet;
  const auto failing = [](std::size_t /*test*/) -> Result<Timed> {
    return fail(ErrorCode::out_of_memory, "none left");
  };
  const auto failed = run_interleaved(3, 100, failing, 0, quiet);
  ASSERT_FALSE(failed.has_value());
  EXPECT_EQ(failed.error().message, "none left");
}

}  // namespace
}  // namespace tern::lab
