// Signals that ask a program to end: each ends the work as Ctrl-C does, with nothing half-written and the exit code
// that a shell expects; a hang-up that somebody chose to ignore is ignored.
#include <gtest/gtest.h>

#include "tests/support/process.hpp"
#include "tests/support/tiny_checkpoint.hpp"

namespace tern::test {
namespace {

class Signals : public testing::Test {
 protected:
  void SetUp() override {
    write_tiny_checkpoint(folder_.file("tiny.bin"), 100000);
    write_tiny_tokenizer(folder_.file("t.bin"));
    ASSERT_EQ(run_tern({"convert", "tiny.bin", "--tokenizer", "t.bin", "--outfile", "m.gguf"}, in_folder()).exit_code,
              0);
  }
  [[nodiscard]] RunOptions in_folder() const { return {.folder = folder_.path(), .timeout_seconds = 60}; }

  // `command` runs beside the shell, which sends it `kills` ("kill -HUP $!") once `ready` is true.
  [[nodiscard]] Ended run_and_signal(const std::string& command, const std::string& ready,
                                     const std::string& kills) const {
    const std::string script = std::string("TERN='") + TERN_PROGRAM + "'; " + command + " & for i in $(seq 200); do " +
                               ready + " && break; sleep 0.05; done; " + kills + "; wait $!";
    return run_program({"/bin/sh", "-c", script}, in_folder());
  }
  TemporaryFolder folder_;
};

const std::string kEndless = "\"$TERN\" run m.gguf --ignore-eos --temp 1 -s 1 -t 1 > out";
const std::string kWroteText = "test -s out";

TEST_F(Signals, EachEndsRunWithItsOwnCode) {
  EXPECT_EQ(run_and_signal(kEndless, kWroteText, "kill -HUP $!").exit_code, 128 + SIGHUP);
  EXPECT_EQ(run_and_signal(kEndless, kWroteText, "kill -TERM $!").exit_code, 128 + SIGTERM);
}

TEST_F(Signals, AHangUpLeavesNoTemporaryFile) {
  const std::string command = "\"$TERN\" logits m.gguf -f - -t 1 -o slow.npy < ids";
  std::string ids;
  for (int i = 0; i < 20000; ++i) ids += "5 ";
  std::ofstream(folder_.file("ids")) << ids;
  for (const char* signal : {"HUP", "TERM"}) {
    const Ended ended =
        run_and_signal(command, "ls slow.npy.* > /dev/null 2>&1", std::string("kill -") + signal + " $!");
    EXPECT_EQ(ended.exit_code, 128 + (std::string(signal) == "HUP" ? SIGHUP : SIGTERM));
    EXPECT_EQ(ended.err, "tern: stopped; nothing was written\n");
    for (const auto& entry : std::filesystem::directory_iterator(folder_.path())) {
      EXPECT_FALSE(entry.path().filename().string().starts_with("slow")) << entry.path();
    }
  }
}

TEST_F(Signals, UnderNohupTheWorkGoesOn) {
  const Ended ended =
      run_and_signal("(trap '' HUP; exec " + kEndless + ")", kWroteText, "kill -HUP $!; sleep 0.3; kill -TERM $!");
  EXPECT_EQ(ended.exit_code, 128 + SIGTERM) << "the hang-up was not to be heard";
}

}  // namespace
}  // namespace tern::test
