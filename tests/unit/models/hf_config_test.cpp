// config.json: both spellings of the rope settings, the forms of quantization_config, and every wrong value by name.
#include "models/hf_config.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "files/json.hpp"

namespace tern::models {
namespace {

nlohmann::json basic() {
  return {{"architectures", {"LlamaForCausalLM"}},
          {"model_type", "llama"},
          {"vocab_size", 320},
          {"hidden_size", 256},
          {"num_hidden_layers", 2},
          {"intermediate_size", 512},
          {"num_attention_heads", 4},
          {"max_position_embeddings", 2048}};
}

Result<HfConfig> read(const nlohmann::json& config) {
  const std::string text = config.dump();
  return read_hf_config(std::as_bytes(std::span(text)));
}

void expect_refused(const nlohmann::json& config, const std::string& expected) {
  const auto refused = read(config);
  ASSERT_FALSE(refused) << config.dump();
  EXPECT_TRUE(refused.error().message.starts_with("config.json")) << refused.error().message;
  EXPECT_NE(refused.error().message.find(expected), std::string::npos) << refused.error().message;
  EXPECT_EQ(refused.error().message.find('\n'), std::string::npos);
}

TEST(HfConfig, TheLeastThatIsNeededImpliesTheRest) {
  const auto config = read(basic());
  ASSERT_TRUE(config) << config.error().message;
  const HyperParameters& p = config->parameters;
  EXPECT_EQ(p.n_vocab, 320);
  EXPECT_EQ(p.n_ctx_train, 2048);
  EXPECT_EQ(p.n_kv_heads, 4);
  EXPECT_EQ(p.head_dim, 64);
  EXPECT_EQ(p.n_rotary, 64);
  EXPECT_EQ(p.norm_eps, 1e-6F);
  EXPECT_EQ(p.rope_base, 10000.0F);
  EXPECT_EQ(p.activation, Unary::silu);
  EXPECT_EQ(p.linear_activation, ActivationPolicy{});
  EXPECT_FALSE(config->tied_embeddings);
  EXPECT_EQ(config->storage, BitNetStorage::none);
}

TEST(HfConfig, APartRotationIsRefusedSinceItWouldChangeTheModel) {
  nlohmann::json j = basic();
  j["partial_rotary_factor"] = 0.5;
  expect_refused(j, "partial_rotary_factor is 0.5");
  j["partial_rotary_factor"] = 1.0;
  EXPECT_TRUE(read(j));
}

TEST(HfConfig, EveryNumberIsRead) {
  nlohmann::json j = basic();
  j["num_key_value_heads"] = 2;
  j["head_dim"] = 32;
  j["rms_norm_eps"] = 1e-5;
  j["rope_theta"] = 500000.0;
  j["hidden_act"] = "relu2";
  j["tie_word_embeddings"] = true;
  const auto config = read(j).value();
  EXPECT_EQ(config.parameters.n_kv_heads, 2);
  EXPECT_EQ(config.parameters.head_dim, 32);
  EXPECT_EQ(config.parameters.norm_eps, 1e-5F);
  EXPECT_EQ(config.parameters.rope_base, 500000.0F);
  EXPECT_EQ(config.parameters.activation, Unary::relu2);
  EXPECT_TRUE(config.tied_embeddings);
  j["head_dim"] = nullptr;  // null is as good as absent
  EXPECT_EQ(read(j).value().parameters.head_dim, 64);
}

TEST(HfConfig, BothSpellingsOfTheRopeSettingsMeanTheSame) {
  nlohmann::json older = basic();
  older["rope_theta"] = 500000.0;
  older["rope_scaling"] = {{"rope_type", "llama3"},
                           {"factor", 8.0},
                           {"low_freq_factor", 1.0},
                           {"high_freq_factor", 4.0},
                           {"original_max_position_embeddings", 1024}};
  nlohmann::json newer = basic();
  newer["rope_parameters"] = older["rope_scaling"];
  newer["rope_parameters"]["rope_theta"] = 500000.0;
  for (const auto& j : {older, newer}) {
    const auto config = read(j).value();
    EXPECT_EQ(config.parameters.rope_base, 500000.0F);
    EXPECT_EQ(config.llama3_rope, (Llama3Rope{8.0F, 1.0F, 4.0F, 1024}));
  }
  nlohmann::json linear = basic();
  linear["rope_scaling"] = {{"type", "linear"}, {"factor", 4}};
  EXPECT_EQ(read(linear).value().parameters.rope_scaling.kind, RopeScaling::Kind::linear);
  EXPECT_EQ(read(linear).value().parameters.rope_scaling.factor, 4.0F);
  nlohmann::json plain = basic();
  plain["rope_parameters"] = {{"rope_type", "default"}, {"rope_theta", 1e6}};
  EXPECT_EQ(read(plain).value().parameters.rope_scaling.kind, RopeScaling::Kind::none);
  EXPECT_EQ(read(plain).value().parameters.rope_base, 1e6F);
}

TEST(HfConfig, WhatCannotBeToldApartOrIsAnotherFunctionIsRefused) {
  nlohmann::json both = basic();
  both["rope_parameters"] = {{"rope_type", "default"}, {"rope_theta", 1e6}};
  both["rope_scaling"] = {{"rope_type", "linear"}, {"factor", 4.0}};
  EXPECT_NE(read(both).error().message.find("has both rope_parameters and rope_scaling"), std::string::npos);
  nlohmann::json exact = basic();
  exact["hidden_act"] = "gelu";
  EXPECT_NE(read(exact).error().message.find("hidden_act is gelu, the exact one"), std::string::npos);
  const nlohmann::json other = {{"architectures", {"GPTNeoXForCausalLM"}}};
  EXPECT_NE(read(other).error().message.find("class \"GPTNeoXForCausalLM\" of config.json is not supported"),
            std::string::npos);
}

TEST(HfConfig, YarnKeepsBesideThePapersFactorWhatTheCheckpointStates) {
  nlohmann::json j = basic();
  j["rope_scaling"] = {{"rope_type", "yarn"}, {"factor", 4.0}, {"original_max_position_embeddings", 32768}};
  RopeScaling scaling = read(j).value().parameters.rope_scaling;
  EXPECT_EQ(scaling, (RopeScaling{.kind = RopeScaling::Kind::yarn, .factor = 4.0F, .original_context = 32768}));
  j["rope_scaling"]["attention_factor"] = 1.0 + 0.1 * std::log(4.0);
  j["rope_scaling"]["beta_fast"] = 8;
  scaling = read(j).value().parameters.rope_scaling;
  EXPECT_NEAR(scaling.attention_factor, 1.0F, 1e-6F);
  EXPECT_EQ(scaling.beta_fast, 8.0F);
}

TEST(HfConfig, WindowsFollowEachClassesRules) {
  const auto of = [](const char* class_name, const nlohmann::json& more) {
    nlohmann::json j = basic();
    j["architectures"] = {class_name};
    j["num_hidden_layers"] = 4;
    j.update(more);
    return read(j).value().parameters;
  };
  using Pattern = std::vector<std::uint8_t>;
  EXPECT_EQ(of("LlamaForCausalLM", {{"sliding_window", 8}}).window, 0) << "the class has none";
  EXPECT_EQ(of("MistralForCausalLM", nlohmann::json::object()).window, 4096) << "the first model's";
  EXPECT_EQ(of("MistralForCausalLM", {{"sliding_window", nullptr}}).window, 0);
  EXPECT_EQ(of("MistralForCausalLM", {{"sliding_window", 8}}).window, 8);
  EXPECT_EQ(of("Qwen2ForCausalLM", {{"sliding_window", 8}}).window, 0) << "must be switched on";
  const auto qwen =
      of("Qwen2ForCausalLM", {{"sliding_window", 8}, {"use_sliding_window", true}, {"max_window_layers", 3}});
  EXPECT_EQ(qwen.windowed, (Pattern{0, 0, 0, 1}));
  EXPECT_EQ(of("Gemma3ForCausalLM", {{"sliding_window_pattern", 2}}).windowed, (Pattern{1, 0, 1, 0}));
  const nlohmann::json types = {"full_attention", "sliding_attention", "full_attention", "sliding_attention"};
  EXPECT_EQ(of("Gemma3ForCausalLM", {{"layer_types", types}}).windowed, (Pattern{0, 1, 0, 1}));
}

TEST(HfConfig, GemmaImpliesWhatItsFilesLeaveOut) {
  const nlohmann::json j = {{"architectures", {"Gemma3ForConditionalGeneration"}},
                            {"model_type", "gemma3"},
                            {"text_config",
                             {{"hidden_size", 2560},
                              {"intermediate_size", 10240},
                              {"num_hidden_layers", 34},
                              {"sliding_window", 1024},
                              {"rope_scaling", {{"factor", 8.0}, {"rope_type", "linear"}}}}}};
  const HfConfig config = read(j).value();
  const HyperParameters& p = config.parameters;
  EXPECT_EQ(p.n_embd, 2560);
  EXPECT_EQ(p.n_heads, 8);
  EXPECT_EQ(p.n_kv_heads, 4);
  EXPECT_EQ(p.head_dim, 256);
  EXPECT_EQ(p.n_vocab, 262208);
  EXPECT_EQ(p.n_ctx_train, 131072);
  EXPECT_EQ(p.rope_base, 1e6F);
  EXPECT_EQ(p.rope_base_windowed, 1e4F);
  EXPECT_EQ(p.rope_scaling.factor, 8.0F);
  EXPECT_EQ(p.activation, Unary::gelu_tanh);
  EXPECT_TRUE(config.tied_embeddings);
}

TEST(HfConfig, TheFormsOfQuantizationConfigChooseTheStorage) {
  const auto storage = [](const nlohmann::json& q) {
    nlohmann::json j = basic();
    j["quantization_config"] = q;
    return read(j);
  };
  EXPECT_EQ(storage({{"quant_method", "bitnet"}})->storage, BitNetStorage::packed_divide);
  EXPECT_EQ(
      storage({{"quant_method", "bitnet"}, {"linear_class", "bitlinear"}, {"quantization_mode", "offline"}})->storage,
      BitNetStorage::packed_divide);
  EXPECT_EQ(storage({{"quant_method", "bitnet"}, {"linear_class", "autobitlinear"}, {"quantization_mode", "offline"}})
                ->storage,
            BitNetStorage::packed_multiply);
  EXPECT_EQ(storage({{"quant_method", "bitnet"}, {"linear_class", "autobitlinear"}, {"quantization_mode", "online"}})
                ->storage,
            BitNetStorage::online_masters);
  const auto config = storage({{"quant_method", "bitnet"}}).value();
  EXPECT_EQ(config.parameters.linear_activation, (ActivationPolicy{ActivationPolicy::Mode::per_token, 8}));
  EXPECT_NE(storage({{"quant_method", "gptq"}}).error().message.find("quantization method \"gptq\" is not supported"),
            std::string::npos);
  EXPECT_FALSE(config.parameters.input_norms);
  EXPECT_TRUE(storage({{"quant_method", "bitnet"}, {"use_rms_norm", true}}).value().parameters.input_norms);
  EXPECT_NE(storage({{"quant_method", "bitnet"}, {"use_rms_norm", true}, {"rms_norm_eps", 1e-3}})
                .error()
                .message.find("rms_norm_eps is 0.001"),
            std::string::npos);
  EXPECT_NE(storage({{"quant_method", "bitnet"}, {"quantization_mode", "later"}})
                .error()
                .message.find("quantization_mode \"later\""),
            std::string::npos);
  EXPECT_NE(storage({{"quant_method", "bitnet"}, {"linear_class", "x"}}).error().message.find("linear_class \"x\""),
            std::string::npos);
  EXPECT_NE(storage("bitnet").error().message.find("quantization_config is string, expected an object"),
            std::string::npos);
}

TEST(HfConfig, EveryMissingKeyIsNamed) {
  for (const std::string key : {"vocab_size", "hidden_size", "num_hidden_layers", "intermediate_size",
                                "num_attention_heads", "max_position_embeddings"}) {
    nlohmann::json j = basic();
    j.erase(key);
    expect_refused(j, key + " is missing");
  }
  nlohmann::json j = basic();
  j.erase("architectures");
  expect_refused(j, "architectures is missing");
}

TEST(HfConfig, EveryWrongTypeIsNamed) {
  struct Case {
    std::string key;
    nlohmann::json value;
    std::string expected;
  };
  const std::vector<Case> cases{
      {"architectures", "LlamaForCausalLM", "architectures is missing"},
      {"architectures", {1}, "architectures is missing"},
      {"vocab_size", "320", "vocab_size is string, expected an integer"},
      {"hidden_size", 256.5, "hidden_size is number, expected an integer"},
      {"rms_norm_eps", "small", "rms_norm_eps is string, expected a number"},
      {"rope_theta", true, "rope_theta is boolean, expected a number"},
      {"rope_scaling", {1, 2}, "rope_scaling is array, expected an object"},
      {"rope_scaling", {{"rope_type", 3}}, "rope_type is number, expected a string"},
      {"hidden_act", 5, "hidden_act is number, expected a string"},
      {"tie_word_embeddings", "yes", "tie_word_embeddings is string, expected true or false"},
      {"model_type", {"llama"}, "model_type is array, expected a string"},
      {"quantization_config",
       {{"quant_method", "bitnet"}, {"linear_class", 1}},
       "linear_class is number, expected a string"},
  };
  for (const Case& c : cases) {
    nlohmann::json j = basic();
    j[c.key] = c.value;
    expect_refused(j, c.expected);
  }
}

TEST(HfConfig, EveryImpossibleNumberIsNamed) {
  struct Case {
    std::string key;
    nlohmann::json value;
    std::string expected;
  };
  const std::vector<Case> cases{
      {"vocab_size", 0, "vocabulary size is 0"},
      {"vocab_size", std::uint64_t{18446744073709551615ULL}, "vocab_size is 18446744073709551615, too large"},
      {"hidden_size", -256, "embedding length is -256"},
      {"hidden_size", std::int64_t{1} << 40, "embedding length is"},
      {"num_hidden_layers", 100000, "block count is 100000"},
      {"num_attention_heads", 0, "num_attention_heads is 0, expected at least 1"},
      {"num_attention_heads", 300, "head dimension is 0"},
      {"num_key_value_heads", 3, "4 heads do not divide among 3"},
      {"head_dim", 33, "rotary dimension is 33, expected an even number"},
      {"max_position_embeddings", std::int64_t{1} << 31, "context length"},
      {"rms_norm_eps", -1, "norm epsilon is -1"},
      {"rms_norm_eps", 1e300, "norm epsilon is inf"},
      {"rope_theta", 0, "rope base is 0"},
      {"rope_scaling", {{"type", "linear"}, {"factor", 0}}, "rope scaling factor is 0"},
      {"rope_scaling", {{"type", "longrope"}}, "rope scaling \"longrope\" is not supported"},
      {"rope_scaling", {{"type", "yarn"}, {"factor", 2}, {"truncate", false}}, "truncate = false is not supported"},
      {"rope_scaling", {{"type", "yarn"}, {"factor", 2}, {"mscale", 1}}, "mscale of yarn rope scaling"},
      {"rope_scaling", {{"type", "llama3"}, {"low_freq_factor", 5}}, "llama3 rope scaling needs"},
      {"hidden_act", "mish", "activation function \"mish\" is not known"},
  };
  for (const Case& c : cases) {
    nlohmann::json j = basic();
    j[c.key] = c.value;
    expect_refused(j, c.expected);
  }
}

TEST(HfConfig, WhatIsNoJsonObjectIsRefused) {
  for (const std::string text : {"", "{", "[1]", "null", "{\"a\": }"}) {
    const auto refused = read_hf_config(std::as_bytes(std::span(text)));
    ASSERT_FALSE(refused) << text;
    EXPECT_NE(refused.error().message.find("config.json"), std::string::npos);
  }
}

}  // namespace
}  // namespace tern::models
