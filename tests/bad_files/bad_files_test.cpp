// Broken files: each of tests/bad_files/data is refused with the code and words expected.json asks for (made by
// make_bad_files.py), and none of the malformed files of the data folder does harm. Quickly and in little memory.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "files/gguf_reader.hpp"
#include "files/kind.hpp"
#include "files/llama2c.hpp"
#include "files/pytorch.hpp"
#include "files/safetensors.hpp"
#include "sys/clock.hpp"
#include "sys/memory.hpp"
#include "tests/support/data.hpp"

namespace tern::files {
namespace {

constexpr double kMaxSeconds = 1.0;
constexpr std::uint64_t kMaxBytes = 64'000'000;

const std::set<std::string> kKinds{"gguf", "safetensors", "llama2c", "pytorch"};

using Outcome = Result<void>;

template <typename File>
Outcome outcome_of(const Result<File>& file) {
  if (!file) return std::unexpected(file.error());
  return {};
}

Outcome open_as(const std::string& kind, const std::string& path) {
  if (kind == "gguf") return outcome_of(GgufFile::open(path));
  if (kind == "safetensors") return outcome_of(SafetensorsFile::open(path));
  if (kind == "llama2c") return outcome_of(Llama2cFile::open(path));
  if (kind == "pytorch") return outcome_of(PytorchFile::open(path));
  return fail(ErrorCode::internal, "the test knows no kind {}", kind);
}

std::string code_text(const Outcome& outcome) {
  if (outcome) return "ok";
  switch (outcome.error().code) {
    case ErrorCode::bad_input:
      return "bad_input";
    case ErrorCode::unsupported:
      return "unsupported";
    default:
      return "another code";
  }
}

TEST(BadFiles, EachIsRefusedInTheWordsExpected) {
  const std::string folder = tern::test::source_file("tests/bad_files/data/");
  std::ifstream in(folder + "expected.json");
  ASSERT_TRUE(in);
  const auto rows = nlohmann::json::parse(in);
  std::size_t n_refused = 0;
  for (const auto& row : rows) {
    if (!kKinds.contains(row["kind"].get<std::string>())) continue;  // other rooms'
    const std::string path = folder + row["file"].get<std::string>();
    SCOPED_TRACE(path);
    ASSERT_TRUE(std::filesystem::exists(path));
    const sys::Stopwatch watch;
    const Outcome outcome = open_as(row["kind"], path);
    EXPECT_LT(watch.seconds(), kMaxSeconds);
    const std::string message = outcome ? "" : outcome.error().message;
    EXPECT_EQ(code_text(outcome), row["code"]) << message;
    if (outcome) continue;
    ++n_refused;
    EXPECT_NE(message.find(row["message"].get<std::string>()), std::string::npos) << message;
    EXPECT_TRUE(message.starts_with(path + ": ")) << message;
    EXPECT_EQ(message.find('\n'), std::string::npos) << message;
    EXPECT_LT(message.size(), path.size() + 400);
  }
  EXPECT_GE(n_refused, 215U);
  EXPECT_LT(sys::memory_use().peak_resident, kMaxBytes);
}

TEST(BadFiles, EveryFileOfTheListIsThereAndEveryFileIsInTheList) {
  const std::string folder = tern::test::source_file("tests/bad_files/data/");
  std::ifstream in(folder + "expected.json");
  const auto rows = nlohmann::json::parse(in);
  std::set<std::string> listed;
  std::map<std::string, std::size_t> n_refused;  // by the first word of the file's name
  for (const auto& row : rows) {
    const std::string file = row["file"];
    EXPECT_TRUE(listed.insert(file).second) << file;
    n_refused[file.substr(0, file.find('_'))] += row["code"] == "ok" ? 0 : 1;
  }
  for (const auto& [door, n] : n_refused) EXPECT_GE(n, 8U) << door;
  EXPECT_GE(n_refused.size(), 11U);
  for (const auto& item : std::filesystem::directory_iterator(folder)) {
    const std::string name = item.path().filename();
    if (name != "expected.json") {
      EXPECT_TRUE(listed.contains(name)) << name;
    }
  }
}

TEST(BadFiles, SyntheticGgufFilesAreReadOrRefusedAsTheyDeserve) {
  TERN_NEEDS_DATA();
  // All but one are valid GGUF, if useless: metadata alone, no tensors. mini.gguf puts two fields after the counts that
  // no version of the format has, so its first key seems to be longer than the file.
  const std::map<std::string, std::string> refused{{"mini.gguf", "truncated: metadata key 1 of 4"}};
  std::size_t n_files = 0;
  for (const auto& item :
       std::filesystem::directory_iterator(tern::test::data_folder() + "/bad_files/synthetic_gguf")) {
    ++n_files;
    const auto file = GgufFile::open(item.path());
    const auto want = refused.find(item.path().filename());
    EXPECT_EQ(file.has_value(), want == refused.end()) << item.path() << (file ? "" : file.error().message);
    if (file) {
      EXPECT_FALSE(file->architecture().empty()) << item.path();
      continue;
    }
    EXPECT_EQ(file.error().code, ErrorCode::bad_input);
    if (want != refused.end()) {
      EXPECT_NE(file.error().message.find(want->second), std::string::npos) << file.error().message;
    }
  }
  EXPECT_EQ(n_files, 18U);
}

TEST(BadFiles, AnotherProjectsFuzzingCorpusDoesNoHarm) {
  TERN_NEEDS_DATA();
  std::size_t n_files = 0;
  for (const auto& item : std::filesystem::recursive_directory_iterator(tern::test::data_folder() + "/bad_files")) {
    if (!item.is_regular_file()) continue;
    ++n_files;
    const std::string path = item.path();
    const sys::Stopwatch watch;
    for (const std::string& kind : kKinds) {
      const Outcome outcome = open_as(kind, path);
      if (!outcome) {
        EXPECT_NE(code_text(outcome), "another code") << outcome.error().message;
        EXPECT_EQ(outcome.error().message.find('\n'), std::string::npos) << outcome.error().message;
      }
    }
    EXPECT_TRUE(detect_kind(path));
    EXPECT_LT(watch.seconds(), kMaxSeconds) << path;
  }
  EXPECT_GT(n_files, 400U);
  EXPECT_LT(sys::memory_use().peak_resident, kMaxBytes);
}

TEST(BadFiles, MissingFilesAndFoldersAreSaidToBeSo) {
  const tern::test::TemporaryFolder folder;
  for (const std::string& kind : kKinds) {
    const Outcome missing = open_as(kind, folder.file("absent"));
    ASSERT_FALSE(missing);
    EXPECT_EQ(missing.error().code, ErrorCode::not_found);
    const Outcome directory = open_as(kind, folder.path());
    ASSERT_FALSE(directory);
    EXPECT_TRUE(directory.error().message.contains(kind == "gguf" ? "is a folder" : "is a directory"))
        << directory.error().message;
  }
}

}  // namespace
}  // namespace tern::files
