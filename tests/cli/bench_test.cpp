// tern bench as a program: a real model from start to end, in every form of output. Never a test on a time.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/support/process.hpp"

namespace tern::test {
namespace {

std::vector<std::string> quick(const std::vector<std::string>& more) {
  std::vector<std::string> words{
      "bench", "-m", source_file("models/tern-stories-ternary-TQ2_0.gguf"), "-p", "8", "-n", "2", "-r", "1", "-t", "1"};
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

nlohmann::json json_of(const Ended& ended) {
  EXPECT_EQ(ended.exit_code, 0) << ended.err;
  const auto value = nlohmann::json::parse(ended.out, nullptr, false);
  EXPECT_TRUE(value.is_object()) << ended.out;
  return value;
}

TEST(Bench, JsonHasARowForEachTestWithTheMembersThatScriptsRelyOn) {
  const auto json = json_of(run_tern(quick({"-o", "json", "--limit-seconds", "0", "-d", "0,3", "-s", "1,2"})));
  ASSERT_EQ(json["rows"].size(), 8U);
  for (const auto& row : json["rows"]) {
    EXPECT_EQ(row["n_prompt"].get<int>() + row["n_gen"].get<int>(), row["n_gen"] == 0 ? 8 : 2);
    EXPECT_EQ(row["n_threads"], 1);
    EXPECT_TRUE(row["isa"].is_string());
    EXPECT_GT(row["tokens_per_second"].get<double>(), 0.0);
    EXPECT_TRUE(row["percent_of_limit"].is_null()) << "no limit was measured";
    EXPECT_EQ(row["repetitions"].size(), 1U);
    EXPECT_GT(row["bytes_per_token"].get<double>(), 0.0);
  }
  EXPECT_GT(json["peak_resident_bytes"].get<double>(), 1e6);
  EXPECT_EQ(json["file_bytes"], std::filesystem::file_size(source_file("models/tern-stories-ternary-TQ2_0.gguf")));
  EXPECT_GE(json["load_seconds"].begin()->get<double>(), 0.0);
}

TEST(Bench, MeasuresTheLimitsOfTheMachineInTheSameRun) {
  const Ended ended = run_tern(quick({"--json", "--limit-seconds", "0.05"}));
  // A tiny model on a busy machine: every row is far below its limit, or read from the cache and without one.
  const auto json = json_of(ended);
  ASSERT_FALSE(json["limits"].empty());
  EXPECT_EQ(json["limits"][0]["quantity"], "read_huge");
  if (json["limits"][0]["value"].is_null()) GTEST_SKIP() << "SKIPPED: this machine has no memory for the buffer";
  EXPECT_GT(json["limits"][0]["value"].get<double>(), 0.0);
  for (const auto& row : json["rows"]) {
    if (row["percent_of_limit"].is_null()) continue;
    EXPECT_GT(row["percent_of_limit"].get<double>(), 0.0);
    EXPECT_LE(row["percent_of_limit"].get<double>(), 100.0);
    EXPECT_TRUE(row["limit"].is_string());
  }
}

TEST(Bench, SaysWhereTheTimeOfATestGoes) {
  const auto json = json_of(run_tern(quick({"--json", "--limit-seconds", "0", "--operations"})));
  for (const auto& row : json["rows"]) {
    std::vector<std::string> names;
    for (const auto& operation : row["operations"]) {
      EXPECT_GT(operation["seconds"].get<double>(), 0.0);
      names.push_back(operation["operation"].get<std::string>());
    }
    EXPECT_NE(std::ranges::find(names, "attention"), names.end());
    EXPECT_GE(names.size(), 8U);
  }
  const Ended refused = run_tern(quick({"-o", "csv", "--operations"}));
  EXPECT_EQ(refused.exit_code, 2);
  EXPECT_NE(refused.err.find("use -o md or json"), std::string::npos) << refused.err;
}

TEST(Bench, ComparesWithWhatItWroteEarlier) {
  const TemporaryFolder folder;
  const Ended first = run_tern(quick({"-o", "json", "--limit-seconds", "0"}));
  ASSERT_EQ(first.exit_code, 0) << first.err;
  std::ofstream(folder.file("old.json")) << first.out;
  const auto json =
      json_of(run_tern(quick({"-o", "json", "--limit-seconds", "0", "--compare", folder.file("old.json")})));
  ASSERT_EQ(json["rows"].size(), 2U);
  for (const auto& row : json["rows"]) {
    EXPECT_GT(row["ratio"].get<double>(), 0.0);
    EXPECT_TRUE(row["within_spread"].is_boolean());
  }
  const Ended table = run_tern(quick({"--limit-seconds", "0", "--compare", folder.file("old.json")}));
  EXPECT_NE(table.out.find("against old.json"), std::string::npos) << table.out << table.err;
}

TEST(Bench, TablesNameTheTests) {
  const Ended table = run_tern(quick({"--limit-seconds", "0", "-d", "4"}));
  EXPECT_EQ(table.exit_code, 0) << table.err;
  EXPECT_NE(table.out.find("| pp8 @ d4 |"), std::string::npos) << table.out;
  EXPECT_NE(table.out.find("| tg2 @ d4 |"), std::string::npos) << table.out;
  const Ended csv = run_tern(quick({"--limit-seconds", "0", "-o", "csv"}));
  EXPECT_EQ(csv.exit_code, 0) << csv.err;
  EXPECT_EQ(csv.out.find("n_prompt,n_gen,"), 0U) << csv.out;
  EXPECT_NE(csv.out.find("\n8,0,0,1,1,"), std::string::npos) << csv.out;
  EXPECT_NE(csv.out.find("\n0,2,0,1,1,"), std::string::npos) << csv.out;
}

TEST(Bench, ComparesOneProductWithF32) {
  const auto json = json_of(run_tern({"bench", "--matmul", "64x1x256", "--type", "Q4_K", "--type", "TQ2_0", "-r", "1",
                                      "-t", "1", "--limit-seconds", "0", "--json"}));
  ASSERT_EQ(json["rows"].size(), 3U);
  EXPECT_EQ(json["rows"][0]["type"], "F32");
  EXPECT_EQ(json["rows"][0]["ratio_to_f32"], 1.0);
  EXPECT_EQ(json["rows"][2]["type"], "TQ2_0");
  EXPECT_GT(json["rows"][2]["gigamacs_per_second"].get<double>(), 0.0);
}

TEST(Bench, CtrlCStopsIt) {
  RunOptions options;
  options.interrupt_after_ms = 300;
  const Ended ended = run_tern({"bench", "-m", source_file("models/tern-stories-ternary-TQ2_0.gguf"), "-n", "20000",
                                "-p", "0", "-t", "1", "--limit-seconds", "0"},
                               options);
  EXPECT_FALSE(ended.timed_out);
  EXPECT_EQ(ended.exit_code, 130);
  EXPECT_EQ(ended.out, "");
}

}  // namespace
}  // namespace tern::test
