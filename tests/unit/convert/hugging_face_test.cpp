// Hugging Face folders written by the test: the four spellings of one ternary model agree, a float LLaMA keeps its
// numbers, and what the plan does not know is refused with nothing left behind.
#include <gtest/gtest.h>

#include <filesystem>
#include <map>

#include "base/random.hpp"
#include "convert/convert.hpp"
#include "files/gguf_reader.hpp"
#include "tests/support/models.hpp"
#include "tests/support/safetensors_writer.hpp"

namespace tern::convert {
namespace {

using test::SafetensorsWriter;

constexpr std::int64_t kEmbd = 128;
constexpr std::int64_t kFf = 256;
constexpr std::int64_t kVocab = 300;
constexpr float kScale = 0.125F;  // a power of two: x and 1/x are exact in every spelling

nlohmann::json config_of(const std::string& class_name) {
  return {{"architectures", {class_name}}, {"vocab_size", kVocab},          {"hidden_size", kEmbd},
          {"num_hidden_layers", 1},        {"intermediate_size", kFf},      {"num_attention_heads", 4},
          {"num_key_value_heads", 2},      {"max_position_embeddings", 64}, {"rms_norm_eps", 1e-5},
          {"hidden_act", "relu2"}};
}

struct Linear {
  std::string name;
  std::int64_t rows;
  std::int64_t k;
};
const std::vector<Linear> kLinears{{"self_attn.q_proj", 128, 128}, {"self_attn.k_proj", 64, 128},
                                   {"self_attn.v_proj", 64, 128},  {"self_attn.o_proj", 128, 128},
                                   {"mlp.gate_proj", 256, 128},    {"mlp.up_proj", 256, 128},
                                   {"mlp.down_proj", 128, 256}};

// Signs of a linear, such that the mean magnitude of sign * m is known: exactly half of them are zero.
std::vector<int> signs_of(const Linear& linear) {
  std::vector<int> out(static_cast<std::size_t>(linear.rows * linear.k));
  Random random(static_cast<std::uint64_t>(linear.rows * 7 + linear.k) + linear.name.size());
  for (std::size_t i = 0; i < out.size(); i += 2) {
    out[i + random.below(2)] = random.below(2) == 0 ? 1 : -1;
  }
  return out;
}

std::vector<float> normal(std::int64_t n, std::uint64_t seed, double scale, double mean = 0.0) {
  Random random(seed);
  std::vector<float> out(static_cast<std::size_t>(n));
  for (float& v : out) v = static_cast<float>(mean + random.normal() * scale);
  return out;
}

// A vocab.json + merges.txt is the shortest tokenizer: 256 byte tokens are not needed to convert.
void write_tokenizer(const std::string& folder) {
  ASSERT_TRUE(sys::write_file(folder + "/vocab.json", R"({"a": 0, "b": 1, "ab": 2})", true).has_value());
  ASSERT_TRUE(sys::write_file(folder + "/merges.txt", "#version: 0.2\na b\n", true).has_value());
}

enum class Spelling { online, multiply, divide, plain };

class HuggingFace : public testing::Test {
 protected:
  std::string make_folder(const std::string& name) {
    const std::string path = folder_.file(name);
    std::filesystem::create_directory(path);
    write_tokenizer(path);
    return path;
  }

