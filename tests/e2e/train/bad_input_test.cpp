// What may go wrong with a training run from outside: data that is none or was damaged, folders that are taken, a disk
// that is full, a loss that runs away, an impatient person. Each ends with one line and the right exit code, leaves no
// folder where nothing was done, and never costs a checkpoint that was good. Bad recipes: cli/transcripts/training.txt.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>

#include "tests/support/models.hpp"
#include "tests/support/training_run.hpp"
#include "train/run/checkpoint.hpp"
#include "train/run/run.hpp"

namespace tern::test {
namespace {

namespace fs = std::filesystem;

class TrainBadInput : public testing::Test {
 protected:
  /// One line on stderr that holds `message`; `folder` is not there afterwards.
  void expect_refused(const std::vector<std::string>& words, int exit_code, const std::string& message,
                      const std::string& folder) const {
    const Ended ended = TrainingRun::start(words);
    EXPECT_EQ(ended.exit_code, exit_code) << ended.err;
    EXPECT_NE(ended.err.find(message), std::string::npos) << ended.err;
    EXPECT_EQ(std::ranges::count(ended.err, '\n'), 1) << ended.err;
    EXPECT_TRUE(ended.out.empty()) << ended.out;
    EXPECT_FALSE(fs::exists(folder)) << folder;
  }
  [[nodiscard]] std::vector<std::string> on_data(const std::string& data) const {
    std::vector<std::string> words = runs_.train("run", 10);
    *(std::ranges::find(words, "--data") + 1) = data;
    return words;
  }
  [[nodiscard]] std::vector<std::string> resume(const std::string& name) const {
    return {"train", "--resume", "--data", runs_.data(), "-o", runs_.file(name)};
  }
  [[nodiscard]] std::string copy_of_data(const std::string& name) const {
    fs::copy(runs_.data(), runs_.file(name));
    return runs_.file(name);
  }
  [[nodiscard]] std::vector<std::string> files_of(const std::string& name) const {
    std::vector<std::string> out;
    for (const auto& item : fs::directory_iterator(runs_.file(name))) out.push_back(item.path().filename().string());
    std::ranges::sort(out);
    return out;
  }
  static void damage(const std::string& path) {
    std::string bytes = whole_file(path);
    bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
    std::ofstream(path, std::ios::binary) << bytes;
  }

