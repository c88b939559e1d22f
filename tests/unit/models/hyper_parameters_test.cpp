// The numbers of a model through GGUF keys and back, and every bad one named.
#include "models/hyper_parameters.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "models/all.hpp"
#include "tests/support/tiny_model.hpp"

namespace tern::models {
namespace {

bool same(const HyperParameters& a, const HyperParameters& b) {
  return a.architecture == b.architecture && a.n_vocab == b.n_vocab && a.n_ctx_train == b.n_ctx_train &&
         a.n_embd == b.n_embd && a.n_layers == b.n_layers && a.n_ff == b.n_ff && a.n_heads == b.n_heads &&
         a.n_kv_heads == b.n_kv_heads && a.head_dim == b.head_dim && a.n_rotary == b.n_rotary &&
         a.norm_eps == b.norm_eps && a.rope_base == b.rope_base && a.rope_scaling == b.rope_scaling &&
         a.activation == b.activation && a.linear_activation == b.linear_activation && a.pooling == b.pooling &&
         a.window == b.window && a.windowed == b.windowed && a.rope_base_windowed == b.rope_base_windowed &&
         a.attention_scale == b.attention_scale && a.attention_soft_cap == b.attention_soft_cap &&
         a.final_soft_cap == b.final_soft_cap;
}

HyperParameters sample(const Architecture& architecture) {
  return test::tiny_parameters(architecture, 320);
}

Result<HyperParameters> read_back(const files::Metadata& metadata, const HyperParameters& p) {
  HyperParameters defaults;
  defaults.architecture = p.architecture;
  return read_hyper_parameters(metadata, {.n_vocab = p.n_vocab, .input_norms = p.input_norms}, defaults);
}

TEST(HyperParameters, SurviveTheWayThroughMetadataForEveryArchitecture) {
  for (const Architecture* architecture : all()) {
    HyperParameters p = sample(*architecture);
    p.norm_eps = 3.25e-6F;
    p.rope_base = 500000.0F;
    p.n_rotary = 32;
    p.rope_scaling = {.kind = RopeScaling::Kind::linear, .factor = 2.5F};
    p.rope_base_windowed = 0.0F;                    // travels with a window only
    for (const std::int64_t head_dim : {64, 48}) {  // 48 is not n_embd / n_heads
      p.head_dim = head_dim;
      files::Metadata metadata;
      write_hyper_parameters(p, metadata);
      const auto back = read_back(metadata, p);
      ASSERT_TRUE(back) << architecture->name << ": " << back.error().message;
      EXPECT_TRUE(same(*back, p)) << architecture->name << " head_dim " << head_dim;
    }
    p.rope_scaling = {.kind = RopeScaling::Kind::yarn,
                      .factor = 4.0F,
                      .original_context = 1024,
                      .beta_fast = 16.0F,
                      .beta_slow = 2.0F,
                      .attention_factor = 0.75F};
    p.pooling = Pooling::last;
    p.window = 100;
    p.rope_base_windowed = 5000.0F;
    p.attention_scale = 0.25F;
    p.attention_soft_cap = 30.0F;
    p.final_soft_cap = 50.0F;
    for (const std::vector<std::uint8_t>& pattern :
         {std::vector<std::uint8_t>{0, 1}, std::vector<std::uint8_t>{1, 1}}) {
      p.windowed = pattern;
      files::Metadata metadata;
      write_hyper_parameters(p, metadata);
      const auto back = read_back(metadata, p);
      ASSERT_TRUE(back) << architecture->name << ": " << back.error().message;
      EXPECT_TRUE(same(*back, p)) << architecture->name;
    }
  }
}

TEST(HyperParameters, AWindowMayComeWithAPeriodAndTheArchitectureMayImplyOne) {
  HyperParameters p = sample(kGemma3);
  p.n_layers = 7;
  p.window = 32;
  p.windowed = window_pattern(7, 6);
  files::Metadata metadata;
  write_hyper_parameters(p, metadata);
  EXPECT_FALSE(metadata.contains("gemma3.attention.sliding_window_pattern")) << "implied";
  HyperParameters defaults = kGemma3.defaults();
  defaults.architecture = "gemma3";
  const auto read = [&] { return read_hyper_parameters(metadata, {.n_vocab = p.n_vocab}, defaults).value().windowed; };
  EXPECT_EQ(read(), (std::vector<std::uint8_t>{1, 1, 1, 1, 1, 0, 1}));
  metadata.set("gemma3.attention.sliding_window_pattern", std::uint32_t{2});
  EXPECT_EQ(read(), (std::vector<std::uint8_t>{1, 0, 1, 0, 1, 0, 1}));
  metadata.set("gemma3.attention.sliding_window_pattern", std::vector<std::int32_t>{1, 1, 1, 1, 1, 1, 0});
  EXPECT_EQ(read(), (std::vector<std::uint8_t>{1, 1, 1, 1, 1, 1, 0}));
  metadata.erase("gemma3.attention.sliding_window");
  EXPECT_TRUE(read().empty()) << "no window, no pattern";
}

TEST(HyperParameters, TakeTheArchitecturesDefaultsWhereAKeyIsSilent) {
  const HyperParameters p = sample(kBitNetB158);
  files::Metadata metadata;
  write_hyper_parameters(p, metadata);
  metadata.erase("bitnet-b1.58.hidden_activation");
  metadata.erase(kPolicyKey);
  metadata.erase("bitnet-b1.58.rope.dimension_count");
  metadata.erase("bitnet-b1.58.attention.head_count_kv");
  HyperParameters defaults = kBitNetB158.defaults();
  defaults.architecture = "bitnet-b1.58";
  const auto back = read_hyper_parameters(metadata, {.n_vocab = p.n_vocab, .input_norms = p.input_norms}, defaults);
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(back->activation, Unary::relu2);
  EXPECT_EQ(back->linear_activation, (ActivationPolicy{ActivationPolicy::Mode::per_token, 8}));
  EXPECT_EQ(back->n_rotary, 64);
  EXPECT_EQ(back->n_kv_heads, p.n_heads);
  EXPECT_EQ(kBitNet.defaults().activation, Unary::silu);
  EXPECT_EQ(kLlama.defaults().linear_activation, ActivationPolicy{});
}

TEST(HyperParameters, EveryMissingNumberIsNamed) {
  const HyperParameters p = sample(kLlama);
  for (const std::string name :
       {"embedding_length", "block_count", "context_length", "feed_forward_length", "attention.head_count"}) {
    files::Metadata metadata;
    write_hyper_parameters(p, metadata);
    metadata.erase("llama." + name);
    const auto refused = read_back(metadata, p);
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().message.find("llama." + name + " is missing"), std::string::npos)
        << refused.error().message;
  }
}

TEST(HyperParameters, EveryBadNumberInAFileIsNamed) {
  struct Case {
    std::string key;
    files::MetaValue value;
    std::string expected;
  };
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const std::vector<Case> cases{
      {"llama.vocab_size", std::uint32_t{321}, "says 321 but the embedding table has 320 rows"},
      {"llama.embedding_length", std::uint32_t{0}, "embedding length is 0"},
      {"llama.embedding_length", std::uint64_t{1} << 40, "embedding length is 1099511627776"},
      {"llama.embedding_length", std::string("256"), "llama.embedding_length"},
      {"llama.block_count", std::uint32_t{0}, "block count is 0, expected 1 to 4096"},
      {"llama.block_count", std::uint32_t{4097}, "block count is 4097"},
      {"llama.block_count", std::int32_t{-1}, "block count is -1"},
      {"llama.context_length", std::uint32_t{0}, "context length is 0"},
      {"llama.context_length", (std::uint64_t{1} << 30) + 1, "context length is 1073741825"},
      {"llama.context_length", std::numeric_limits<std::uint64_t>::max(), "llama.context_length"},
      {"llama.feed_forward_length", std::int64_t{-5}, "feed-forward length is -5"},
      {"llama.attention.head_count", std::uint32_t{0}, "llama.attention.head_count is 0, expected 1 to 65536"},
      {"llama.attention.head_count", std::uint32_t{65537}, "llama.attention.head_count is 65537"},
      {"llama.attention.head_count_kv", std::uint32_t{0}, "number of key/value heads is 0"},
      {"llama.attention.head_count_kv", std::uint32_t{5}, "number of key/value heads is 5, expected 1 to 4"},
      {"llama.attention.head_count_kv", std::uint32_t{3}, "4 heads do not divide among 3 key/value heads"},
      {"llama.attention.head_count_kv", std::vector<std::uint32_t>{2, 1}, "differs between layers (2 and 1)"},
      {"llama.attention.key_length", std::uint32_t{0}, "differs"},
      {"llama.attention.value_length", std::uint32_t{32},
       "attention.value_length 32 differs from attention.key_length 64"},
      {"llama.rope.dimension_count", std::uint32_t{66}, "rotary dimension is 66, expected 0 to 64"},
      {"llama.rope.dimension_count", std::uint32_t{63}, "rotary dimension is 63, expected an even number"},
      {"llama.attention.layer_norm_rms_epsilon", nan, "norm epsilon is nan"},
      {"llama.attention.layer_norm_rms_epsilon", -1.0F, "norm epsilon is -1"},
      {"llama.rope.freq_base", 0.0F, "rope base is 0"},
      {"llama.rope.freq_base", nan, "rope base is nan"},
      {"llama.rope.scaling.type", std::string("longrope"), "llama.rope.scaling.type is \"longrope\""},
      {"llama.rope.scaling.type", std::string("yarn"), "llama.rope.scaling.original_context_length is missing"},
      {"llama.rope.scale_linear", -2.0F, "rope scaling factor is -2"},
      {"llama.attention.causal", false, "llama.attention.causal is false"},
      {"llama.pooling_type", std::uint32_t{4}, "llama.pooling_type is 4"},
      {"llama.attention.sliding_window", std::int32_t{-3}, "attention window is -3"},
      {"llama.attention.scale", nan, "attention scale is nan"},
      {"llama.final_logit_softcapping", -1.0F, "final soft cap is -1"},
      {"llama.hidden_activation", std::string("tanh"), "activation function \"tanh\" is not known"},
      {"tern.linear_activation", std::string("int4"), "tern.linear_activation is \"int4\""},
  };
  const HyperParameters p = sample(kLlama);
  for (const Case& c : cases) {
    files::Metadata metadata;
    write_hyper_parameters(p, metadata);
    if (c.key == "llama.attention.key_length") metadata.set("llama.attention.value_length", std::uint32_t{64});
    metadata.set(c.key, c.value);
    const auto refused = read_back(metadata, p);
    ASSERT_FALSE(refused) << c.key;
    EXPECT_NE(refused.error().message.find(c.expected), std::string::npos) << c.key << ": " << refused.error().message;
    EXPECT_EQ(refused.error().message.find('\n'), std::string::npos);
  }
}

TEST(HyperParameters, HeadsMayBeGivenOncePerLayerWhenTheyAgree) {
  const HyperParameters p = sample(kLlama);
  files::Metadata metadata;
  write_hyper_parameters(p, metadata);
  metadata.set("llama.attention.head_count_kv", std::vector<std::int32_t>{2, 2});
  EXPECT_EQ(read_back(metadata, p).value().n_kv_heads, 2);
  metadata.set("llama.attention.head_count_kv", std::vector<std::int32_t>{});
  EXPECT_EQ(read_back(metadata, p).value().n_kv_heads, 4) << "an empty list says nothing";
}

TEST(HyperParameters, BadScalingIsRefused) {
  HyperParameters p = sample(kLlama);
  const auto message = [&] { return check(p).error().message; };
  p.rope_scaling = {.kind = RopeScaling::Kind::linear, .factor = 0.0F};
  EXPECT_EQ(message(), "rope scaling factor is 0, expected a positive number");
  p.rope_scaling = {.kind = RopeScaling::Kind::yarn, .factor = 4.0F};
  EXPECT_NE(message().find("original context"), std::string::npos);
  p.rope_scaling.original_context = 4096;
  p.rope_scaling.beta_slow = 32.0F;
  EXPECT_NE(message().find("0 < beta_slow < beta_fast"), std::string::npos);
  p.rope_scaling.beta_slow = 1.0F;
  p.rope_scaling.attention_factor = 0.0F;
  EXPECT_NE(message().find("yarn attention factor is 0"), std::string::npos);
  p.rope_scaling.attention_factor = 1.0F;
  EXPECT_TRUE(check(p).has_value());
}

TEST(HyperParameters, HeadsTooWideForSumsIn32BitsAreRefused) {
  HyperParameters p = sample(kLlama);
  p.n_heads = 65536;
  p.n_kv_heads = 1;
  p.head_dim = 65536;
  p.n_rotary = 64;
  const auto refused = check(p);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message, "heads times head dimension is 4294967296, expected 1 to 4194304");
}

TEST(HyperParameters, NamesOfFunctionsAndPoliciesGoBothWays) {
  for (const Unary function : {Unary::silu, Unary::relu2, Unary::gelu_tanh}) {
    EXPECT_EQ(activation_by_name(activation_name(function)).value(), function);
  }
  EXPECT_EQ(activation_by_name("gelu_pytorch_tanh").value(), Unary::gelu_tanh);
  using Mode = ActivationPolicy::Mode;
  for (const Mode mode : {Mode::partner, Mode::none, Mode::per_token}) {
    const ActivationPolicy policy{mode, 8};
    EXPECT_EQ(policy_by_name(policy_name(policy)).value(), policy);
  }
}

}  // namespace
}  // namespace tern::models
