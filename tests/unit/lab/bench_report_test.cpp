// A benchmark as JSON, Markdown and CSV, and beside an earlier one.
#include "lab/bench_report.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <span>

#include "formats/all.hpp"
#include "lab/bench_compare.hpp"
#include "lab/bench_json.hpp"
#include "tests/support/bench_result.hpp"
#include "tests/support/listener.hpp"

namespace tern::lab {
namespace {

using Json = nlohmann::ordered_json;

using test::Listener;

OldBench old_of(const BenchResult& result, std::string name = "old.json") {
  const std::string text = to_json(result).dump();
  auto old = old_bench(std::as_bytes(std::span(text)), std::move(name));
  EXPECT_TRUE(old.has_value()) << (old ? "" : old.error().message);
  return old.value_or(OldBench{});
}

TEST(BenchJson, RowsCarryTheMembersThatScriptsRelyOn) {
  const Json json = to_json(test::bench_result());
  ASSERT_EQ(json["rows"].size(), 2U);
  const Json& prompt = json["rows"][0];
  EXPECT_EQ(prompt["n_prompt"], 128);
  EXPECT_EQ(prompt["n_gen"], 0);
  EXPECT_EQ(prompt["n_threads"], 2);
  EXPECT_EQ(prompt["isa"], "avx2");
  EXPECT_EQ(prompt["tokens_per_second"], 200.0);
  EXPECT_TRUE(prompt["percent_of_limit"].is_null());
  EXPECT_TRUE(prompt["limit"].is_null());
  EXPECT_EQ(prompt["repetitions"], (Json{200.0, 210.0, 190.0}));
  const Json& generation = json["rows"][1];
  EXPECT_EQ(generation["n_depth"], 64);
  EXPECT_EQ(generation["n_sequences"], 2);
  EXPECT_EQ(generation["percent_of_limit"], 80.0);
  EXPECT_EQ(generation["limit"], "read_huge");
  EXPECT_EQ(generation["disturbed"], 1);
  EXPECT_NEAR(generation["gigabytes_per_second"], 0.025, 1e-12);  // 25 tokens/s of 1e6 bytes
  EXPECT_NEAR(generation["gigamacs_per_second"], 0.1, 1e-12);
  EXPECT_FALSE(generation.contains("ratio")) << "nothing was compared";
  EXPECT_EQ(json["load_seconds"]["avx2"], 0.5);
  EXPECT_EQ(json["peak_resident_bytes"], 1'300'000'000);
  EXPECT_EQ(json["limits"][0], (Json{{"quantity", "read_huge"}, {"n_threads", 2}, {"value", 20.0}, {"unit", "GB/s"}}));
  EXPECT_TRUE(json["limits"][1]["value"].is_null());
}

TEST(BenchMarkdown, HasARowForEachTestAndTheMachineAboveIt) {
  const std::string text = to_markdown(test::bench_result());
  EXPECT_EQ(
      text,
      "model.gguf: bitnet, 1.20 GB; weights mapped; loaded in 500 ms (avx2); peak memory 1.30 GB\n"
      "\n"
      "Some Processor, 2 usable cores; steps of at most 256 tokens; keys in F16, values in F16\n"
      "\n"
      "| test | isa | threads | tokens/s [min, max] | % of limit | limit | GB/s | GMAC/s | MB/token | disturbed |\n"
      "| :--- | :--- | ---: | ---: | ---: | :--- | ---: | ---: | ---: | ---: |\n"
      "| pp128 | avx2 | 2 | 200.0 [190.0, 210.0] | n/a | n/a | 0.2 | 0.8 | 1.000 | 0 of 3 |\n"
      "| tg32 @ d64 x 2 | avx2 | 2 | 25.00 [24.00, 26.00] | 80.0 | read_huge | 0.0 | 0.1 | 1.000 | 1 of 3 |\n"
      "\n"
      "| limit of this machine | threads | value | unit |\n"
      "| :--- | ---: | ---: | :--- |\n"
      "| read_huge | 2 | 20.0 | GB/s |\n");
}

TEST(BenchCsv, HasTheRowsAloneWithEveryDigitAndNothingForWhatIsMissing) {
  EXPECT_EQ(to_csv(test::bench_result()),
            "n_prompt,n_gen,n_depth,n_sequences,n_threads,isa,tokens_per_second,min,max,disturbed,bytes_per_token,"
            "gigabytes_per_second,gigamacs_per_second,percent_of_limit,limit\n"
            "128,0,0,1,2,avx2,200,190,210,0,1000000,0.2,0.8,,\n"
            "0,32,64,2,2,avx2,25,24,26,1,1000000,0.025,0.1,80,read_huge\n");
}

TEST(BenchCompare, RowsAreMatchedByWhatWasRunAndRatiosAreOfMedians) {
  BenchResult before = test::bench_result();
  std::ranges::reverse(before.rows);  // the place of a row does not matter
  BenchResult now = test::bench_result();
  now.rows[0] = test::bench_row(now.rows[0].test, {245.0, 246.0, 247.0});
  now.rows[1].judged.percent = 88.0;
  Listener listener;
  compare(now, old_of(before), listener);
  ASSERT_TRUE(now.rows[0].against.has_value());
  EXPECT_DOUBLE_EQ(now.rows[0].against->ratio, 1.23);
  EXPECT_FALSE(now.rows[0].against->within_spread);
  EXPECT_FALSE(now.rows[0].against->ratio_of_limit.has_value()) << "the old row has no percentage";
  ASSERT_TRUE(now.rows[1].against.has_value());
  EXPECT_DOUBLE_EQ(now.rows[1].against->ratio, 1.0);
  EXPECT_TRUE(now.rows[1].against->within_spread);
  EXPECT_DOUBLE_EQ(now.rows[1].against->ratio_of_limit.value_or(0.0), 1.1);
  EXPECT_TRUE(listener.notes.empty());
  const std::string text = to_markdown(now);
  EXPECT_NE(text.find("| against old.json |"), std::string::npos) << text;
  EXPECT_NE(text.find("| 1.23× |"), std::string::npos) << text;
  EXPECT_NE(text.find("| 1.00× (within spread) |"), std::string::npos) << text;
  const Json json = to_json(now);
  EXPECT_EQ(json["rows"][0]["ratio"], 1.23);
  EXPECT_EQ(json["rows"][0]["within_spread"], false);
  EXPECT_TRUE(json["rows"][0]["ratio_of_limit"].is_null());
  EXPECT_NE(to_csv(now).find(",limit,ratio,ratio_of_limit,within_spread\n"), std::string::npos);
}

TEST(BenchCompare, SpreadsThatTouchOverlap) {
  BenchResult before = test::bench_result();
  BenchResult now = test::bench_result();
  now.rows[0] = test::bench_row(now.rows[0].test, {210.0, 215.0, 220.0});  // before: 190 to 210
  now.rows[1] = test::bench_row(now.rows[1].test, {20.0, 21.0, 23.9});     // before: 24 to 26
  Listener listener;
  compare(now, old_of(before), listener);
  EXPECT_TRUE(now.rows[0].against->within_spread);
  EXPECT_FALSE(now.rows[1].against->within_spread);
}

TEST(BenchCompare, ARowOfAnotherTestIsNotCompared) {
  BenchResult now = test::bench_result();
  const OldBench old = old_of(now);
  now.rows[0].test.n_threads = 1;
  now.rows[1].test.n_depth = 0;
  Listener listener;
  compare(now, old, listener);
  EXPECT_FALSE(now.rows[0].against.has_value());
  EXPECT_FALSE(now.rows[1].against.has_value());
  EXPECT_TRUE(to_json(now)["rows"][0]["ratio"].is_null());
  EXPECT_NE(to_markdown(now).find("| n/a | 0 of 3 |"), std::string::npos) << to_markdown(now);
}

TEST(BenchCompare, AnotherMachineAndAnotherModelAreSaid) {
  BenchResult now = test::bench_result();
  const OldBench old = old_of(now);
  now.cpu = "Another Processor";
  now.model = "elsewhere/model.gguf";  // the same file in another folder is the same model
  Listener listener;
  compare(now, old, listener);
  EXPECT_EQ(listener.notes, std::vector<std::string>{"old.json: measured on another processor (Some Processor, here "
                                                     "Another Processor)"});
  now = test::bench_result();
  now.file_bytes = 700'000'000;
  listener.notes.clear();
  compare(now, old, listener);
  EXPECT_EQ(listener.notes,
            std::vector<std::string>{"old.json: another model (model.gguf, 1.20 GB; here model.gguf, 700 MB)"});
}

TEST(BenchCompare, OtherSettingsAreSaid) {
  BenchResult now = test::bench_result();
  const OldBench old = old_of(now);
  now.n_batch = 1;
  now.cache.keys = &formats::kQ4_0;
  Listener listener;
  compare(now, old, listener);
  EXPECT_EQ(listener.notes, (std::vector<std::string>{"old.json: measured with cache_type_k \"F16\", here \"Q4_0\"",
                                                      "old.json: measured with n_batch 256, here 1"}));
}

TEST(BenchCompare, WhatIsNoBenchmarkIsRefusedInOneLine) {
  const auto message_of = [](const std::string& text) {
    const auto old = old_bench(std::as_bytes(std::span(text)), "old.json");
    EXPECT_FALSE(old.has_value()) << text;
    if (old) return std::string();
    EXPECT_EQ(old.error().code, ErrorCode::bad_input);
    EXPECT_EQ(old.error().message.find('\n'), std::string::npos);
    return old.error().message;
  };
  EXPECT_NE(message_of("{").find("old.json"), std::string::npos);
  EXPECT_NE(message_of("[1]").find("it is no object"), std::string::npos);
  EXPECT_NE(message_of("{}").find("no list \"rows\""), std::string::npos);
  EXPECT_NE(message_of("{\"rows\": []}").find("\"cpu\" is not a text"), std::string::npos);
  EXPECT_NE(message_of("{\"cpu\": \"a\", \"model\": \"b\", \"rows\": [7]}").find("row 1: it is no object"),
            std::string::npos);
  const Json good = to_json(test::bench_result());
  for (const char* key : {"n_prompt", "n_gen", "n_depth", "n_sequences", "n_threads", "isa", "tokens_per_second", "min",
                          "max", "percent_of_limit"}) {
    for (const Json& value : {Json("x"), Json(-1), Json(Json::object()), Json(1e300)}) {
      if (value == Json("x") && std::string_view(key) == "isa") continue;
      Json bad = good;
      bad["rows"][1][key] = value;
      if (value.is_number_float() && good["rows"][1][key].is_number_float())
        continue;  // a speed, though not a likely one
      EXPECT_NE(message_of(bad.dump()).find(std::string("\"") + key + "\""), std::string::npos) << bad.dump();
    }
    Json bad = good;
    bad["rows"][1].erase(key);
    EXPECT_NE(message_of(bad.dump()).find(std::string("\"") + key + "\""), std::string::npos);
  }
}

}  // namespace
}  // namespace tern::lab