  TrainingRun runs_;
};

TEST_F(TrainBadInput, AFolderOfARunWithoutACheckpointKeepsNothingOfIt) {
  // As a run leaves it that diverged early, on data with a tokenizer of another kind.
  fs::create_directory(runs_.file("run"));
  for (const char* name : {".tern-run", "tokenizer.gguf", "tokenizer.model", "latest.gguf", "log.jsonl"}) {
    std::ofstream(runs_.file("run") + "/" + name) << "old";
  }
  runs_.run(runs_.train("run", 2));
  const std::vector<std::string> files = files_of("run");
  for (const char* name : {"tokenizer.gguf", "tokenizer.model", "latest.gguf"}) {
    EXPECT_EQ(std::ranges::count(files, name), 0) << name;
  }
  EXPECT_EQ(std::ranges::count(files, "tokenizer.json"), 1);
  EXPECT_EQ(whole_file(runs_.file("run") + "/log.jsonl").find("old"), std::string::npos);
}

TEST_F(TrainBadInput, WhatWouldBeSilentlyOtherwiseIsNoted) {
  const Ended ended = runs_.run(runs_.train("run", 2, {"data.context=1500", "optimizer.tokens=12000"}));
  EXPECT_NE(ended.err.find("it never reaches its peak"), std::string::npos) << ended.err;
  const Ended other = runs_.run(
      {"data", "pack", source_file("data/eval/plain.txt"), "--tokenizer", runs_.tokenizer(), "-o", runs_.file("all")});
  std::vector<std::string> words = runs_.train("second", 2);
  *(std::ranges::find(words, "--data") + 1) = runs_.file("all");
  EXPECT_NE(runs_.run(words).err.find("the data hold nothing out"), std::string::npos);
}

TEST_F(TrainBadInput, AFolderThatIsNoDataSetIsRefused) {
  fs::create_directory(runs_.file("empty"));
  expect_refused(on_data(runs_.file("empty")), 3, "holds no data.json", runs_.file("run"));
  expect_refused(on_data(runs_.tokenizer()), 3, "holds no data.json", runs_.file("run"));
  expect_refused(on_data(runs_.file("missing")), 3, "no such folder", runs_.file("run"));
}

TEST_F(TrainBadInput, ADamagedDataSetIsRefused) {
  const std::string shard = "/00-train-00000.tokens";
  const std::string cut = copy_of_data("cut");
  fs::resize_file(cut + shard, 1000);
  expect_refused(on_data(cut), 3, "1000 bytes, expected", runs_.file("run"));

  const std::string foreign = copy_of_data("foreign");  // of the right size: its hash tells
  std::string tokens = whole_file(foreign + shard);
  for (std::size_t i = 0; i < tokens.size(); i += 2) {
    tokens[i] = static_cast<char>(500 & 255);
    tokens[i + 1] = 1;
  }
  std::ofstream(foreign + shard, std::ios::binary) << tokens;
  expect_refused(on_data(foreign), 3, "the file is damaged", runs_.file("run"));
}

TEST_F(TrainBadInput, AFolderThatWasThereBeforeKeepsWhatItHeld) {
  const std::string folder = runs_.file("run");
  fs::create_directory(folder);
  std::ofstream(folder + "/mine.txt") << "mine";
  const std::string foreign = copy_of_data("foreign");
  std::string tokens(fs::file_size(foreign + "/00-train-00000.tokens"), '\xff');
  std::ofstream(foreign + "/00-train-00000.tokens", std::ios::binary) << tokens;
  EXPECT_EQ(TrainingRun::start(on_data(foreign)).exit_code, 3);
  EXPECT_EQ(whole_file(folder + "/mine.txt"), "mine");
}

TEST_F(TrainBadInput, AFolderThatIsTakenIsRefused) {
  runs_.run(runs_.train("first", 4));
  const auto before = files_of("first");
  const std::string log = whole_file(runs_.file("first/log.jsonl"));
  const Ended again = TrainingRun::start(runs_.train("first", 4));
  EXPECT_EQ(again.exit_code, 2) << again.err;
  EXPECT_NE(again.err.find("holds a run already (checkpoint-00000004.safetensors); go on with --resume"),
            std::string::npos)
      << again.err;
  EXPECT_EQ(files_of("first"), before);
  EXPECT_EQ(whole_file(runs_.file("first/log.jsonl")), log);

  const auto data_before = files_of("data");
  const Ended into_data = TrainingRun::start(runs_.train("data", 4));
  EXPECT_EQ(into_data.exit_code, 2) << into_data.err;
  EXPECT_NE(into_data.err.find("holds a data set"), std::string::npos) << into_data.err;
  EXPECT_EQ(files_of("data"), data_before);

  fs::create_directory(runs_.file("mine"));
  std::ofstream(runs_.file("mine/recipe.json")) << "mine";
  const Ended into_mine = TrainingRun::start(runs_.train("mine", 4));
  EXPECT_EQ(into_mine.exit_code, 2) << into_mine.err;
  EXPECT_NE(into_mine.err.find("holds files, but no run"), std::string::npos) << into_mine.err;
  EXPECT_EQ(whole_file(runs_.file("mine/recipe.json")), "mine");

  std::ofstream(runs_.file("file")) << "x";
  EXPECT_EQ(TrainingRun::start(runs_.train("file", 4)).exit_code, 2);
  EXPECT_EQ(whole_file(runs_.file("file")), "x");
}

TEST_F(TrainBadInput, ACopyOfACheckpointUnderAnotherNameIsNobodysBusiness) {
  runs_.run(runs_.train("run", 8, {"run.checkpoint_every=4"}));
  fs::copy_file(runs_.file("run/checkpoint-00000004.safetensors"), runs_.file("run/checkpoint-best.safetensors"));
  const Ended more =
      TrainingRun::start({"train", "--resume", "--data", runs_.data(), "-o", runs_.file("run"), "--json"});
  EXPECT_EQ(more.exit_code, 0) << more.err;
  EXPECT_NE(more.out.find("\"step\": 8"), std::string::npos) << more.out;
  EXPECT_TRUE(fs::exists(runs_.file("run/checkpoint-best.safetensors")));
}

TEST_F(TrainBadInput, TwoRunsDoNotWriteIntoOneFolder) {
  runs_.run(runs_.train("run", 4));
  const int fd = ::open(runs_.file("run/.tern-run").c_str(), O_RDWR);
  ASSERT_GE(fd, 0);
  ASSERT_EQ(::flock(fd, LOCK_EX), 0);
  const Ended second = TrainingRun::start({"train", "--resume", "--data", runs_.data(), "-o", runs_.file("run")});
  ::close(fd);
  EXPECT_EQ(second.exit_code, 2) << second.err;
  EXPECT_NE(second.err.find("another tern train is writing there"), std::string::npos) << second.err;
}

TEST_F(TrainBadInput, ALongContextAndManyThreadsAreNoTrouble) {
  runs_.run(runs_.train("long", 1,
                        {"data.context=4200", "optimizer.batch=1", "optimizer.microbatch=1", "optimizer.tokens=4200"}));
  auto words = runs_.train("threads", 2);
  *(std::ranges::find(words, "-t") + 1) = "1000";
  runs_.run(words);
}

TEST_F(TrainBadInput, ResumeRefusesWhatItCannotGoOnWith) {
  expect_refused(resume("nothing"), 3, "no checkpoint to go on from", runs_.file("nothing"));

  runs_.run(runs_.train("first", 8, {"run.checkpoint_every=4"}));
  runs_.run({"data", "pack", "stories=" + source_file("data/eval/plain.txt"), "--tokenizer", runs_.tokenizer(), "-o",
             runs_.file("other")});
  const Ended other =
      TrainingRun::start({"train", "--resume", "--data", runs_.file("other"), "-o", runs_.file("first")});
  EXPECT_EQ(other.exit_code, 3);
  EXPECT_NE(other.err.find("the run began on other data"), std::string::npos) << other.err;

  // A foreign file under a checkpoint's name, and one that was cut, are passed over; with nothing behind them the run
  // has ended.
  fs::copy_file(runs_.file("first/checkpoint-00000008.safetensors"),
                runs_.file("first/checkpoint-00000009.safetensors"));
  fs::resize_file(runs_.file("first/checkpoint-00000009.safetensors"), 100000);
  std::ofstream(runs_.file("first/checkpoint-00000010.safetensors")) << "no checkpoint";
  const Ended passed = runs_.run(resume("first"));
  EXPECT_NE(passed.err.find("checkpoint-00000010.safetensors: "), std::string::npos) << passed.err;
  EXPECT_NE(passed.err.find("checkpoint-00000009.safetensors: "), std::string::npos) << passed.err;
  damage(runs_.file("first/checkpoint-00000008.safetensors"));
  damage(runs_.file("first/checkpoint-00000004.safetensors"));
  const Ended lost = TrainingRun::start(resume("first"));
  EXPECT_EQ(lost.exit_code, 3) << lost.err;
  EXPECT_NE(lost.err.find("no checkpoint to go on from"), std::string::npos) << lost.err;
  EXPECT_NE(lost.err.find("is damaged"), std::string::npos) << lost.err;
}

TEST_F(TrainBadInput, AFullDiskCostsNoCheckpointAndTheRunGoesOn) {
  const std::vector<std::string> settings{"run.checkpoint_every=4"};
  runs_.run(runs_.train("whole", 16, settings));
  std::vector<std::string> first = runs_.train("full", 16, settings);
  first.insert(first.end(), {"--steps", "8"});
  runs_.run(first);
  const auto before = files_of("full");
  const auto blocks = fs::file_size(runs_.file("full/checkpoint-00000008.safetensors")) / 2 / 512;
  // A file that may not grow beyond half a checkpoint stands for the disk that is full.
  const Ended full =
      run_program({"/bin/sh", "-c",
                   "trap '' XFSZ; ulimit -f " + std::to_string(blocks) + "; exec '" + TERN_PROGRAM +
                       "' train --resume --data '" + runs_.data() + "' -o '" + runs_.file("full") + "'"});
  EXPECT_EQ(full.exit_code, 1) << full.err;
  EXPECT_NE(full.err.find("checkpoint-00000012.safetensors: cannot write"), std::string::npos) << full.err;
  EXPECT_EQ(std::ranges::count(full.err, '\n'), 1) << full.err;
  EXPECT_EQ(files_of("full"), before) << "the half checkpoint is gone, the good ones are not";
  runs_.run(resume("full"));
  EXPECT_TRUE(whole_file(runs_.file("full/checkpoint-00000016.safetensors")) ==
              whole_file(runs_.file("whole/checkpoint-00000016.safetensors")));
}

TEST_F(TrainBadInput, ACheckpointOfAnotherModelIsRefusedByItsTensors) {
  runs_.run(runs_.train("run", 2));
  runs_.run(runs_.train("wide", 2, {"model.hidden_size=128"}));
  runs_.run(runs_.train("deep", 2, {"model.num_hidden_layers=3"}));
  runs_.run(runs_.train("shallow", 2, {"model.num_hidden_layers=1"}));
  Progress quiet;
  const auto saved = must(train::newest_checkpoint(runs_.file("run"), quiet));
  const auto refusal = [&](const char* other) {
    const auto trainer = must(train::restore(must(train::newest_checkpoint(runs_.file(other), quiet)), 1));
    const auto done = saved.restore(*trainer);
    EXPECT_FALSE(done) << other;
    return done ? std::string() : done.error().message;
  };
  EXPECT_NE(refusal("wide").find("token_embd.weight has another shape: the checkpoint is of another model"),
            std::string::npos)
      << refusal("wide");
  EXPECT_NE(refusal("deep").find("is missing: the checkpoint is of another model"), std::string::npos)
      << refusal("deep");
  EXPECT_NE(refusal("shallow").find("tensors, the model has"), std::string::npos) << refusal("shallow");
}

TEST_F(TrainBadInput, ALossThatRunsAwayStopsTheRunWithAdvice) {
  const Ended away = TrainingRun::start(
      runs_.train("away", 60, {"optimizer.learning_rate=100", "optimizer.clip=0", "run.checkpoint_every=1"}));
  EXPECT_EQ(away.exit_code, 3) << away.err;
  EXPECT_NE(away.err.find("the loss went up to "), std::string::npos) << away.err;
  EXPECT_NE(away.err.find("lower optimizer.learning_rate"), std::string::npos) << away.err;
  const auto at = away.err.find("checkpoint-");
  ASSERT_NE(at, std::string::npos) << away.err;
  EXPECT_TRUE(fs::exists(runs_.file("away/" + away.err.substr(at, 31)))) << away.err;

  const Ended nan = TrainingRun::start(
      runs_.train("nan", 60, {"optimizer.learning_rate=100", "model.initializer_range=10", "run.diverged_above=0"}));
  EXPECT_EQ(nan.exit_code, 3) << nan.err;
  EXPECT_NE(nan.err.find("the loss is no number at step "), std::string::npos) << nan.err;
  EXPECT_NE(nan.err.find("no checkpoint was written yet"), std::string::npos) << nan.err;
}

TEST_F(TrainBadInput, CtrlCAtAnyMomentLeavesARunThatGoesOnOrNothing) {
  for (const int after : {2, 30, 120, 250, 400}) {
    SCOPED_TRACE(after);
    const std::string name = "run" + std::to_string(after);
    const Ended ended =
        TrainingRun::start(runs_.train(name, 100000, {"run.validate_every=0"}), {.interrupt_after_ms = after});
    EXPECT_TRUE(ended.exit_code == 130 || ended.signal == SIGINT) << ended.exit_code << ": " << ended.err;
    if (!fs::exists(runs_.file(name))) continue;
    std::vector<std::string> more = resume(name);
    more.insert(more.end(), {"--steps", "1"});
    runs_.run(more);
  }
}

}  // namespace
}  // namespace tern::test
