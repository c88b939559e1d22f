// Bytes and multiply-adds of whole tests against the same worked out by hand, and the list of tests itself.
#include "lab/bench_cost.hpp"

#include <gtest/gtest.h>

#include "engine/model.hpp"
#include "tests/support/models.hpp"
#include "tests/support/tiny_model.hpp"

namespace tern::lab {
namespace {

engine::Work some_work() {
  engine::Work work;
  work.trunk_bytes = 1000;
  work.head_bytes = 100;
  work.products = {{.peak = "maddubs16", .trunk = 4000, .head = 0}, {.peak = "maddubs32", .trunk = 0, .head = 300}};
  return work;
}

BenchTest prompt(std::int64_t n, int n_sequences = 1, std::int64_t depth = 0) {
  return {.n_prompt = n, .n_gen = 0, .n_depth = depth, .n_sequences = n_sequences, .n_threads = 1, .isa = "avx2"};
}

BenchTest generation(std::int64_t n, int n_sequences = 1, std::int64_t depth = 0) {
  return {.n_prompt = 0, .n_gen = n, .n_depth = depth, .n_sequences = n_sequences, .n_threads = 1, .isa = "avx2"};
}

double products(const BenchCost& cost, std::string_view peak) {
  for (const auto& p : cost.products) {
    if (p.peak == peak) return p.n;
  }
  return 0.0;
}

TEST(BenchCost, APromptReadsTheTrunkOnceAStepAndTheHeadInItsLast) {
  const BenchCost cost = cost_of(prompt(10), some_work(), {}, 4);  // steps of 4, 4, 2
  EXPECT_EQ(cost.n_tokens, 10);
  EXPECT_EQ(cost.n_steps, 3);
  EXPECT_DOUBLE_EQ(cost.bytes, 3 * 1000 + 100);
  EXPECT_DOUBLE_EQ(products(cost, "maddubs16"), 10 * 4000);
  EXPECT_DOUBLE_EQ(products(cost, "maddubs32"), 300);
  EXPECT_DOUBLE_EQ(cost.n_products(), 40'300);
}

TEST(BenchCost, PromptsOfSeveralSequencesShareStepsAndWantLogitsOfEachLastToken) {
  // 0001 1122 2 in steps of 4: the last tokens of the three sequences lie in steps 0, 1 and 2.
  const BenchCost three = cost_of(prompt(3, 3), some_work(), {}, 4);
  EXPECT_EQ(three.n_steps, 3);
  EXPECT_DOUBLE_EQ(three.bytes, 3 * 1000 + 3 * 100);
  EXPECT_DOUBLE_EQ(products(three, "maddubs32"), 3 * 300);
  // 0011 in one step: the head is read once for both.
  const BenchCost two = cost_of(prompt(2, 2), some_work(), {}, 4);
  EXPECT_EQ(two.n_steps, 1);
  EXPECT_DOUBLE_EQ(two.bytes, 1000 + 100);
  EXPECT_DOUBLE_EQ(products(two, "maddubs32"), 2 * 300);
}

TEST(BenchCost, GenerationReadsEverythingOnceATokenWhateverTheNumberOfSequences) {
  const BenchCost one = cost_of(generation(5), some_work(), {}, 256);
  EXPECT_DOUBLE_EQ(one.bytes, 5 * 1100);
  EXPECT_DOUBLE_EQ(one.bytes_per_token(), 1100);
  EXPECT_DOUBLE_EQ(one.n_products(), 5 * 4300);
  const BenchCost four = cost_of(generation(5, 4), some_work(), {}, 256);
  EXPECT_EQ(four.n_tokens, 20);
  EXPECT_DOUBLE_EQ(four.bytes, 5 * 1100);
  EXPECT_DOUBLE_EQ(four.bytes_per_step(), 1100);
  EXPECT_DOUBLE_EQ(four.n_products(), 20 * 4300);
  const BenchCost cut = cost_of(generation(5, 4), some_work(), {}, 3);  // two steps a token
  EXPECT_DOUBLE_EQ(cut.bytes, 10 * 1100);
}

TEST(BenchCost, KeysAndValuesOfEveryPositionThatIsSeenAreRead) {
  const std::vector<KvReads> kv{{.bytes_per_position = 10, .window = 0}};
  // The token at position p sees p + 1 positions: 8, 9, 10 of them.
  EXPECT_DOUBLE_EQ(cost_of(generation(3, 1, 7), some_work(), kv, 256).bytes, 3 * 1100 + (8 + 9 + 10) * 10);
  EXPECT_DOUBLE_EQ(cost_of(generation(3, 2, 7), some_work(), kv, 256).bytes, 3 * 1100 + 2 * (8 + 9 + 10) * 10);
  // A prompt of 6 in steps of 4, behind 7 positions: 11 positions are read in the first, 13 in the second.
  EXPECT_DOUBLE_EQ(cost_of(prompt(6, 1, 7), some_work(), kv, 4).bytes, 2 * 1000 + 100 + (11 + 13) * 10);
}

TEST(BenchCost, ALayerWithAWindowReadsNoMoreThanThat) {
  const std::vector<KvReads> kv{{.bytes_per_position = 10, .window = 4}, {.bytes_per_position = 1, .window = 0}};
  // Positions 2, 3, 4, 5 see 3, 4, 4, 4 of the window, and 3, 4, 5, 6 without one.
  EXPECT_DOUBLE_EQ(cost_of(generation(4, 1, 2), some_work(), kv, 256).bytes, 4 * 1100 + 15 * 10 + 18 * 1);
  // Tokens 6, 7, 8 in one step see positions 3 to 8 of the window.
  EXPECT_DOUBLE_EQ(cost_of(prompt(3, 1, 6), some_work(), kv, 256).bytes, 1100 + 6 * 10 + 9 * 1);
}

TEST(BenchCost, LayersShareTheBytesOfAPositionByTheirWindows) {
  for (const char* architecture : {"llama", "gemma3"}) {
    SCOPED_TRACE(architecture);
    const test::TemporaryFolder folder;
    const auto model = test::load(test::write_tiny_model(folder, {.architecture = architecture}));
    const std::vector<KvReads> kv = kv_reads(model->plan(), 1024.0);
    double sum = 0.0;
    for (const KvReads& layers : kv) sum += layers.bytes_per_position;
    EXPECT_DOUBLE_EQ(sum, 1024.0);
    std::set<std::int64_t> windows;
    for (const engine::Op& op : model->plan().ops()) {
      if (const auto* attention = std::get_if<engine::AttentionOp>(&op)) windows.insert(attention->step.window);
    }
    EXPECT_EQ(kv.size(), windows.size());
  }
}

TEST(BenchPlan, EveryCombinationIsATest) {
  const BenchLists lists{.prompts = {128, 0, 512},
                         .generations = {32},
                         .depths = {0, 64},
                         .sequences = {1, 2},
                         .threads = {1, 2},
                         .isas = {"avx2", "scalar"}};
  const std::vector<BenchTest> tests = plan_of(lists);
  EXPECT_EQ(tests.size(), 3U * 2 * 2 * 2 * 2);
  EXPECT_EQ(test_name(tests[0]), "pp128");
  EXPECT_EQ(test_name(tests[1]), "pp512");
  EXPECT_EQ(test_name(tests[2]), "tg32");
  EXPECT_EQ(test_name(tests[3]), "pp128 x 2");
  EXPECT_EQ(test_name(tests[11]), "tg32 @ d64 x 2");
  EXPECT_EQ(tests[11].isa, "avx2");
  EXPECT_EQ(tests.back().isa, "scalar");
  EXPECT_TRUE(plan_of({.prompts = {0}, .generations = {0}, .isas = {"avx2"}}).empty());
}

}  // namespace
}  // namespace tern::lab
