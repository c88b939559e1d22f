// Broken files through the whole program: the right exit code, one line with the words that help, never a signal,
// within a second and 64 MB.
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "tests/support/process.hpp"

namespace tern::test {
namespace {

constexpr double kMaxSeconds = 1.0;
constexpr std::uint64_t kMaxBytes = 64'000'000;

void expect_modest(const Ended& ended) {
  EXPECT_EQ(ended.signal, 0);
  EXPECT_FALSE(ended.timed_out);
  if (kMeasuresPrograms) {
    EXPECT_LT(ended.cpu_seconds, kMaxSeconds);
    EXPECT_LT(ended.peak_resident, kMaxBytes);
  }
}

void expect_one_line(const Ended& ended) {
  EXPECT_EQ(std::ranges::count(ended.err, '\n'), 1) << ended.err;
  EXPECT_EQ(ended.err.rfind("tern: ", 0), 0U) << ended.err;
  EXPECT_LT(ended.err.size(), 1000U);
  EXPECT_EQ(ended.out, "");
}

// Tensors that mean nothing are told one by one before they are refused together.
void drop_told_tensors(Ended& ended) {
  while (ended.err.starts_with("unknown tensor ")) ended.err.erase(0, ended.err.find('\n') + 1);
}

TEST(BadInput, EachBrokenFileIsRefusedWithExitCode3AndOneLine) {
  const std::string folder = source_file("tests/bad_files/data/");
  const TemporaryFolder temporary;
  std::size_t n_refused = 0;
  for (const auto& row : nlohmann::json::parse(whole_file(folder + "expected.json"))) {
    const std::string kind = row["kind"];
    const std::string path = folder + row["file"].get<std::string>();
    SCOPED_TRACE(path);
    Ended ended;
    if (kind == "gguf") {
      ended = run_tern({"info", path});
    } else if (kind == "safetensors" || kind == "llama2c" || kind == "pytorch") {
      // A sound file of such a kind lacks its tokenizer or its config.json here, so it is refused as well, in other
      // words.
      ended = run_tern({"convert", path, "--outfile", temporary.file("out.gguf"), "--tokenizer", temporary.path()});
    } else if (kind == "folder") {
      ended = run_tern({"convert", path, "--outfile", temporary.file("out.gguf")});
      drop_told_tensors(ended);
    } else if (kind == "model") {
      ended = run_tern({"run", "-m", path, "-p", "tex", "-n", "1", "--temp", "0", "-t", "1"});
    } else {
      ended = run_tern({"tokenize", "--tokenizer", path, "-p", "text"});
    }
    expect_modest(ended);
    EXPECT_EQ(std::filesystem::remove(temporary.file("out.gguf")), row["code"] == "ok" && kind == "folder");
    if (row["code"] == "ok") {
      if (kind == "gguf" || kind == "folder" || kind == "model" || kind == "tokenizer") {
        EXPECT_EQ(ended.exit_code, 0) << ended.err;
      }
      continue;
    }
    ++n_refused;
    EXPECT_EQ(ended.exit_code, 3) << ended.err;
    expect_one_line(ended);
    EXPECT_NE(ended.err.find(row["message"].get<std::string>()), std::string::npos) << ended.err;
  }
  EXPECT_GE(n_refused, 480U);
}

TEST(BadInput, NoFileOfOtherPeoplesFuzzersDoesHarm) {
  TERN_NEEDS_DATA();
  std::size_t n = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(data_folder() + "/bad_files")) {
    if (!entry.is_regular_file()) continue;
    SCOPED_TRACE(entry.path().string());
    const Ended ended = run_tern({"info", entry.path().string(), "--tensors", "--metadata"});
    expect_modest(ended);
    EXPECT_TRUE(ended.exit_code == 0 || ended.exit_code == 3) << ended.exit_code << " " << ended.err;
    if (ended.exit_code == 3) expect_one_line(ended);
    ++n;
  }
  EXPECT_GE(n, 400U);
}

TEST(BadInput, NoFileOfOtherPeoplesFuzzersCanBeRunIntoTheGround) {
  TERN_NEEDS_DATA();
  for (const auto& entry : std::filesystem::recursive_directory_iterator(data_folder() + "/bad_files/synthetic_gguf")) {
    if (!entry.is_regular_file()) continue;
    SCOPED_TRACE(entry.path().string());
    const Ended ended = run_tern({"run", "-m", entry.path().string(), "-n", "1", "--temp", "0", "-t", "1"});
    expect_modest(ended);
    EXPECT_TRUE(ended.exit_code == 0 || ended.exit_code == 2 || ended.exit_code == 3)
        << ended.exit_code << " " << ended.err;
  }
}

}  // namespace
}  // namespace tern::test
