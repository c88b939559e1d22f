// Whole benchmarks of a tiny model and of a small product, with limits that are made up: what a row says follows from
// what was run. No test here depends on how fast the machine is.
#include <gtest/gtest.h>

#include "engine/model.hpp"
#include "engine/session.hpp"
#include "formats/all.hpp"
#include "lab/bench.hpp"
#include "lab/bench_matmul.hpp"
#include "lab/bench_session.hpp"
#include "lab/bench_weights.hpp"
#include "tests/support/listener.hpp"
#include "tests/support/models.hpp"
#include "tests/support/tiny_model.hpp"

namespace tern::lab {
namespace {

using test::Listener;

/// A machine of that speed in everything, 1e9 per second.
MeasureLimit machine(double value) {
  return [value](std::string_view, int, std::uint64_t) -> Result<double> { return value; };
}

class BenchRun : public testing::Test {
 protected:
  BenchOptions options_for(const test::TinyModel& tiny) {
    BenchOptions options;
    options.model = test::write_tiny_model(folder_, tiny);
    options.lists = {.prompts = {8}, .generations = {3}, .isas = {""}};
    options.repetitions = 2;
    return options;
  }
  test::TemporaryFolder folder_;
  Listener listener_;
};

TEST_F(BenchRun, EveryRowHasItsTestItsRepetitionsAndItsCost) {
  BenchOptions options = options_for({.architecture = "bitnet", .format = "TQ2_0", .embedding = "Q6_K"});
  options.lists.depths = {0, 5};
  options.lists.sequences = {1, 2};
  options.lists.threads = {1, 2};
  options.lists.isas = {"", "scalar"};
  options.measure_limit = machine(1e9);  // nothing reaches it
  const auto result = bench(options, listener_);
  ASSERT_TRUE(result.has_value()) << result.error().message;
  const auto model = test::load(options.model);
  const engine::Work work = engine::work_of(model->plan());
  const bool scalar_is_best = model->kernels().isa == "scalar";
  EXPECT_EQ(result->rows.size(), (scalar_is_best ? 1U : 2U) * 2 * 2 * 2 * 2);
  EXPECT_EQ(result->loads.size(), scalar_is_best ? 1U : 2U);
  EXPECT_EQ(result->architecture, "bitnet");
  EXPECT_GT(result->peak_resident_bytes, 0U);
  for (const BenchRow& row : result->rows) {
    SCOPED_TRACE(test_name(row.test) + " " + row.test.isa);
    EXPECT_EQ(row.rates.size(), 2U);
    for (const double rate : row.rates) EXPECT_GT(rate, 0.0);
    const auto weights = static_cast<double>(work.trunk_bytes + work.head_bytes);
    EXPECT_GE(row.cost.bytes, weights * static_cast<double>(row.test.generates() ? row.test.n_gen : 1));
    EXPECT_EQ(row.cost.n_tokens, row.test.n_tokens());
    if (row.test.generates()) {
      EXPECT_TRUE(row.judged.percent.has_value());
    } else {
      EXPECT_EQ(row.judged.percent.has_value(), row.test.isa != "scalar") << "no peak is known for scalar code";
    }
    if (row.judged.percent) {
      EXPECT_GT(*row.judged.percent, 0.0);
      EXPECT_LT(*row.judged.percent, 100.0);
    }
  }
  EXPECT_TRUE(check(*result).has_value());
}

TEST_F(BenchRun, AMachineThatIsSaidToBeTooSlowIsFoundOut) {
  BenchOptions options = options_for({.architecture = "bitnet", .format = "TQ2_0", .embedding = "Q6_K"});
  options.measure_limit = machine(1e-6);
  const auto result = bench(options, listener_);
  ASSERT_TRUE(result.has_value()) << result.error().message;
  const auto checked = check(*result);
  ASSERT_FALSE(checked.has_value());
  EXPECT_EQ(checked.error().code, ErrorCode::internal);
  EXPECT_NE(checked.error().message.find("threads 1"), std::string::npos) << checked.error().message;
}

TEST_F(BenchRun, WeightsThatFitTheCacheMayBeReadFasterThanMemory) {
  BenchOptions options = options_for({});
  options.lists.prompts = {0};
  options.lists.isas = {"scalar"};
  options.measure_limit = machine(1e-6);
  for (const std::uint64_t cache : {std::uint64_t{1} << 40, std::uint64_t{0}}) {  // 0: the system does not say
    options.last_level_cache = cache;
    listener_.notes.clear();
    const auto result = bench(options, listener_);
    ASSERT_TRUE(result.has_value()) << result.error().message;
    EXPECT_FALSE(result->rows[0].judged.percent.has_value());
    EXPECT_TRUE(result->rows[0].judged.from_cache);
    EXPECT_TRUE(check(*result).has_value());
    ASSERT_FALSE(listener_.notes.empty());
    EXPECT_NE(listener_.notes.back().find("may come from the cache"), std::string::npos);
  }
  options.last_level_cache = 1;
  const auto large = bench(options, listener_);
  ASSERT_TRUE(large.has_value()) << large.error().message;
  EXPECT_FALSE(check(*large).has_value()) << "no cache is that small: more than memory gives is an error";
}

TEST_F(BenchRun, AnEmbeddingModelReadsPromptsAndGeneratesNothing) {
  const std::string path = test::write_tiny_model(folder_, {.architecture = "qwen3"});
  const auto model = test::must(engine::Model::load(path, {.isa = "", .pooling = models::Pooling::mean}));
  const BenchTest prompt{.n_prompt = 8, .isa = ""};
  const BenchTest generation{.n_gen = 3, .isa = ""};
  const std::vector both{prompt, generation};
  const auto refused = BenchSession::make(model, 1, both, 0, {});
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::usage);
  EXPECT_NE(refused.error().message.find("-n 0"), std::string::npos);
  auto session = test::must(BenchSession::make(model, 1, {&prompt, 1}, 0, {}));
  EXPECT_GT(test::must(session.run(prompt, listener_)).seconds, 0.0);
}

TEST_F(BenchRun, RefusesNothingToMeasureAnUnknownSetAndStopsWhenTold) {
  BenchOptions options = options_for({});
  options.lists.prompts = {0};
  options.lists.generations = {0};
  EXPECT_EQ(bench(options, listener_).error().code, ErrorCode::usage);
  options.lists.prompts = {4};
  options.lists.isas = {"avx3"};
  EXPECT_EQ(bench(options, listener_).error().code, ErrorCode::usage);
  options.lists.isas = {""};
  listener_.stop = true;
  EXPECT_EQ(bench(options, listener_).error().code, ErrorCode::cancelled);
}

TEST(BenchMatmul, MultipliesEveryTypeBesideF32) {
  MatmulOptions options;
  options.shape = {.n_rows = 96, .n_cols = 2, .k = 512};
  options.types = {&formats::kQ4_K, &formats::kTQ2_0, &formats::kI2_S};
  options.threads = {1, 2};
  options.isas = {""};
  options.repetitions = 1;
  options.last_level_cache = 1;  // one copy is enough
  options.measure_limit = machine(1e9);
  Listener listener;
  const auto result = bench_matmul(options, listener);
  ASSERT_TRUE(result.has_value()) << result.error().message;
  ASSERT_EQ(result->rows.size(), 8U);
  for (const MatmulRow& row : result->rows) {
    if (row.type == &formats::kF32) {
      EXPECT_DOUBLE_EQ(row.ratio_to_f32, 1.0);
    }
    EXPECT_GT(row.speed.median, 0.0);
    // GB/s follow from GMAC/s: two columns share the weight's bytes.
    const double bytes = row.type->is_ternary ? 0.25 : row.type->bits_per_weight() / 8.0;
    EXPECT_NEAR(row.gigabytes_per_second, row.speed.median * bytes / 2.0, 1e-9 * row.speed.median);
  }
  EXPECT_TRUE(check(*result).has_value());
  EXPECT_EQ(to_json(*result)["rows"].size(), 8U);
  EXPECT_NE(to_markdown(*result).find("a weight of 96 rows x 512, times 2 columns"), std::string::npos);
  EXPECT_EQ(to_csv(*result).find("type,n_threads,isa,gigamacs_per_second"), 0U);
}

TEST(BenchMatmul, RefusesARowThatAFormatCannotHoldAndMoreThanTheMemory) {
  MatmulOptions options;
  options.shape = {.n_rows = 16, .n_cols = 1, .k = 100};
  options.types = {&formats::kQ4_K};
  options.threads = {1};
  options.isas = {""};
  Listener listener;
  const auto odd = bench_matmul(options, listener);
  ASSERT_FALSE(odd.has_value());
  EXPECT_NE(odd.error().message.find("256"), std::string::npos) << odd.error().message;
  options.shape = {.n_rows = 1 << 20, .n_cols = 1 << 20, .k = 1 << 20};
  const auto large = bench_matmul(options, listener);
  ASSERT_FALSE(large.has_value());
  EXPECT_EQ(large.error().code, ErrorCode::out_of_memory);
}

TEST(BenchMatmul, ReadsShapes) {
  const auto shape = parse_matmul_shape("2560x1x6912");
  ASSERT_TRUE(shape.has_value());
  EXPECT_EQ(shape->n_rows, 2560);
  EXPECT_EQ(shape->n_cols, 1);
  EXPECT_EQ(shape->k, 6912);
  for (const char* bad : {"", "x", "1x2", "1x2x", "1x2x3x", "1x2x3x4", "0x1x1", "-1x1x1", "1x1x1048577", "axbxc",
                          "1X1X1", "1 x1x1", "99999999999999999999x1x1"}) {
    const auto read = parse_matmul_shape(bad);
    ASSERT_FALSE(read.has_value()) << bad;
    EXPECT_EQ(read.error().code, ErrorCode::usage);
  }
}

TEST(BenchWeights, CopiesHoldTheSameValuesAndEachItsOwnBytes) {
  const auto kernels = test::must(kernels::choose());
  for (const formats::Format* format : {&formats::kF32, &formats::kQ8_0, &formats::kTQ2_0, &formats::kI2_S}) {
    SCOPED_TRACE(format->name);
    const auto weights = test::must(RandomWeights::make(*format, 100, 256, 3, kernels));
    ASSERT_EQ(weights.n_copies(), 3U);
    std::vector<float> first(256);
    std::vector<float> other(256);
    weights.copy(0).decode_row(99, first.data());
    weights.copy(2).decode_row(99, other.data());
    EXPECT_EQ(first, other);
    EXPECT_GT(std::ranges::count_if(first, [](float v) { return v != 0.0F; }), 100);
    EXPECT_EQ(weights.copy(0).n_rows(), 100);
    EXPECT_GE(weights.bytes(), 3 * weights.copy(0).weight_bytes());
    EXPECT_LT(weights.bytes(), 5 * weights.copy(0).weight_bytes()) << "the first may have the file's bytes beside";
  }
}

}  // namespace
}  // namespace tern::lab
