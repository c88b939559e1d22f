// Threads share the work of a run and leave no trace in it: any number of them, and a run that changes it half-way,
// write the same checkpoint to the last bit.
#include <gtest/gtest.h>

#include "tests/support/training_run.hpp"

namespace tern::test {
namespace {

class TrainThreads : public testing::TestWithParam<const char*> {};

TEST_P(TrainThreads, LeaveNoTraceInACheckpoint) {
  const TrainingRun runs;
  const std::vector<std::string> settings{GetParam(), "optimizer.batch=6", "optimizer.microbatch=3"};
  const auto words = [&](const std::string& name, const std::string& threads) {
    std::vector<std::string> out = runs.train(name, 18, settings);
    *(std::ranges::find(out, "-t") + 1) = threads;
    return out;
  };
  const auto checkpoint = [&](const std::string& name) {
    const std::string bytes = whole_file(runs.file(name + "/checkpoint-00000012.safetensors"));
    EXPECT_FALSE(bytes.empty()) << name;
    return bytes;
  };
  runs.run(words("one", "1"));
  for (const std::string threads : {"2", "3"}) {
    runs.run(words(threads, threads));
    EXPECT_TRUE(checkpoint(threads) == checkpoint("one")) << threads << " threads";
  }
  std::vector<std::string> first_half = words("changing", "2");
  first_half.insert(first_half.end(), {"--steps", "5"});
  runs.run(first_half);
  runs.run({"train", "--resume", "--data", runs.data(), "-o", runs.file("changing"), "-t", "1", "--steps", "4"});
  runs.run({"train", "--resume", "--data", runs.data(), "-o", runs.file("changing"), "-t", "3"});
  EXPECT_TRUE(checkpoint("changing") == checkpoint("one"));
}

INSTANTIATE_TEST_SUITE_P(Kinds, TrainThreads, testing::Values("quantization.group=32", "quantization.weights=lsq4"));

}  // namespace
}  // namespace tern::test
