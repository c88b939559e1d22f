// A tiny training run through the program: a tokenizer and a data set made of the texts that ship with the project, and
// a recipe that takes milliseconds a step.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/support/process.hpp"

namespace tern::test {

class TrainingRun {
 public:
  TrainingRun() {
    run({"tokenizer", "train", source_file("data/eval/stories.txt"), "--vocab-size", "384", "-o", tokenizer()});
    run({"data", "pack", "stories=" + source_file("data/eval/stories.txt"), "--valid",
         "stories=" + source_file("data/eval/plain.txt"), "--separator", "\n\n", "--tokenizer", tokenizer(), "-o",
         data()});
  }

  [[nodiscard]] std::string file(const std::string& name) const { return folder_.file(name); }
  [[nodiscard]] std::string data() const { return file("data"); }
  [[nodiscard]] std::string tokenizer() const { return file("tokenizer"); }

  /// Words of `tern train` for a run of `n_steps` steps into the folder `name`, more settings behind. One thread: it is
  /// the cheapest, and none leaves a trace (threads_test.cpp).
  [[nodiscard]] std::vector<std::string> train(const std::string& name, int n_steps,
                                               const std::vector<std::string>& settings = {}) const {
    std::vector<std::string> words{"train", "--data", data(), "-o", file(name), "-t", "1", "--preset", "bitnet-b1.58"};
    std::vector<std::string> all{"model.hidden_size=64",
                                 "model.intermediate_size=128",
                                 "model.num_hidden_layers=2",
                                 "data.context=32",
                                 "optimizer.batch=4",
                                 "optimizer.microbatch=2",
                                 "optimizer.tokens=" + std::to_string(n_steps * 4 * 32),
                                 "schedule.warm_up=5",
                                 "run.validation_tokens=600",
                                 "run.sample_every=0"};
    all.insert(all.end(), settings.begin(), settings.end());
    for (const std::string& setting : all) {
      words.emplace_back("--set");
      words.push_back(setting);
    }
    return words;
  }

  /// Runs tern and expects it to end well.
  Ended run(const std::vector<std::string>& words) const {
    Ended ended = start(words);
    EXPECT_EQ(ended.exit_code, 0) << words.front() << ": " << ended.err;
    return ended;
  }

  [[nodiscard]] static Ended start(std::vector<std::string> words, const RunOptions& options = {}) {
    words.insert(words.begin(), TERN_PROGRAM);
    return run_program(words, options);
  }

 private:
  TemporaryFolder folder_;
};

}  // namespace tern::test
