// Plans as data: the text of every architecture, the builder's rules, the lists they are looked up in.
#include <gtest/gtest.h>

#include <set>

#include "models/all.hpp"
#include "models/plan_builder.hpp"
#include "tests/support/gguf_image.hpp"

namespace tern::models {
namespace {

TEST(Plan, OfLlamaReadsLikeTheEquations) {
  const std::string text = kLlama.plan(test::small_parameters(kLlama)).text();
  EXPECT_TRUE(text.starts_with(
      "x = embed(token_embd.weight [64, 259])\n"
      "blk.0.attn_norm = rms_norm(x, blk.0.attn_norm.weight [64], eps 1e-05)\n"
      "blk.0.q = linear(blk.0.attn_norm, blk.0.attn_q.weight [64, 64], bias blk.0.attn_q.bias [64] if present, "
      "activations as the format pairs)\n"))
      << text;
  EXPECT_NE(
      text.find(
          "blk.0.mixed = attention(blk.0.q_rot, blk.0.k_rot, blk.0.v, 4 heads over 2 x 16, scale 0.25, causal)\n"),
      std::string::npos)
      << text;
  EXPECT_NE(text.find("blk.0.hidden = silu(blk.0.gate) * blk.0.up\n"), std::string::npos) << text;
  EXPECT_NE(text.find("16 rotated, adjacent, base 10000, factors rope_freqs.weight [8] if present)"), std::string::npos)
      << text;
  EXPECT_TRUE(text.ends_with("logits = head(output_norm, output.weight [64, 259] else token_embd.weight)\n")) << text;
}

TEST(Plan, OfBitNetHasSubNormsHalfSplitPairsAndInt8PerToken) {
  const std::string text = kBitNetB158.plan(test::small_parameters(kBitNetB158)).text();
  EXPECT_NE(text.find("blk.0.attn_sub_norm = rms_norm(blk.0.mixed, "), std::string::npos) << text;
  EXPECT_NE(text.find("blk.0.ffn_sub_norm = rms_norm(blk.0.hidden, blk.0.ffn_sub_norm.weight [96]"), std::string::npos)
      << text;
  EXPECT_NE(text.find("blk.0.hidden = relu2(blk.0.gate) * blk.0.up"), std::string::npos) << text;
  EXPECT_NE(text.find("half split"), std::string::npos);
  EXPECT_NE(text.find("scale blk.0.attn_q.scale [1] if present, int8 per token)"), std::string::npos) << text;
  EXPECT_EQ(kBitNet.plan(test::small_parameters(kBitNet)).text().find("relu2"), std::string::npos);
}

// What every plan must be for the engine to run it: values written once, before they are read; tensors named once.
TEST(Plan, OfEveryArchitectureWritesEachValueOnceBeforeItIsRead) {
  for (const Architecture* architecture : all()) {
    HyperParameters p = test::small_parameters(*architecture);
    p.n_layers = 3;
    const Plan plan = architecture->plan(p);
    EXPECT_EQ(plan.n_kv_layers, 3);
    std::set<std::string> names;
    for (const TensorSpec& spec : plan.tensors) EXPECT_TRUE(names.insert(spec.name).second) << spec.name;
    const std::string text = plan.text();
    EXPECT_EQ(static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')), plan.steps.size());
    std::set<ValueId> written;
    const auto reads = [&](ValueId id) { EXPECT_TRUE(written.contains(id)) << plan.value(id).name; };
    const auto writes = [&](ValueId id) { EXPECT_TRUE(written.insert(id).second) << plan.value(id).name; };
    for (const Step& step : plan.steps) {
      std::visit(
          [&](const auto& s) {
            if constexpr (requires { s.in; }) reads(s.in);
            if constexpr (requires { s.gate; }) (reads(s.gate), reads(s.up));
            if constexpr (requires { s.query; }) (reads(s.query), reads(s.key), reads(s.value));
            if constexpr (requires { s.a; }) (reads(s.a), reads(s.b));
            if constexpr (requires { s.out; }) writes(s.out);
          },
          step);
    }
    EXPECT_EQ(written.size(), plan.values.size());
  }
}

TEST(PlanBuilder, ATensorAskedForTwiceIsTheSameTensor) {
  PlanBuilder b;
  const TensorId shared = b.tensor("shared", vector_shape(4), TensorRole::norm);
  b.scope("blk.0.");
  const TensorId first = b.tensor("norm", vector_shape(4), TensorRole::norm);
  EXPECT_NE(shared, first);
  EXPECT_EQ(b.tensor("norm", vector_shape(4), TensorRole::norm), first);
  b.scope("blk.1.");
  EXPECT_NE(b.tensor("norm", vector_shape(4), TensorRole::norm), first);
  b.scope("");
  EXPECT_EQ(b.tensor("shared", vector_shape(4), TensorRole::norm), shared);
  EXPECT_EQ(b.tensor("blk.0.norm", vector_shape(4), TensorRole::norm), first);
  EXPECT_EQ(b.take().tensors.size(), 3U);
}

TEST(PlanBuilderDeathTest, WidthsThatDoNotFitAreOurOwnBug) {
  PlanBuilder b;
  const TensorId table = b.tensor("t", matrix_shape(8, 4), TensorRole::embedding);
  const ValueId x = b.embed("x", table);
  EXPECT_EQ(b.width(x), 8);
  EXPECT_DEATH((void)b.linear("y", x, b.tensor("w", matrix_shape(7, 4), TensorRole::linear), {}), "row_length");
}

TEST(Registry, FindsByNameAndNamesWhatThereIs) {
  for (const Architecture* architecture : all()) {
    // Mistral is a class of checkpoints; its files are llama's.
    EXPECT_EQ(by_name(architecture->name).value(), architecture == &kMistral ? &kLlama : architecture);
  }
  const auto unknown = by_name("mamba");
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().code, ErrorCode::unsupported);
  EXPECT_EQ(by_name("bitnet_b1.58").error().message,
            "architecture \"bitnet_b1.58\" is not supported; Tern runs llama, qwen2, qwen3, gemma3, bitnet, "
            "bitnet-25, bitnet-b1.58 (did you mean bitnet-b1.58?)");
  EXPECT_EQ(by_name("a\nb").error().message.find('\n'), std::string::npos);
}

TEST(Registry, ChoosesAmongBitNetsByTheActivation) {
  HfConfig config;
  config.class_name = "BitNetForCausalLM";
  config.parameters.activation = Unary::relu2;
  EXPECT_EQ(for_config(config).value(), &kBitNetB158);
  config.parameters.activation = Unary::silu;
  EXPECT_EQ(for_config(config).value(), &kBitNet);
  config.class_name = "LlamaForCausalLM";
  EXPECT_EQ(for_config(config).value(), &kLlama);
  config.class_name = "MambaForCausalLM";
  const auto unknown = for_config(config);
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().message,
            "class \"MambaForCausalLM\" of config.json is not supported; Tern converts LlamaForCausalLM, "
            "MistralForCausalLM, Qwen2ForCausalLM, Qwen3ForCausalLM, Qwen3Model, Gemma3ForCausalLM, Gemma3TextModel, "
            "Gemma3ForConditionalGeneration, BitNetForCausalLM, BitnetForCausalLM");
}

}  // namespace
}  // namespace tern::models
