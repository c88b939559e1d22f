// Mixtures by name, their rules, and which format each tensor of a model gets. That the rules are llama-quantize's is
// shown in tests/golden/mixtures_test.cpp; here stands what they say, and where wishes beat them.
#include "convert/type_choice.hpp"

#include <gtest/gtest.h>

#include "convert/typical_bits.hpp"
#include "formats/all.hpp"
#include "tests/support/models.hpp"

namespace tern::convert {
namespace {

using formats::Format;
const Shape kMatrix = matrix_shape(256, 16);

TypeWishes wishes_for(std::string_view mixture) {
  TypeWishes wishes;
  wishes.mixture = test::must(mixture_by_name(mixture));
  return wishes;
}

// The format of one tensor of a model of one layer, with its own head unless tied.
const Format* chosen(const TypeWishes& wishes, std::string_view name, bool tied = false, const Shape& shape = kMatrix) {
  std::vector<TensorInfo> tensors{{name, shape, &formats::kF32}};
  if (!tied && name != "output.weight") tensors.push_back({"output.weight", kMatrix, &formats::kF32});
  return test::must(choose_types(wishes, {"llama", 1, 4, 4, 0}, tensors)).front().wished;
}

// The letters of a role's formats in a model of n layers: "6644...".
std::string letters(const TypeWishes& wishes, std::string_view role, int n_layers, std::vector<int> order = {}) {
  std::vector<std::string> names;
  for (int layer = 0; layer < n_layers; ++layer)
    names.push_back(
        fmt::format("blk.{}.{}.weight", order.empty() ? layer : order[static_cast<std::size_t>(layer)], role));
  std::vector<TensorInfo> tensors;
  for (const std::string& name : names) tensors.push_back({name, kMatrix, &formats::kF32});
  const auto choices = test::must(choose_types(wishes, {"llama", n_layers, 4, 4, 0}, tensors));
  std::map<std::string, char> by_name;
  for (std::size_t i = 0; i < tensors.size(); ++i) by_name[names[i]] = choices[i].wished->name[1];
  std::string out;
  for (int layer = 0; layer < n_layers; ++layer) out += by_name.at(fmt::format("blk.{}.{}.weight", layer, role));
  return out;
}

TEST(Mixtures, AreFoundByNameAliasAndNumberInAnyCase) {
  const auto name_of = [](std::string_view word) { return test::must(mixture_by_name(word))->name; };
  EXPECT_EQ(name_of("Q4_K_M"), "Q4_K_M");
  EXPECT_EQ(name_of("q4_k"), "Q4_K_M");
  EXPECT_EQ(name_of("Q5_k"), "Q5_K_M");
  EXPECT_EQ(name_of("q3_K"), "Q3_K_M");
  EXPECT_EQ(name_of("15"), "Q4_K_M");
  EXPECT_EQ(name_of("0"), "F32");
  EXPECT_EQ(name_of("40"), "Q1_0") << "I2_S has no number of llama-quantize's";
  EXPECT_EQ(name_of("copy"), "COPY");
  for (const Mixture& mixture : mixtures()) EXPECT_EQ(&mixture, test::must(mixture_by_name(mixture.name)));
}

TEST(Mixtures, EveryFormatIsTheBaseOfOne) {
  for (const Format* format : formats::kAll) {
    EXPECT_TRUE(std::ranges::any_of(mixtures(), [&](const Mixture& m) { return m.format == format && !m.copies; }))
        << format->name;
  }
}

TEST(Mixtures, WhatThereIsNotIsRefusedByName) {
  const auto refusal = [](std::string_view word) { return mixture_by_name(word).error().message; };
  EXPECT_TRUE(refusal("iq3_m").starts_with("IQ3_M is not supported by Tern; known are F32, F16, ")) << refusal("iq3_m");
  EXPECT_TRUE(refusal("MXFP4_MOE").starts_with("MXFP4_MOE is not supported by Tern; "));
  EXPECT_TRUE(refusal("Q4_L").starts_with("unknown type 'Q4_L' (did you mean Q4_")) << refusal("Q4_L");
  for (const char* word : {"", "-1", "15x", "38", "999999999999999999999", "4_K", "\n"}) {
    const auto result = mixture_by_name(word);
    ASSERT_FALSE(result) << word;
    EXPECT_EQ(result.error().code, ErrorCode::usage);
    EXPECT_EQ(result.error().message.find('\n'), std::string::npos);
  }
}

TEST(Mixtures, TakeTheBitsThatTheirHelpSays) {
  EXPECT_EQ(typical_bits_per_weight(*test::must(mixture_by_name("F16"))), 16.0);
  EXPECT_EQ(typical_bits_per_weight(*test::must(mixture_by_name("Q8_0"))), 8.5);
  // llama-quantize's own table: 4.58 GiB for the 8.03 billion weights of LLaMA-3-8B is 4.90 bits.
  EXPECT_NEAR(typical_bits_per_weight(*test::must(mixture_by_name("Q4_K_M"))), 4.58 * 8 * 1.0737 / 8.03, 0.02);
  EXPECT_NEAR(typical_bits_per_weight(*test::must(mixture_by_name("Q2_K"))), 2.96 * 8 * 1.0737 / 8.03, 0.02);
  EXPECT_NEAR(typical_bits_per_weight(*test::must(mixture_by_name("Q3_K_L"))), 4.03 * 8 * 1.0737 / 8.03, 0.02);
}

TEST(Layers, DivideAsWholeNumbers) {
  const auto which = [](Layers layers, std::int64_t n) {
    std::string out;
    for (std::int64_t layer = 0; layer < n; ++layer) out += applies(layers, layer, n) ? 'x' : '.';
    return out;
  };
  EXPECT_EQ(which(Layers::all, 3), "xxx");
  EXPECT_EQ(which(Layers::first_two, 1), "x");
  EXPECT_EQ(which(Layers::first_two, 4), "xx..");
  EXPECT_EQ(which(Layers::first_four, 5), "xxxx.");
  EXPECT_EQ(which(Layers::first_eighth, 7), ".......");
  EXPECT_EQ(which(Layers::first_eighth, 16), "xx..............");
  EXPECT_EQ(which(Layers::first_sixteenth, 15), "...............");
  EXPECT_EQ(which(Layers::first_sixteenth, 33), "xx...............................");
  EXPECT_EQ(which(Layers::important, 1), "x");
  EXPECT_EQ(which(Layers::important, 16), "xx..x..x..x..xxx");
}

TEST(TypeChoice, TheHeadIsSixBitsUnlessTheTargetIsFiner) {
  using namespace formats;
  struct Row {
    std::string_view mixture;
    const Format* head;
    const Format* embedding;  // of a model with its own head
    const Format* matrix;
  };
  const Row rows[] = {
      {"F32", &kF32, &kF32, &kF32},       {"F16", &kF16, &kF16, &kF16},       {"BF16", &kBF16, &kBF16, &kBF16},
      {"Q8_0", &kQ8_0, &kQ8_0, &kQ8_0},   {"Q6_K", &kQ6_K, &kQ6_K, &kQ6_K},   {"Q5_K_S", &kQ6_K, &kQ5_K, &kQ5_K},
      {"Q4_K_M", &kQ6_K, &kQ4_K, &kQ4_K}, {"Q3_K_L", &kQ6_K, &kQ3_K, &kQ3_K}, {"Q2_K", &kQ6_K, &kQ2_K, &kQ2_K},
      {"Q5_0", &kQ6_K, &kQ5_0, &kQ5_0},   {"Q5_1", &kQ6_K, &kQ5_1, &kQ5_1},   {"Q4_0", &kQ6_K, &kQ4_0, &kQ4_0},
      {"Q4_1", &kQ6_K, &kQ4_1, &kQ4_1},   {"TQ1_0", &kQ6_K, &kQ4_K, &kTQ1_0}, {"TQ2_0", &kQ6_K, &kQ4_K, &kTQ2_0},
      {"Q2_0", &kQ6_K, &kQ4_K, &kQ2_0},   {"Q1_0", &kQ6_K, &kQ1_0, &kQ1_0},   {"I2_S", &kF16, &kF16, &kI2_S}};
  for (const Row& row : rows) {
    const TypeWishes wishes = wishes_for(row.mixture);
    EXPECT_EQ(chosen(wishes, "output.weight"), row.head) << row.mixture;
    EXPECT_EQ(chosen(wishes, "token_embd.weight", false), row.embedding) << row.mixture;
    EXPECT_EQ(chosen(wishes, "token_embd.weight", true), row.head)
        << row.mixture << ": a tied table follows the head's rule";
    EXPECT_EQ(chosen(wishes, "blk.0.attn_q.weight"), row.matrix) << row.mixture;
  }
}

TEST(TypeChoice, ExplicitTypesWinAndPureTakesEverything) {
  using namespace formats;
  TypeWishes both = wishes_for("I2_S");
  both.token_embedding = &kQ6_K;
  both.output = &kQ8_0;
  EXPECT_EQ(chosen(both, "token_embd.weight", true), &kQ6_K);
  EXPECT_EQ(chosen(both, "token_embd.weight", false), &kQ6_K);
  EXPECT_EQ(chosen(both, "output.weight"), &kQ8_0);
  TypeWishes head = wishes_for("Q4_K");
  head.output = &kQ8_0;
  EXPECT_EQ(chosen(head, "token_embd.weight", true), &kQ8_0) << "the tied table is the head";
  EXPECT_EQ(chosen(head, "token_embd.weight", false), &kQ4_K);
  head.pure = true;
  EXPECT_EQ(chosen(head, "token_embd.weight", true), &kQ4_K);
  TypeWishes pure = wishes_for("TQ2_0");
  pure.pure = true;
  for (const bool tied : {false, true}) EXPECT_EQ(chosen(pure, "token_embd.weight", tied), &kTQ2_0);
  EXPECT_EQ(chosen(pure, "output.weight"), &kTQ2_0);
  pure.token_embedding = &kF16;
  EXPECT_EQ(chosen(pure, "token_embd.weight"), &kF16);
  TypeWishes left = wishes_for("Q4_K");
  left.leave_output = true;
  left.output = &kQ8_0;
  EXPECT_EQ(chosen(left, "output.weight"), nullptr);
}

TEST(TypeChoice, VectorsNormsAndUnknownTensorsStayAsTheyAre) {
  TypeWishes wishes = wishes_for("Q8_0");
  wishes.pure = true;
  wishes.tensor_types.push_back(test::must(parse_tensor_type(".=Q4_0")));
  EXPECT_EQ(chosen(wishes, "blk.0.attn_q.weight", false, vector_shape(256)), nullptr);
  EXPECT_EQ(chosen(wishes, "blk.0.attn_q.weight", false, matrix_shape(256, 1)), nullptr);
  EXPECT_EQ(chosen(wishes, "blk.0.attn_q.weight"), &formats::kQ4_0);
  for (const char* name : {"blk.0.attn_norm.weight", "blk.0.attn_q.bias", "blk.0.attn_q.scale", "w",
                           "blk.0.ffn_gate_inp.weight", "position_embd.weight"})
    EXPECT_EQ(chosen(wishes, name), nullptr) << name;
  EXPECT_EQ(chosen(wishes, "blk.0.my_own.weight"), &formats::kQ4_0);
}

TEST(TypeChoice, LayersAreCountedInTheirOrderAndNotInTheFiles) {
  const std::string expected = "6644644644644666";
  EXPECT_EQ(letters(wishes_for("Q4_K_M"), "ffn_down", 16), expected);
  EXPECT_EQ(letters(wishes_for("Q4_K_M"), "ffn_down", 16, {15, 3, 0, 1, 10, 11, 2, 4, 5, 14, 6, 7, 13, 9, 8, 12}),
            expected);
}

TEST(TypeChoice, ATensorThatAPatternNamesIsNotCounted) {
  TypeWishes wishes = wishes_for("Q3_K_M");
  EXPECT_EQ(letters(wishes, "attn_v", 5), "55444");
  wishes.tensor_types.push_back(test::must(parse_tensor_type("blk\\.0\\.=Q8_0")));
  EXPECT_EQ(letters(wishes, "attn_v", 5), "85544");
}

TEST(TypeChoice, APatternCountsForFloatMixturesToo) {
  TypeWishes wishes = wishes_for("F16");
  wishes.tensor_types.push_back(test::must(parse_tensor_type("attn_v=Q8_0")));
  EXPECT_EQ(chosen(wishes, "blk.0.attn_v.weight"), &formats::kQ8_0);
  EXPECT_EQ(chosen(wishes, "blk.0.attn_k.weight"), &formats::kF16);
}

TEST(TypeChoice, APatternThatRunsAwayIsAnError) {
  TypeWishes wishes = wishes_for("Q8_0");
  wishes.tensor_types.push_back(test::must(parse_tensor_type("^(([a-z._0-9]+)+)+[!?]=Q4_0")));
  const std::vector<TensorInfo> tensors{{"blk.0.attn_output_of_a_rather_long_name.weight", kMatrix, &formats::kF32}};
  const auto refused = choose_types(wishes, {}, tensors);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::usage);
  EXPECT_NE(refused.error().message.find("gave up on the name blk.0.attn_output_of"), std::string::npos)
      << refused.error().message;
}

TEST(ModelFacts, AbsurdOrMissingNumbersAreNoneAndListsGiveTheFirst) {
  files::Metadata metadata;
  EXPECT_EQ(model_facts(metadata).n_layers, 0);
  metadata.set("general.architecture", std::string("llama"));
  metadata.set("llama.block_count", ~std::uint64_t{0});
  metadata.set("llama.attention.head_count", std::vector<std::int32_t>{8, 4});
  metadata.set("llama.expert_count", std::string("eight"));
  const ModelFacts facts = model_facts(metadata);
  EXPECT_EQ(facts.architecture, "llama");
  EXPECT_EQ(facts.n_layers, 0);
  EXPECT_EQ(facts.n_heads, 8);
  EXPECT_EQ(facts.n_kv_heads, 8) << "as many as there are heads where the file does not say";
  EXPECT_EQ(facts.n_experts, 0);
}

TEST(ModelFacts, LayersAreCountedFromTheNamesWhereNoNumberSaysThem) {
  std::vector<std::string> names;
  for (int layer = 0; layer < 16; ++layer) names.push_back(fmt::format("blk.{}.ffn_down.weight", layer));
  std::vector<TensorInfo> tensors;
  for (const std::string& name : names) tensors.push_back({name, kMatrix, &formats::kF32});
  const auto choices = test::must(choose_types(wishes_for("Q4_K_S"), {}, tensors));
  EXPECT_EQ(choices[1].wished, &formats::kQ5_K);
  EXPECT_EQ(choices[2].wished, &formats::kQ4_K);
}

}  // namespace
}  // namespace tern::convert
