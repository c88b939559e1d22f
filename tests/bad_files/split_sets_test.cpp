// Broken models in parts: each set of tests/bad_files/split_sets is refused with the code and words expected.json asks
// for (made by make_split_sets.py), quickly, in little memory, in one line that begins with the file opened.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "files/gguf_reader.hpp"
#include "sys/clock.hpp"
#include "sys/memory.hpp"
#include "tests/support/data.hpp"

namespace tern::files {
namespace {

nlohmann::json expected() {
  std::ifstream in(tern::test::source_file("tests/bad_files/split_sets/expected.json"));
  return nlohmann::json::parse(in);
}

std::string code_text(const Result<GgufFile>& file) {
  if (file) return "ok";
  if (file.error().code == ErrorCode::bad_input) return "bad_input";
  return file.error().code == ErrorCode::not_found ? "not_found" : "another code";
}

TEST(SplitSets, EachIsRefusedInTheWordsExpected) {
  std::size_t n_refused = 0;
  for (const auto& row : expected()) {
    const std::string path = tern::test::source_file("tests/bad_files/split_sets/" + row["open"].get<std::string>());
    SCOPED_TRACE(path);
    ASSERT_TRUE(std::filesystem::exists(path));
    const sys::Stopwatch watch;
    const auto file = GgufFile::open(path);
    EXPECT_LT(watch.seconds(), 1.0);
    EXPECT_EQ(code_text(file), row["code"]) << (file ? "" : file.error().message);
    if (file) continue;
    ++n_refused;
    const std::string& message = file.error().message;
    EXPECT_NE(message.find(row["message"].get<std::string>()), std::string::npos) << message;
    EXPECT_TRUE(message.starts_with(path + ": ")) << message;
    EXPECT_EQ(message.find('\n'), std::string::npos) << message;
    EXPECT_LT(message.size(), 2 * path.size() + 300);
  }
  EXPECT_GE(n_refused, 20U);
  EXPECT_LT(sys::memory_use().peak_resident, 64'000'000U);
}

TEST(SplitSets, EverySetIsInTheList) {
  std::set<std::string> listed;
  for (const auto& row : expected()) {
    const std::string open = row["open"];
    EXPECT_TRUE(listed.insert(open.substr(0, open.find('/'))).second) << open;
  }
  for (const auto& item : std::filesystem::directory_iterator(tern::test::source_file("tests/bad_files/split_sets"))) {
    if (item.is_directory()) {
      EXPECT_TRUE(listed.contains(item.path().filename())) << item.path();
    }
  }
}

}  // namespace
}  // namespace tern::files