  std::string write_bitnet(const std::string& name, Spelling spelling) {
    const std::string path = make_folder(name);
    nlohmann::json config = config_of("BitNetForCausalLM");
    config["model_type"] = "bitnet";
    if (spelling != Spelling::plain) {
      config["quantization_config"] = {{"quant_method", "bitnet"},
                                       {"linear_class", spelling == Spelling::divide ? "bitlinear" : "autobitlinear"},
                                       {"quantization_mode", spelling == Spelling::online ? "online" : "offline"}};
    }
    SafetensorsWriter writer;
    writer.add_bf16("model.embed_tokens.weight", {kVocab, kEmbd}, normal(kVocab * kEmbd, 1, 0.5));
    writer.add_f32("model.norm.weight", {kEmbd}, normal(kEmbd, 2, 0.1, 1.0));
    const std::string layer = "model.layers.0.";
    writer.add_f32(layer + "input_layernorm.weight", {kEmbd}, normal(kEmbd, 3, 0.1, 1.0));
    writer.add_f32(layer + "post_attention_layernorm.weight", {kEmbd}, normal(kEmbd, 4, 0.1, 1.0));
    writer.add_f32(layer + "self_attn.attn_sub_norm.weight", {kEmbd}, normal(kEmbd, 5, 0.1, 1.0));
    writer.add_f32(layer + "mlp.ffn_sub_norm.weight", {kFf}, normal(kFf, 6, 0.1, 1.0));
    for (const Linear& linear : kLinears) {
      const auto signs = signs_of(linear);
      const std::string weight = layer + linear.name + ".weight";
      if (spelling == Spelling::online || spelling == Spelling::plain) {
        // Masters of magnitude 2 s or 0 where half are zero: their mean magnitude is s, and 2 s / s rounds to one.
        const float magnitude = spelling == Spelling::online ? 2 * kScale : kScale;
        std::vector<float> values;
        for (const int sign : signs) values.push_back(static_cast<float>(sign) * magnitude);
        writer.add_bf16(weight, {linear.rows, linear.k}, values);
      } else {
        writer.add_packed(weight, linear.rows, linear.k, signs);
        writer.add_bf16(weight + "_scale", {1}, {spelling == Spelling::multiply ? kScale : 1.0F / kScale});
      }
    }
    finish(path, config, writer);
    return path;
  }

  static void finish(const std::string& path, const nlohmann::json& config, const SafetensorsWriter& writer) {
    writer.write(path + "/model.safetensors");
    ASSERT_TRUE(sys::write_file(path + "/config.json", config.dump(), true).has_value());
  }

  ConvertOptions options(const std::string& source, const std::string& name, const formats::Format* type = nullptr) {
    ConvertOptions o;
    o.source = source;
    o.outfile = folder_.file(name);
    o.outtype = type;
    o.pre = "gpt-2";
    return o;
  }
  files::GgufFile run(const ConvertOptions& o) {
    Progress quiet;
    test::must(convert(o, quiet));
    return test::must(files::GgufFile::open(o.outfile));
  }
  static std::vector<float> values_of(const files::GgufFile& file, std::string_view name) {
    const auto* tensor = file.find(name);
    if (tensor == nullptr) throw std::runtime_error("no tensor " + std::string(name));
    std::vector<float> out(static_cast<std::size_t>(tensor->shape.n_elements()));
    test::must(
        formats::decode_rows(*tensor->format, tensor->shape, file.bytes(*tensor), 0, tensor->shape.n_rows(), out));
    return out;
  }
  std::string refusal(const ConvertOptions& o) {
    Progress quiet;
    const auto result = convert(o, quiet);
    EXPECT_FALSE(std::filesystem::exists(o.outfile));
    for (const auto& entry : std::filesystem::directory_iterator(folder_.path())) {
      EXPECT_EQ(entry.path().string().find(".tmp-"), std::string::npos) << entry.path();
    }
    return result ? "accepted" : result.error().message;
  }

