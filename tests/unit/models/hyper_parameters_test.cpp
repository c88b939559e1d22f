// The numbers of a model through GGUF keys and back, and every bad one named.
#include "models/hyper_parameters.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numbers>

#include "models/all.hpp"
#include "tests/support/tiny_model.hpp"

namespace tern::models {
namespace {

bool same(const HyperParameters& a, const HyperParameters& b) {
  return a.architecture == b.architecture && a.n_vocab == b.n_vocab && a.n_ctx_train == b.n_ctx_train &&
         a.n_embd == b.n_embd && a.n_layers == b.n_layers && a.n_ff == b.n_ff && a.n_heads == b.n_heads &&
         a.n_kv_heads == b.n_kv_heads && a.head_dim == b.head_dim && a.n_rotary == b.n_rotary &&
         a.norm_eps == b.norm_eps && a.rope_base == b.rope_base && a.rope_scaling == b.rope_scaling &&
         a.activation == b.activation && a.linear_activation == b.linear_activation;
}

HyperParameters sample(const Architecture& architecture) {
  return test::tiny_parameters(architecture, 320);
}

Result<HyperParameters> read_back(const files::Metadata& metadata, const HyperParameters& p) {
  HyperParameters defaults;
  defaults.architecture = p.architecture;
  return read_hyper_parameters(metadata, p.n_vocab, defaults);
}

TEST(HyperParameters, SurviveTheWayThroughMetadataForEveryArchitecture) {
  for (const Architecture* architecture : all()) {
    HyperParameters p = sample(*architecture);
    p.norm_eps = 3.25e-6F;
    p.rope_base = 500000.0F;
    p.n_rotary = 32;
    p.rope_scaling = {RopeScaling::Kind::linear, 2.5F, 1.0F, 4.0F, 0};
    for (const std::int64_t head_dim : {64, 48}) {  // 48 is not n_embd / n_heads
      p.head_dim = head_dim;
      files::Metadata metadata;
      write_hyper_parameters(p, metadata);
      const auto back = read_back(metadata, p);
      ASSERT_TRUE(back) << architecture->name << ": " << back.error().message;
      EXPECT_TRUE(same(*back, p)) << architecture->name << " head_dim " << head_dim;
    }
  }
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
  const auto back = read_hyper_parameters(metadata, p.n_vocab, defaults);
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
      {"llama.rope.scaling.type", std::string("yarn"), "llama.rope.scaling.type is \"yarn\""},
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
  p.rope_scaling = {RopeScaling::Kind::linear, 0.0F, 1.0F, 4.0F, 0};
  EXPECT_EQ(message(), "rope scaling factor is 0, expected a positive number");
  p.rope_scaling = {RopeScaling::Kind::llama3, 8.0F, 4.0F, 4.0F, 8192};
  EXPECT_NE(message().find("low < high"), std::string::npos);
  p.rope_scaling = {RopeScaling::Kind::llama3, 8.0F, 1.0F, 4.0F, 0};
  EXPECT_NE(message().find("original context"), std::string::npos);
  p.rope_scaling = {RopeScaling::Kind::llama3, 8.0F, 1.0F, 4.0F, 8192};
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

// The rule of LLaMA 3.1 written once more in its own terms: long wavelengths are slowed by the factor, short ones are
// kept, those between are interpolated.
TEST(RopeFactors, FollowTheThreeBandsOfLlama3) {
  HyperParameters p = sample(kLlama);
  p.head_dim = p.n_rotary = 128;
  p.rope_base = 500000.0F;
  p.rope_scaling = {RopeScaling::Kind::llama3, 8.0F, 1.0F, 4.0F, 8192};
  const auto factors = llama3_rope_factors(p);
  ASSERT_EQ(factors.size(), 64U);
  int kept = 0;
  int slowed = 0;
  int between = 0;
  for (std::size_t i = 0; i < factors.size(); ++i) {
    const double turns = 8192.0 / (2.0 * std::numbers::pi * std::pow(500000.0, static_cast<double>(i) / 64.0));
    if (turns > 4.0) {
      EXPECT_EQ(factors[i], 1.0F) << i;
      ++kept;
    } else if (turns < 1.0) {
      EXPECT_EQ(factors[i], 8.0F) << i;
      ++slowed;
    } else {
      const double share = (turns - 1.0) / 3.0;  // of the kept frequency
      EXPECT_NEAR(1.0 / static_cast<double>(factors[i]), share + (1.0 - share) / 8.0, 1e-6) << i;
      ++between;
    }
  }
  EXPECT_GT(kept, 20);
  EXPECT_GT(slowed, 20);
  EXPECT_GT(between, 2);
}

}  // namespace
}  // namespace tern::models
