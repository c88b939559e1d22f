// The sweep on a trained model and real texts, through the program: what it measures, what it says where a format
// cannot be had, and that it leaves nothing behind but the report.
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>

#include "sys/atomic_file.hpp"
#include "tests/support/models.hpp"
#include "tests/support/process.hpp"

namespace tern::test {
namespace {

std::string wiki() {
  return data_folder() + "/eval/wiki.test.raw";
}
std::string news() {
  return data_folder() + "/eval/agnews_test.csv";
}

std::set<std::string> files_in(const TemporaryFolder& folder) {
  std::set<std::string> names;
  for (const auto& item : std::filesystem::directory_iterator(folder.path())) names.insert(item.path().filename());
  return names;
}

nlohmann::json parsed(const Ended& ended) {
  EXPECT_EQ(ended.exit_code, 0) << ended.err;
  const auto value = nlohmann::json::parse(ended.out, nullptr, false);
  EXPECT_FALSE(value.is_discarded()) << ended.out;
  return value;
}

TEST(Sweep, MeasuresEveryFormatOnEveryText) {
  TERN_NEEDS_DATA();
  const TemporaryFolder folder;
  const std::string model = converted(folder, data_folder() + "/models/reference-bitnet", "bitnet");
  const std::string before = whole_file(model);
  const auto json = parsed(
      run_tern({"sweep", "-m", model, "--embedding", "f32,F16,Q4_0,I2_S", "--data", wiki(), news(), "--chunks", "4",
                "-t", "2", "-n", "12", "--repetitions", "2", "--json", "--report", folder.file("page.html")}));
  EXPECT_EQ(files_in(folder), (std::set<std::string>{"bitnet.gguf", "page.html"}));
  EXPECT_EQ(whole_file(model), before);

  EXPECT_EQ(json["model"]["embedding_format"], "BF16");
  EXPECT_TRUE(json["model"]["tied"].get<bool>());
  ASSERT_EQ(json["formats"].size(), 4U);
  const auto& f32 = json["formats"][0];
  const auto& f16 = json["formats"][1];
  const auto& q4 = json["formats"][2];
  const auto& i2s = json["formats"][3];
  EXPECT_NE(i2s["error"].get<std::string>().find("I2_S holds only {−s, 0, +s}"), std::string::npos) << i2s;
  EXPECT_FALSE(i2s.contains("texts"));
  for (const auto* format : {&f32, &f16, &q4}) {
    ASSERT_EQ((*format)["texts"].size(), 2U);
    for (const auto& text : (*format)["texts"]) {
      EXPECT_GT(text["perplexity"].get<double>(), 1.0);
      EXPECT_GT(text["stderr"].get<double>(), 0.0);
      EXPECT_EQ(text["n_tokens"].get<int>(), 4 * 127);
      const double low = text["delta_interval"][0].get<double>();
      const double high = text["delta_interval"][1].get<double>();
      EXPECT_LE(low, text["delta"].get<double>());
      EXPECT_GE(high, text["delta"].get<double>());
      EXPECT_EQ(text["significant"].get<bool>(), low > 0.0 || high < 0.0);
    }
    for (const char* speed : {"prefill_tokens_per_second", "generation_tokens_per_second"}) {
      EXPECT_GT((*format)[speed]["min"].get<double>(), 0.0);
      EXPECT_LE((*format)[speed]["min"].get<double>(), (*format)[speed]["median"].get<double>());
      EXPECT_LE((*format)[speed]["median"].get<double>(), (*format)[speed]["max"].get<double>());
      EXPECT_EQ((*format)[speed]["rounds"].size(), 2U);
    }
    EXPECT_GT((*format)["peak_memory_bytes"].get<std::uint64_t>(), (*format)["embedding_bytes"].get<std::uint64_t>());
    EXPECT_FALSE((*format)["continuation"].get<std::string>().empty());
  }
  for (const auto& text : f32["texts"]) {
    EXPECT_EQ(text["delta"], 0.0);
    EXPECT_FALSE(text["significant"].get<bool>());
  }
  for (const auto& text : f16["texts"]) EXPECT_LT(std::abs(text["delta"].get<double>()), 0.01);
  EXPECT_GT(q4["embedding_relative_rmse"].get<double>(), 0.01);
  EXPECT_EQ(f32["embedding_bytes"], 2048 * 256 * 4);
  EXPECT_EQ(f32["size_bytes"].get<std::int64_t>() - f16["size_bytes"].get<std::int64_t>(), 2048 * 256 * 2);
  EXPECT_GT(f32["peak_memory_bytes"].get<std::int64_t>(), q4["peak_memory_bytes"].get<std::int64_t>() + 1'000'000);
  for (const char* question : {"production", "least_memory", "most_speed", "no_measurable_loss"}) {
    EXPECT_TRUE(json["verdict"][question]["format"].is_string()) << question;
    EXPECT_FALSE(json["verdict"][question]["reason"].get<std::string>().empty()) << question;
  }

  const std::string page = whole_file(folder.file("page.html"));
  EXPECT_NE(page.find("<svg"), std::string::npos);
  EXPECT_NE(page.find("I2_S holds only"), std::string::npos);
  EXPECT_EQ(page.find("src=\"http"), std::string::npos);
  EXPECT_EQ(page.find("href=\"http"), std::string::npos);
}

// The model with the embedding that the file really holds must give perplexity's figure, and the size that quantize
// writes.
TEST(Sweep, AgreesWithPerplexityAndQuantizeOfARealFile) {
  TERN_NEEDS_DATA();
  const TemporaryFolder folder;
  const std::string model = converted(folder, data_folder() + "/models/reference-bitnet", "bitnet");
  const auto json = parsed(run_tern({"sweep", "-m", model, "--embedding", "F16,Q6_K", "--data", wiki(), "--chunks", "3",
                                     "-t", "2", "-n", "0", "--repetitions", "0", "--json"}));
  const std::string quantized = folder.file("q6.gguf");
  const Ended made = run_tern({"quantize", "--token-embedding-type", "Q6_K", model, quantized, "I2_S", "1", "1"});
  ASSERT_EQ(made.exit_code, 0) << made.err;
  const auto measured =
      parsed(run_tern({"perplexity", "-m", quantized, "-f", wiki(), "--chunks", "3", "-t", "1", "--json"}));
  const auto& row = json["formats"][1];
  EXPECT_EQ(row["texts"][0]["perplexity"].get<double>(), measured["perplexity"].get<double>())
      << "the same bytes, the same figure";
  EXPECT_EQ(row["texts"][0]["bits_per_byte"].get<double>(), measured["bits_per_byte"].get<double>());
  const auto on_disk = static_cast<double>(std::filesystem::file_size(quantized));
  EXPECT_NEAR(row["size_bytes"].get<double>(), on_disk, 128.0) << "quantize may add a metadata key";
  EXPECT_TRUE(row["generation_tokens_per_second"].is_null());
}

TEST(Sweep, RefusesWhatItCannotDoBeforeTheLongPart) {
  TERN_NEEDS_DATA();
  const TemporaryFolder folder;
  const std::string model = converted(folder, data_folder() + "/models/reference-bitnet", "bitnet");
  const Ended unknown = run_tern({"sweep", "-m", model, "--embedding", "F32,Q6_L", "--data", wiki()});
  EXPECT_EQ(unknown.exit_code, 2) << unknown.err;
  EXPECT_NE(unknown.err.find("Q6_K"), std::string::npos) << unknown.err;
  EXPECT_EQ(run_tern({"sweep", "-m", model, "--embedding", "F32,f32", "--data", wiki()}).exit_code, 2);
  EXPECT_EQ(run_tern({"sweep", "-m", model}).exit_code, 2);
  EXPECT_EQ(run_tern({"sweep", "-m", model, "--data", folder.file("none.txt")}).exit_code, 3);
  const std::string page = folder.file("page.html");
  test::must(sys::write_file(page, "mine", false));
  const Ended exists = run_tern({"sweep", "-m", model, "--data", wiki(), "--report", page});
  EXPECT_NE(exists.exit_code, 0);
  EXPECT_NE(exists.err.find("--force"), std::string::npos) << exists.err;
  const Ended itself = run_tern({"sweep", "-m", model, "--data", wiki(), "--report", model, "--force"});
  EXPECT_NE(itself.err.find("is the input itself"), std::string::npos) << itself.err;
  const Ended ternary = run_tern({"sweep", "-m", model, "--embedding", "I2_S", "--data", wiki(), "--chunks", "2"});
  EXPECT_EQ(ternary.exit_code, 3);
  EXPECT_NE(ternary.out.find("I2_S holds only"), std::string::npos) << ternary.out;
}

TEST(Sweep, StopsAtCtrlCAndLeavesNoReport) {
  TERN_NEEDS_DATA();
  const TemporaryFolder folder;
  const std::string model = converted(folder, data_folder() + "/models/reference-bitnet", "bitnet");
  const Ended ended =
      run_tern({"sweep", "-m", model, "--data", wiki(), "-t", "1", "--report", folder.file("page.html")},
               {.interrupt_after_ms = 3000});
  EXPECT_EQ(ended.exit_code, 130) << ended.err;
  EXPECT_EQ(files_in(folder), (std::set<std::string>{"bitnet.gguf"}));
}

}  // namespace
}  // namespace tern::test