  test::TemporaryFolder folder_;
};

TEST_F(HuggingFace, TheFourSpellingsOfATernaryModelHoldTheSameWeights) {
  const std::map<std::string, Spelling> spellings{{"online", Spelling::online},
                                                  {"multiply", Spelling::multiply},
                                                  {"divide", Spelling::divide},
                                                  {"plain", Spelling::plain}};
  std::vector<float> expected_logits;
  for (const auto& [name, spelling] : spellings) {
    const auto o = options(write_bitnet(name, spelling), name + ".gguf");
    const files::GgufFile file = run(o);
    EXPECT_EQ(file.architecture(), "bitnet-b1.58") << name;
    const formats::Format* ternary = spelling == Spelling::plain ? &formats::kBF16 : &formats::kI2_S;
    for (const auto& [gguf, linear] :
         std::map<std::string, Linear>{{"attn_q", kLinears[0]}, {"attn_k", kLinears[1]}, {"ffn_down", kLinears[6]}}) {
      const std::string tensor = "blk.0." + gguf + ".weight";
      EXPECT_EQ(file.find(tensor)->format, ternary) << name;
      std::vector<float> signs;
      for (const int sign : signs_of(linear)) signs.push_back(static_cast<float>(sign) * kScale);
      EXPECT_EQ(values_of(file, tensor), signs) << name << " " << tensor << ": BitNet keeps the order of rows";
    }
    EXPECT_EQ(file.find("token_embd.weight")->format, &formats::kBF16);
    EXPECT_EQ(file.find("output.weight"), nullptr) << "BitNet ties its head";
    EXPECT_EQ(file.find("blk.0.ffn_sub_norm.weight")->format, &formats::kF32);
    const auto logits = test::logits_of(test::load(o.outfile), {1, 2, 299, 0}, {.n_threads = 1}, {4});
    if (expected_logits.empty()) expected_logits = logits;
    EXPECT_EQ(logits, expected_logits) << name << ": the same codes and scale give the same bits";
  }
}

TEST_F(HuggingFace, TheOuttypeMovesTheMatricesAndLeavesTheTableOfATernaryTarget) {
  const std::string source = write_bitnet("b", Spelling::divide);
  const auto tq2 = run(options(source, "tq2.gguf", &formats::kTQ2_0));
  EXPECT_EQ(tq2.find("blk.0.attn_q.weight")->format, &formats::kQ4_0) << "rows of 128 do not divide by 256";
  EXPECT_EQ(tq2.find("blk.0.ffn_down.weight")->format, &formats::kTQ2_0);
  EXPECT_EQ(tq2.find("token_embd.weight")->format, &formats::kF16);
  const auto f16 = run(options(source, "f16.gguf", &formats::kF16));
  EXPECT_EQ(f16.find("blk.0.attn_q.weight")->format, &formats::kF16);
  EXPECT_EQ(values_of(f16, "blk.0.attn_q.weight"), values_of(run(options(source, "i2s.gguf")), "blk.0.attn_q.weight"));
}

TEST_F(HuggingFace, TheVocabularyIsPaddedToTheTable) {
  const auto file = run(options(write_bitnet("b", Spelling::multiply), "b.gguf"));
  const auto* tokens = test::must(file.metadata().get_strings("tokenizer.ggml.tokens"));
  ASSERT_EQ(tokens->size(), static_cast<std::size_t>(kVocab));
  EXPECT_EQ((*tokens)[2], "ab");
  EXPECT_EQ((*tokens)[3], "[PAD3]");
  EXPECT_EQ((*tokens)[299], "[PAD299]");
  EXPECT_EQ(test::must(file.metadata().get_i64s("tokenizer.ggml.token_type")).at(3), 5);
  EXPECT_EQ(test::must(file.metadata().get_u64("bitnet-b1.58.context_length")), 64U);
}

// A float LLaMA with everything optional.
SafetensorsWriter llama_tensors(bool with_head, std::uint64_t head_seed = 9) {
  SafetensorsWriter writer;
  writer.add_f32("model.embed_tokens.weight", {kVocab, kEmbd}, normal(kVocab * kEmbd, 1, 0.5));
  writer.add_f32("model.norm.weight", {kEmbd}, normal(kEmbd, 2, 0.1, 1.0));
  if (with_head) writer.add_f32("lm_head.weight", {kVocab, kEmbd}, normal(kVocab * kEmbd, head_seed, 0.5));
  writer.add_f32("model.layers.0.input_layernorm.weight", {kEmbd}, normal(kEmbd, 3, 0.1, 1.0));
  writer.add_f32("model.layers.0.post_attention_layernorm.weight", {kEmbd}, normal(kEmbd, 4, 0.1, 1.0));
  std::uint64_t seed = 20;
  for (const Linear& linear : kLinears) {
    writer.add_f32("model.layers.0." + linear.name + ".weight", {linear.rows, linear.k},
                   normal(linear.rows * linear.k, ++seed, 0.1));
  }
  return writer;
}

TEST_F(HuggingFace, QueryAndKeyRowsAndBiasesOfLlamaAreReordered) {
  const std::string path = make_folder("llama");
  SafetensorsWriter writer = llama_tensors(true);
  std::vector<float> bias(128);
  for (std::size_t i = 0; i < 128; ++i) bias[i] = static_cast<float>(i);
  writer.add_f32("model.layers.0.self_attn.q_proj.bias", {128}, bias);
  finish(path, config_of("LlamaForCausalLM"), writer);
  const auto file = run(options(path, "llama.gguf"));
  // Heads of 32 rows: row 1 of GGUF is row 16 of the checkpoint, row 33 is row 48.
  const auto got = values_of(file, "blk.0.attn_q.bias");
  for (std::size_t i = 0; i < 128; ++i)
    EXPECT_EQ(got[i], static_cast<float>(i / 32 * 32 + i % 2 * 16 + i % 32 / 2)) << i;
  const auto q = values_of(file, "blk.0.attn_q.weight");
  const auto source = normal(128 * 128, 21, 0.1);
  EXPECT_TRUE(std::equal(q.begin() + 33 * 128, q.begin() + 34 * 128, source.begin() + 48 * 128));
  const auto k = values_of(file, "blk.0.attn_k.weight");
  const auto k_source = normal(64 * 128, 22, 0.1);
  EXPECT_TRUE(std::equal(k.begin() + 128, k.begin() + 256, k_source.begin() + 16 * 128));
  EXPECT_EQ(values_of(file, "blk.0.attn_v.weight"), normal(64 * 128, 23, 0.1));
  EXPECT_EQ(values_of(file, "output.weight"), normal(kVocab * kEmbd, 9, 0.5));
}

TEST_F(HuggingFace, AStoredHeadIsLeftOutWhereTheConfigTiesIt) {
  const std::string path = make_folder("tied");
  nlohmann::json config = config_of("LlamaForCausalLM");
  config["tie_word_embeddings"] = true;
  finish(path, config, llama_tensors(true, 1));  // the embedding's values
  EXPECT_EQ(test::must(open_source(path)).notes.size(), 0U);
  EXPECT_EQ(run(options(path, "tied.gguf")).find("output.weight"), nullptr);
  // One that differs is a head of its own, as the library that wrote it loads it.
  const std::string differs = make_folder("differs");
  finish(differs, config, llama_tensors(true));
  EXPECT_EQ(test::must(open_source(differs)).notes.size(), 1U);
  EXPECT_EQ(values_of(run(options(differs, "differs.gguf")), "output.weight"), normal(kVocab * kEmbd, 9, 0.5));
  // And the other way round: no head although none is tied, which is noted, not refused.
  const std::string untied = make_folder("untied");
  finish(untied, config_of("LlamaForCausalLM"), llama_tensors(false));
  EXPECT_EQ(test::must(open_source(untied)).notes.size(), 1U);
  EXPECT_EQ(run(options(untied, "untied.gguf")).find("output.weight"), nullptr);
}

TEST_F(HuggingFace, ScalingOfLlama3BecomesFactors) {
  const std::string path = make_folder("llama3");
  nlohmann::json config = config_of("LlamaForCausalLM");
  config["rope_scaling"] = {{"rope_type", "llama3"},
                            {"factor", 8.0},
                            {"low_freq_factor", 1.0},
                            {"high_freq_factor", 4.0},
                            {"original_max_position_embeddings", 64}};
  finish(path, config, llama_tensors(false));
  const auto factors = values_of(run(options(path, "llama3.gguf")), "rope_freqs.weight");
  ASSERT_EQ(factors.size(), 16U);
  EXPECT_EQ(factors.front(), 1.0F);
  EXPECT_EQ(factors.back(), 8.0F);
  EXPECT_TRUE(test::load(folder_.file("llama3.gguf")) != nullptr);
}

TEST_F(HuggingFace, WhatDoesNotFitIsRefusedByNameAndLeavesNothing) {
  const auto broken = [&](const std::string& name, const nlohmann::json& config, const SafetensorsWriter& writer) {
    const std::string path = make_folder(name);
    finish(path, config, writer);
    return refusal(options(path, name + ".gguf"));
  };
  const nlohmann::json llama = config_of("LlamaForCausalLM");
  SafetensorsWriter unknown = llama_tensors(true);
  unknown.add_f32("model.layers.0.self_attn.q_norm.weight", {32}, normal(32, 1, 1.0));
  EXPECT_NE(broken("unknown", llama, unknown)
                .find("1 tensor of this checkpoint means nothing to architecture llama: "
                      "model.layers.0.self_attn.q_norm.weight"),
            std::string::npos);
  SafetensorsWriter harmless = llama_tensors(true);
  harmless.add_f32("model.layers.0.self_attn.rotary_emb.inv_freq", {16}, normal(16, 1, 1.0));
  const std::string path = make_folder("harmless");
  finish(path, llama, harmless);
  run(options(path, "harmless-out.gguf"));
  nlohmann::json wide = llama;
  wide["intermediate_size"] = 320;
  EXPECT_NE(broken("wide", wide, llama_tensors(true))
                .find("model.layers.0.mlp.gate_proj.weight has shape [256, 128], expected [320, 128] from config.json"),
            std::string::npos);
  nlohmann::json deep = llama;
  deep["num_hidden_layers"] = 2;
  EXPECT_NE(broken("deep", deep, llama_tensors(true)).find("tensor model.layers.1.input_layernorm.weight is missing"),
            std::string::npos);
  SafetensorsWriter packed = llama_tensors(true);
  EXPECT_NE(broken("other", config_of("MambaForCausalLM"), packed).find("class \"MambaForCausalLM\""),
            std::string::npos);
}

TEST_F(HuggingFace, PackedWeightsNeedTheirScaleAndTheirConfig) {
  const std::string path = write_bitnet("p", Spelling::multiply);
  nlohmann::json config = test::read_json(path + "/config.json");
  config["quantization_config"]["quantization_mode"] = "online";
  ASSERT_TRUE(sys::write_file(path + "/config.json", config.dump(), true).has_value());
  EXPECT_NE(refusal(options(path, "x.gguf"))
                .find("is packed uint8, but config.json has no quantization_config of method bitnet in offline mode"),
            std::string::npos);
}

TEST_F(HuggingFace, ATokenizerOfAnotherModelAndAnExistingOutputAreRefused) {
  const std::string path = write_bitnet("b", Spelling::multiply);
  nlohmann::json many;
  for (int i = 0; i <= kVocab; ++i) many[fmt::format("t{}", i)] = i;
  many["a"] = kVocab + 1;
  many["b"] = kVocab + 2;
  many["ab"] = kVocab + 3;
  ASSERT_TRUE(sys::write_file(path + "/vocab.json", many.dump(), true).has_value());
  EXPECT_NE(refusal(options(path, "x.gguf")).find("has 304 tokens but the model's embedding table only 300 rows"),
            std::string::npos);
  write_tokenizer(path);
  const auto o = options(path, "y.gguf");
  run(o);
  Progress quiet;
  const auto again = convert(o, quiet);
  ASSERT_FALSE(again);
  EXPECT_NE(again.error().message.find("exists already; use --force"), std::string::npos) << again.error().message;
  std::filesystem::remove(path + "/vocab.json");
  EXPECT_NE(refusal(options(path, "z.gguf")).find("name one with --tokenizer"), std::string::npos);
}

TEST_F(HuggingFace, OtherKindsOfFilesAreNamed) {
  EXPECT_NE(refusal(options(folder_.path(), "x.gguf")), "accepted");
  run(options(write_bitnet("b", Spelling::multiply), "b.gguf"));
  EXPECT_NE(refusal(options(folder_.file("b.gguf"), "x.gguf")).find("is a GGUF file already; name the type"),
            std::string::npos);
}

}  // namespace
}  // namespace tern::convert
