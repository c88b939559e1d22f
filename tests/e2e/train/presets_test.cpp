// Every preset trains as it is published, at a tiny size: its rounding, norms and schedule together, to an export that
// runs.
#include <gtest/gtest.h>

#include "tests/support/training_run.hpp"
#include "train/run/presets.hpp"

namespace tern::test {
namespace {

class TrainPresets : public testing::TestWithParam<std::string> {};

TEST_P(TrainPresets, TrainsAndItsExportRuns) {
  const TrainingRun runs;
  auto words = runs.train("run", 40, {"model.hidden_size=128", "run.validate_every=20"});
  *(std::ranges::find(words, "--preset") + 1) = GetParam();
  const Ended ended = runs.run(words);
  const auto at = [&](int step) {
    const std::string said = "step " + std::to_string(step) + ": stories held out ";
    const std::size_t found = ended.err.find(said);
    EXPECT_NE(found, std::string::npos) << ended.err;
    return found == std::string::npos ? 0.0 : std::stod(ended.err.substr(found + said.size()));
  };
  EXPECT_LT(at(40), at(20)) << "nothing was learned";
  runs.run({"train", "export", runs.file("run"), "-o", runs.file("run.gguf")});
  const Ended text = runs.run({"run", "-m", runs.file("run.gguf"), "-p", "Once", "-n", "8", "--temp", "0"});
  EXPECT_GT(text.out.size(), 4U);
}

INSTANTIATE_TEST_SUITE_P(All, TrainPresets, testing::ValuesIn([] {
                           std::vector<std::string> names;
                           for (const std::string_view name : train::preset_names()) names.emplace_back(name);
                           return names;
                         }()),
                         [](const auto& tested) {
                           std::string name = tested.param;
                           std::ranges::replace_if(name, [](char c) { return std::isalnum(c) == 0; }, '_');
                           return name;
                         });

}  // namespace
}  // namespace tern::test
