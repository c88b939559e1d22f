// Configurations written and read again, key by key where transformers wants one spelling, and what no class says.
#include "models/hf_config_writer.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "files/json.hpp"
#include "models/all.hpp"
#include "models/hf_json_writer.hpp"

namespace tern::models {
namespace {

HfModel tiny(const Architecture& architecture) {
  HfModel model;
  HyperParameters& p = model.config.parameters;
  p = architecture.defaults();
  p.architecture = std::string(architecture.name);
  p.n_vocab = 64;
  p.n_ctx_train = 128;
  p.n_embd = 64;
  p.n_layers = 3;
  p.n_ff = 96;
  p.n_heads = 4;
  p.n_kv_heads = 2;
  p.head_dim = p.n_rotary = 16;
  return model;
}

Result<HfConfig> read_back(const std::string& text) {
  return read_hf_config(std::as_bytes(std::span(text)));
}

nlohmann::json parsed(const Result<std::string>& text) {
  EXPECT_TRUE(text) << (text ? "" : text.error().message);
  return text ? nlohmann::json::parse(*text) : nlohmann::json();
}

std::string refusal(const Architecture& architecture, const HfModel& model) {
  const auto text = write_hf_config(architecture, model);
  return text ? "taken" : text.error().message;
}

TEST(HfConfigWriter, WritesWhatIsReadAgainForEveryArchitecture) {
  for (const Architecture* architecture : all()) {
    HfModel model = tiny(*architecture);
    if (model.config.parameters.linear_activation != ActivationPolicy{})
      model.config.storage = BitNetStorage::packed_multiply;
    model.config.tied_embeddings = true;
    const auto text = write_hf_config(*architecture, model);
    ASSERT_TRUE(text) << text.error().message;
    const auto config = read_back(*text);
    ASSERT_TRUE(config) << config.error().message;
    EXPECT_TRUE(config->tied_embeddings);
    EXPECT_EQ(config->storage, model.config.storage);
    const auto found = for_config(*config);
    ASSERT_TRUE(found);
    EXPECT_EQ((*found)->plan(config->parameters).text(), architecture->plan(model.config.parameters).text())
        << architecture->name << *text;
  }
}

TEST(HfConfigWriter, WritesNumbersAsShortAsTheyReadBack) {
  HfJsonWriter out;
  for (const float value : {1e-5F, 1e-6F, 0.1F, 500000.0F, 3.4e38F, 1.17549435e-38F, 1.0F / 3.0F}) {
    out.number("x", value);
    const auto read = nlohmann::json::parse(out.text())["x"];
    ASSERT_TRUE(read.is_number_float());
    EXPECT_EQ(static_cast<float>(read.get<double>()), value);
  }
  out.number("x", 1e-5F);
  EXPECT_EQ(out.text(), "{\n  \"x\": 1e-05\n}\n");
}

TEST(HfConfigWriter, SpellsRotarySettingsInTheOlderWayThatAllReadersTake) {
  HfModel model = tiny(kLlama);
  model.config.parameters.rope_base = 500000.0F;
  auto json = parsed(write_hf_config(kLlama, model));
  EXPECT_EQ(json["rope_theta"], 500000.0);
  EXPECT_FALSE(json.contains("rope_scaling") || json.contains("rope_parameters"));

  model.config.llama3_rope = Llama3Rope{8.0F, 1.0F, 4.0F, 64};
  const auto text = write_hf_config(kLlama, model);
  json = parsed(text);
  EXPECT_EQ(json["rope_scaling"]["rope_type"], "llama3");
  EXPECT_EQ(read_back(*text)->llama3_rope, model.config.llama3_rope);
}

TEST(HfConfigWriter, GivesBackEveryNumberOfYarn) {
  for (const float factor : {1.5F, 4.0F, 7.3F, 32.0F}) {
    for (const float attention : {1.0F, 0.7F, 1.31F, 0.9999F}) {
      HfModel model = tiny(kQwen3);
      RopeScaling& s = model.config.parameters.rope_scaling;
      s = {RopeScaling::Kind::yarn, factor, 32, 24.0F, 1.5F, attention};
      const auto text = write_hf_config(kQwen3, model);
      ASSERT_TRUE(text);
      const auto config = read_back(*text);
      ASSERT_TRUE(config) << config.error().message;
      const RopeScaling& got = config->parameters.rope_scaling;
      EXPECT_NEAR(got.attention_factor, attention, 6e-8F);
      EXPECT_EQ(got.factor, s.factor);
      EXPECT_EQ(got.beta_fast, s.beta_fast);
      EXPECT_EQ(got.beta_slow, s.beta_slow);
      EXPECT_EQ(got.original_context, s.original_context);
    }
  }
}

TEST(HfConfigWriter, SaysNullWhereAClassWouldPutItsOwnToken) {
  HfModel model = tiny(kLlama);
  auto json = parsed(write_hf_config(kLlama, model));
  EXPECT_TRUE(json.at("bos_token_id").is_null() && json.at("eos_token_id").is_null());
  EXPECT_FALSE(json.contains("pad_token_id"));
  model.bos = 0;
  model.eos = 1;
  model.pad = 2;
  model.dtype = "bfloat16";
  json = parsed(write_hf_config(kLlama, model));
  EXPECT_EQ(json.at("bos_token_id"), 0);
  EXPECT_EQ(json.at("eos_token_id"), 1);
  EXPECT_EQ(json.at("pad_token_id"), 2);
  EXPECT_EQ(json.at("torch_dtype"), "bfloat16");
}

TEST(HfConfigWriter, NamesTheThreeSpellingsOfBitNet) {
  HfModel model = tiny(kBitNetB158);
  const auto section = [&](BitNetStorage storage) {
    model.config.storage = storage;
    return parsed(write_hf_config(kBitNetB158, model))["quantization_config"];
  };
  EXPECT_TRUE(section(BitNetStorage::none).is_null());
  EXPECT_EQ(section(BitNetStorage::online_masters)["quantization_mode"], "online");
  EXPECT_EQ(section(BitNetStorage::online_masters)["linear_class"], "autobitlinear");
  EXPECT_EQ(section(BitNetStorage::packed_multiply)["quantization_mode"], "offline");
  EXPECT_EQ(section(BitNetStorage::packed_multiply)["linear_class"], "autobitlinear");
  EXPECT_EQ(section(BitNetStorage::packed_divide)["linear_class"], "bitlinear");
  EXPECT_EQ(section(BitNetStorage::packed_divide)["quant_method"], "bitnet");
}

TEST(HfConfigWriter, PutsNormsBeforeProjectionsIntoTheLinears) {
  HfModel model = tiny(kLlama);
  model.config.parameters.input_norms = true;
  model.config.parameters.norm_eps = 2e-6F;
  model.config.storage = BitNetStorage::packed_divide;
  const auto text = write_hf_config(kLlama, model);
  EXPECT_EQ(parsed(text)["quantization_config"]["use_rms_norm"], true);
  EXPECT_EQ(parsed(text)["quantization_config"]["rms_norm_eps"], 2e-6);
  EXPECT_TRUE(read_back(*text)->parameters.input_norms);
  auto other = parsed(text);
  other["quantization_config"]["rms_norm_eps"] = 1e-5;
  const auto refused = read_back(other.dump());
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("one for all norms"), std::string::npos);
}

TEST(HfConfigWriter, MakesALlamaWithAWindowAMistral) {
  HfModel model = tiny(kLlama);
  model.config.parameters.window = 7;
  const auto json = parsed(write_hf_config(kLlama, model));
  EXPECT_EQ(json["architectures"][0], "MistralForCausalLM");
  EXPECT_EQ(json["model_type"], "mistral");
  EXPECT_EQ(json["sliding_window"], 7);
  EXPECT_TRUE(parsed(write_hf_config(kMistral, tiny(kMistral))).at("sliding_window").is_null());
  model.config.parameters.windowed = {1, 0, 1};
  EXPECT_NE(refusal(kLlama, model).find("some layers"), std::string::npos);
  model.config.parameters.windowed = {};
  model.qkv_biases = model.output_biases = true;
  EXPECT_NE(refusal(kLlama, model).find("biases"), std::string::npos);
}

TEST(HfConfigWriter, SaysWhichLayersOfQwen2Slide) {
  HfModel model = tiny(kQwen2);
  EXPECT_EQ(parsed(write_hf_config(kQwen2, model))["use_sliding_window"], false);
  model.config.parameters.window = 5;
  model.config.parameters.windowed = {0, 1, 1};
  const auto text = write_hf_config(kQwen2, model);
  EXPECT_EQ(parsed(text)["max_window_layers"], 1);
  EXPECT_EQ(read_back(*text)->parameters.windowed, model.config.parameters.windowed);
}

TEST(HfConfigWriter, SaysHowGemmaScalesItsScores) {
  HfModel model = tiny(kGemma3);
  EXPECT_EQ(parsed(write_hf_config(kGemma3, model))["query_pre_attn_scalar"], 16);
  model.config.parameters.attention_scale = 1.0F / std::sqrt(24.0F);
  model.config.parameters.final_soft_cap = 20.0F;
  model.config.parameters.window = 6;
  model.config.parameters.windowed = {1, 0, 1};
  const auto text = write_hf_config(kGemma3, model);
  EXPECT_EQ(parsed(text)["query_pre_attn_scalar"], 24);
  EXPECT_EQ(parsed(text)["sliding_window_pattern"], 2);
  EXPECT_EQ(read_back(*text)->parameters.attention_scale, model.config.parameters.attention_scale);
  EXPECT_EQ(read_back(*text)->parameters.final_soft_cap, 20.0F);
  EXPECT_EQ(read_back(*text)->parameters.windowed, model.config.parameters.windowed);
  model.config.parameters.attention_scale = 0.3F;  // no integer's root
  EXPECT_NE(refusal(kGemma3, model).find("attention scale of 0.3"), std::string::npos);
  // The largest one's files do not say its scale; transformers must hear it.
  model = tiny(kGemma3);
  model.config.parameters.n_layers = 62;
  model.config.parameters.n_embd = 672;
  EXPECT_EQ(parsed(write_hf_config(kGemma3, model))["query_pre_attn_scalar"], 168);
}

TEST(HfConfigWriter, RefusesByNameWhatNoClassSays) {
  const auto with = [](auto change) {
    HfModel model = tiny(kLlama);
    change(model);
    const std::string message = refusal(kLlama, model);
    EXPECT_NE(message.find("GGUF"), std::string::npos) << message;
    return message;
  };
  EXPECT_NE(with([](HfModel& m) { m.config.parameters.attention_scale = 0.5F; }).find("scale"), std::string::npos);
  EXPECT_NE(with([](HfModel& m) { m.config.parameters.attention_soft_cap = 5; }).find("soft cap"), std::string::npos);
  EXPECT_NE(with([](HfModel& m) { m.config.parameters.final_soft_cap = 5; }).find("logits"), std::string::npos);
  EXPECT_NE(with([](HfModel& m) { m.config.parameters.n_rotary = 8; }).find("rotated in part"), std::string::npos);
  EXPECT_NE(with([](HfModel& m) { m.config.parameters.input_norms = true; }).find("norm before"), std::string::npos);
  EXPECT_NE(with([](HfModel& m) { m.config.parameters.pooling = Pooling::mean; }).find("pooling"), std::string::npos);
  EXPECT_NE(with([](HfModel& m) { m.qkv_biases = true; }).find("biases on some"), std::string::npos);
  EXPECT_NE(with([](HfModel& m) {
              m.config.parameters.linear_activation = {ActivationPolicy::Mode::per_token, 4};
            }).find("8 bits"),
            std::string::npos);
  const Architecture nameless{.name = "own",
                              .summary = "",
                              .defaults = kLlama.defaults,
                              .plan = kLlama.plan,
                              .hugging_face_classes = {},
                              .describes = nullptr,
                              .tensor_names = {}};
  EXPECT_NE(refusal(nameless, tiny(kLlama)).find("own has no class"), std::string::npos);
}

}  // namespace
}  // namespace tern::models
