// A training run that is killed again and again ends bit for bit as one that was left alone: weights, moments, step,
// and every line of the log but its times.
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>

#include "base/random.hpp"
#include "tests/support/training_run.hpp"

namespace tern {
namespace {

constexpr int kSteps = 240;
constexpr int kKills = 8;

std::string last_checkpoint(const std::string& folder) {
  std::vector<std::string> names;
  std::error_code nothing_yet;
  for (const auto& item : std::filesystem::directory_iterator(folder, nothing_yet)) {
    const std::string name = item.path().filename().string();
    if (name.starts_with("checkpoint-") && name.ends_with(".safetensors")) names.push_back(name);
  }
  std::ranges::sort(names);
  return names.empty() ? "" : names.back();
}

std::uintmax_t size_of(const std::string& path) {
  std::error_code nothing_yet;
  const std::uintmax_t size = std::filesystem::file_size(path, nothing_yet);
  return nothing_yet ? 0 : size;
}

/// The log without what a clock says.
std::string timeless_log(const std::string& folder) {
  std::istringstream lines(test::whole_file(folder + "/log.jsonl"));
  std::string out;
  for (std::string line; std::getline(lines, line);) {
    auto json = nlohmann::json::parse(line);
    json.erase("seconds");
    json.erase("share_of_peak");
    out += json.dump() + "\n";
  }
  return out;
}

struct Case {
  const char* name;
  std::vector<std::string> settings;
};
void PrintTo(const Case& c, std::ostream* out) {
  *out << c.name;
}

class TrainResumes : public testing::TestWithParam<Case> {};

TEST_P(TrainResumes, AKilledRunEndsBitForBitLikeOneLeftAlone) {
  const test::TrainingRun runs;
  std::vector<std::string> settings{"run.checkpoint_every=7", "run.validate_every=20"};
  settings.insert(settings.end(), GetParam().settings.begin(), GetParam().settings.end());
  const test::Ended whole = runs.run(runs.train("whole", kSteps, settings));

  Random random(20261121);
  const std::string log = runs.file("killed/log.jsonl");
  int n_kills = 0;
  bool finished = false;
  for (int sitting = 0; !finished && sitting < 10 * kKills; ++sitting) {
    const bool begins = last_checkpoint(runs.file("killed")).empty();
    const std::vector<std::string> words =
        begins ? runs.train("killed", kSteps, settings)
               : std::vector<std::string>{"train", "--resume",          "--data", runs.data(),
                                          "-o",    runs.file("killed"), "-t",     sitting % 2 == 0 ? "1" : "2"};
    // The kill comes some milliseconds after the log has grown by so many bytes: at a random place of a random step,
    // while a checkpoint is written, or between two of them.
    const std::uintmax_t grown = size_of(log) + 500 + random.below(12000);
    auto n_waits = random.below(15);
    test::RunOptions options;
    if (n_kills < kKills) options.kill_when = [&] { return size_of(log) > grown && n_waits-- == 0; };
    const test::Ended ended = test::TrainingRun::start(words, options);
    n_kills += ended.signal == SIGKILL ? 1 : 0;
    finished = ended.exit_code == 0;
    ASSERT_TRUE(finished || ended.signal == SIGKILL) << ended.err;
  }
  EXPECT_GE(n_kills, kKills - 2) << "too few kills came before the end: the test shows nothing";
  ASSERT_TRUE(finished);
  const std::string name = last_checkpoint(runs.file("whole"));
  ASSERT_EQ(last_checkpoint(runs.file("killed")), name);
  EXPECT_TRUE(test::whole_file(runs.file("killed/" + name)) == test::whole_file(runs.file("whole/" + name)));
  EXPECT_EQ(timeless_log(runs.file("killed")), timeless_log(runs.file("whole")));
}

INSTANTIATE_TEST_SUITE_P(
    Runs, TrainResumes,
    testing::Values(Case{"ternary", {}},
                    Case{"windows_with_samples", {"data.order=windows", "run.sample_every=25", "run.sample_tokens=4"}},
                    Case{"learned_steps_faded_in",
                         {"quantization.weights=lsq4", "quantization.from=0.3", "quantization.fade_in=60"}}),
    [](const auto& tested) { return std::string(tested.param.name); });

TEST(TrainResume, AHalfWrittenFileOfAKilledRunIsCleanedUp) {
  const test::TrainingRun runs;
  runs.run(runs.train("run", 12, {"run.checkpoint_every=4"}));
  for (const char* name :
       {"checkpoint-00000016.safetensors.tmp-4194304", "report.html.tmp-77", "my.tmp-notes", "notes.tmp-2024"}) {
    std::ofstream(runs.file(std::string("run/") + name)) << "half";
  }
  runs.run({"train", "--resume", "--data", runs.data(), "-o", runs.file("run")});
  EXPECT_FALSE(std::filesystem::exists(runs.file("run/checkpoint-00000016.safetensors.tmp-4194304")));
  EXPECT_FALSE(std::filesystem::exists(runs.file("run/report.html.tmp-77")));
  EXPECT_TRUE(std::filesystem::exists(runs.file("run/my.tmp-notes"))) << "not one of ours";
  EXPECT_TRUE(std::filesystem::exists(runs.file("run/notes.tmp-2024"))) << "not one of ours";
}

TEST(TrainResume, CtrlCKeepsTheStepThatWasReached) {
  const test::TrainingRun runs;
  const test::Ended ended = test::TrainingRun::start(runs.train("run", 100000), {.interrupt_after_ms = 1500});
  EXPECT_EQ(ended.exit_code, 130) << ended.err;
  EXPECT_NE(ended.err.find("go on with tern train --resume --data"), std::string::npos) << ended.err;
  const std::string name = last_checkpoint(runs.file("run"));
  ASSERT_FALSE(name.empty());
  const test::Ended more = test::TrainingRun::start(
      {"train", "--resume", "--data", runs.data(), "-o", runs.file("run"), "--steps", "1", "--json"});
  EXPECT_EQ(more.exit_code, 0) << more.err;
  EXPECT_EQ(nlohmann::json::parse(more.out)["step"].get<int>(), std::stoi(name.substr(11, 8)) + 1);
}

TEST(TrainResume, ADamagedCheckpointIsPassedOverForTheOneBefore) {
  const test::TrainingRun runs;
  runs.run(runs.train("run", 20, {"run.checkpoint_every=5"}));
  const std::string path = runs.file("run/" + last_checkpoint(runs.file("run")));
  std::string bytes = test::whole_file(path);
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
  std::ofstream(path, std::ios::binary) << bytes;
  const test::Ended ended = runs.run({"train", "--resume", "--data", runs.data(), "-o", runs.file("run"), "--json"});
  EXPECT_NE(ended.err.find("damaged"), std::string::npos) << ended.err;
  EXPECT_EQ(nlohmann::json::parse(ended.out)["step"].get<int>(), 20);
}

}  // namespace
}  // namespace tern
