// What convert and quantize hold in memory of their own: at most twice the largest tensor as F32 and 64 MB, whatever
// the size of the model. Read from the running program (RssAnon), so mapped files do not count.
#include <gtest/gtest.h>

#include <cstdint>
#include <fstream>

#include "tests/support/process.hpp"
#include "tests/support/pytorch_writer.hpp"
#include "tests/support/tiny_checkpoint.hpp"

namespace tern::test {
namespace {

constexpr std::uint64_t kFixed = 64'000'000;

constexpr std::uint16_t kValue = 0x3c23;  // 0.00994 in bf16

// A Hugging Face folder of a LLaMA model without its weights. Returns the tensors that the weights must be.
std::vector<TorchTensor> write_large_config(const std::string& folder, std::int64_t width, std::int64_t hidden,
                                            std::int64_t n_layers) {
  const std::int64_t n_vocab = kTinyVocabulary;
  std::ofstream(folder + "/config.json")
      << R"({"architectures":["LlamaForCausalLM"],"model_type":"llama","hidden_size":)" << width
      << R"(,"intermediate_size":)" << hidden << R"(,"num_hidden_layers":)" << n_layers
      << R"(,"num_attention_heads":8,"num_key_value_heads":8,"vocab_size":)" << n_vocab
      << R"(,"max_position_embeddings":128,"rms_norm_eps":1e-5,"rope_theta":10000.0,)"
      << R"("tie_word_embeddings":true,"hidden_act":"silu","torch_dtype":"bfloat16"})";
  std::vector<TorchTensor> tensors{{"model.embed_tokens.weight", {n_vocab, width}}, {"model.norm.weight", {width}}};
  for (std::int64_t l = 0; l < n_layers; ++l) {
    const std::string p = "model.layers." + std::to_string(l) + ".";
    tensors.push_back({p + "input_layernorm.weight", {width}});
    tensors.push_back({p + "post_attention_layernorm.weight", {width}});
    for (const char* name : {"q_proj", "k_proj", "v_proj", "o_proj"})
      tensors.push_back({p + "self_attn." + name + ".weight", {width, width}});
    tensors.push_back({p + "mlp.gate_proj.weight", {hidden, width}});
    tensors.push_back({p + "mlp.up_proj.weight", {hidden, width}});
    tensors.push_back({p + "mlp.down_proj.weight", {width, hidden}});
  }
  return tensors;
}

// The weights, bf16, ~200 MB: large matrices, all zero bytes but for one row.
void write_large_model(const std::string& folder, std::int64_t width, std::int64_t hidden, std::int64_t n_layers) {
  const std::vector<TorchTensor> tensors = write_large_config(folder, width, hidden, n_layers);
  std::string header = "{";
  std::uint64_t at = 0;
  for (const TorchTensor& tensor : tensors) {
    std::int64_t n = 1;
    std::string shape;
    for (const std::int64_t extent : tensor.shape) {
      n *= extent;
      shape += (shape.empty() ? "" : ",") + std::to_string(extent);
    }
    const std::uint64_t end = at + static_cast<std::uint64_t>(n) * 2;
    header += (header.size() > 1 ? ",\"" : "\"") + tensor.name + R"(":{"dtype":"BF16","shape":[)" + shape +
              R"(],"data_offsets":[)" + std::to_string(at) + "," + std::to_string(end) + "]}";
    at = end;
  }
  header += "}";
  while (header.size() % 8 != 0) header += ' ';
  const std::uint64_t n_header = header.size();
  const std::string path = folder + "/model.safetensors";
  std::ofstream out(path, std::ios::binary);
  put_bytes(out, &n_header, sizeof n_header);
  put_bytes(out, header.data(), header.size());
  const std::vector<std::uint16_t> row(static_cast<std::size_t>(width), kValue);
  put_bytes(out, row.data(), row.size() * 2);
  out.close();
  std::filesystem::resize_file(path, 8 + n_header + at);  // the rest is a hole: zeros without the disk
}

TEST(Memory, ConvertAndQuantizeStream) {
  const TemporaryFolder folder;
  constexpr std::int64_t kWidth = 2048;
  constexpr std::int64_t kHidden = 5632;
  write_large_model(folder.path(), kWidth, kHidden, 2);
  write_tiny_tokenizer(folder.file("tokenizer.bin"));
  const auto largest = static_cast<std::uint64_t>(kWidth * kHidden) * 4;
  const auto convert =
      run_tern({"convert", folder.path(), "--outfile", folder.file("f16.gguf"), "--outtype", "f16", "-t", "2"},
               {.watch_memory = true});
  ASSERT_EQ(convert.exit_code, 0) << convert.err;
  EXPECT_GT(std::filesystem::file_size(folder.file("f16.gguf")), 200'000'000U);
  if (kMeasuresPrograms) {
    EXPECT_GT(convert.peak_anonymous, 0U) << "the program was not seen running";
    EXPECT_LE(convert.peak_anonymous, 2 * largest + kFixed);
    // What is really used is far below: rows in flight, whatever the tensor.
    EXPECT_LE(convert.peak_anonymous, kFixed);
  }
  for (const char* type : {"Q4_K", "TQ2_0"}) {
    const auto quantize =
        run_tern({"quantize", folder.file("f16.gguf"), folder.file(std::string(type) + ".gguf"), type, "2"},
                 {.watch_memory = true});
    ASSERT_EQ(quantize.exit_code, 0) << quantize.err;
    EXPECT_LE(quantize.peak_anonymous, kMeasuresPrograms ? kFixed : ~std::uint64_t{0}) << type;
  }
}

TEST(Memory, ConvertsALargePyTorchFileInLittle) {
  const TemporaryFolder folder;
  constexpr std::int64_t kWidth = 2048;
  constexpr std::int64_t kHidden = 5632;
  const auto tensors = write_large_config(folder.path(), kWidth, kHidden, 2);
  TorchWriter::write(folder.file("pytorch_model.bin"), tensors, std::vector<std::uint16_t>(kWidth, kValue));
  write_tiny_tokenizer(folder.file("tokenizer.bin"));
  const auto convert = run_tern({"convert", folder.path(), "--tokenizer", folder.file("tokenizer.bin"), "--outfile",
                                 folder.file("torch.gguf"), "--outtype", "f16", "-t", "2"},
                                {.watch_memory = true});
  ASSERT_EQ(convert.exit_code, 0) << convert.err;
  EXPECT_LE(convert.peak_anonymous, kMeasuresPrograms ? kFixed : ~std::uint64_t{0});
  if (kMeasuresPrograms) {
    EXPECT_GT(convert.peak_anonymous, 0U) << "the program was not seen running";
  }
  // And it is the model that safetensors give.
  write_large_model(folder.path(), kWidth, kHidden, 2);
  const auto safe = run_tern({"convert", folder.path(), "--tokenizer", folder.file("tokenizer.bin"), "--outfile",
                              folder.file("safe.gguf"), "--outtype", "f16", "-t", "2"});
  ASSERT_EQ(safe.exit_code, 0) << safe.err;
  EXPECT_GT(std::filesystem::file_size(folder.file("torch.gguf")), 200'000'000U);
  EXPECT_TRUE(whole_file(folder.file("torch.gguf")) == whole_file(folder.file("safe.gguf")));
}

TEST(Memory, ConvertsARealModelInLittle) {
  TERN_NEEDS_DATA();
  const TemporaryFolder folder;
  for (const char* model : {"reference-float", "reference-bitnet", "reference-bitnet-masters"}) {
    const auto ended =
        run_tern({"convert", data_folder() + "/models/" + model, "--outfile", folder.file("m.gguf"), "--force"},
                 {.watch_memory = true});
    ASSERT_EQ(ended.exit_code, 0) << ended.err;
    EXPECT_LE(ended.peak_anonymous, kMeasuresPrograms ? 2 * 2048 * 256 * 4 + kFixed : ~std::uint64_t{0}) << model;
  }
}

TEST(Threads, EveryNumberOfThreadsWritesTheSameBytes) {
  const TemporaryFolder folder;
  write_tiny_checkpoint(folder.file("tiny.bin"));
  write_tiny_tokenizer(folder.file("t.bin"));
  const auto make = [&](const std::string& threads) {
    const std::string f16 = folder.file("f16-" + threads + ".gguf");
    const auto converted = run_tern({"convert", folder.file("tiny.bin"), "--tokenizer", folder.file("t.bin"),
                                     "--outfile", f16, "--outtype", "f16", "-t", threads});
    EXPECT_EQ(converted.exit_code, 0) << converted.err;
    std::string all = whole_file(f16);
    for (const char* type : {"Q8_0", "Q4_K", "Q6_K", "Q3_K", "Q5_1", "TQ1_0"}) {
      const std::string out = folder.file("q.gguf");
      const auto quantized = run_tern({"quantize", "--force", "--pure", f16, out, type, threads});
      EXPECT_EQ(quantized.exit_code, 0) << quantized.err;
      all += whole_file(out);
    }
    return all;
  };
  const std::string one = make("1");
  EXPECT_GT(one.size(), 2'000'000U);
  EXPECT_TRUE(one == make("2"));
  EXPECT_TRUE(one == make("3"));
}

}  // namespace
}  // namespace tern::test
