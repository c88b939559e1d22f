// The program at its limits: a model larger than the memory, and Ctrl-C in the middle of the work.
#include <gtest/gtest.h>

#include <algorithm>

#include "files/gguf_layout.hpp"
#include "formats/all.hpp"
#include "models/all.hpp"
#include "sys/memory.hpp"
#include "tests/support/process.hpp"
#include "tests/support/tiny_checkpoint.hpp"

namespace tern::test {
namespace {

// A whole, valid model of more bytes than the machine has, all of them holes in a sparse file. False where the file
// system does not take so large a file.
bool write_model_larger_than_memory(const std::string& path) {
  models::HyperParameters p = models::kLlama.defaults();
  p.architecture = "llama";
  p.n_vocab = 320;
  p.n_ctx_train = 128;
  p.n_embd = 8192;
  p.n_ff = 28672;
  p.n_heads = p.n_kv_heads = 64;
  p.head_dim = p.n_rotary = 128;
  constexpr std::uint64_t kLayerBytes = std::uint64_t{4} * (4 * 8192 * 8192 + 3 * std::uint64_t{8192} * 28672);
  p.n_layers = static_cast<std::int64_t>(2 * sys::available_memory() / kLayerBytes) + 1;
  files::GgufLayout layout;
  layout.metadata.set("general.architecture", "llama");
  models::write_hyper_parameters(p, layout.metadata);
  for (const models::TensorSpec& tensor : models::kLlama.plan(p).tensors) {
    if (!tensor.optional && tensor.fallback == models::kNone &&
        !layout.add_tensor(tensor.name, tensor.shape, formats::kF32))
      return false;
  }
  const auto header = layout.header();
  const auto n_bytes = layout.file_bytes();
  if (!header || !n_bytes) return false;
  std::ofstream(path, std::ios::binary) << *header;
  std::error_code error;
  std::filesystem::resize_file(path, *n_bytes, error);
  return !error;
}

TEST(Limits, AModelLargerThanTheMemoryIsRefusedWithBothFigures) {
  const TemporaryFolder folder;
  const std::string path = folder.file("huge.gguf");
  if (!write_model_larger_than_memory(path))
    GTEST_SKIP() << "SKIPPED: this file system takes no sparse file of that size";
  const Ended ended = run_tern({"run", "-m", path, "-n", "1"});
  EXPECT_EQ(ended.exit_code, 4) << ended.err;
  EXPECT_NE(ended.err.find("huge.gguf: the weights take "), std::string::npos) << ended.err;
  EXPECT_NE(ended.err.find("of memory are free; use a smaller format"), std::string::npos) << ended.err;
  EXPECT_EQ(std::ranges::count(ended.err, '\n'), 1) << ended.err;
  const Ended info = run_tern({"info", path}, {.watch_memory = true});
  EXPECT_EQ(info.exit_code, 0) << info.err;
  if (kMeasuresPrograms) {
    EXPECT_GT(info.peak_resident, 1'000'000U) << "was watched";
    EXPECT_LT(info.peak_resident, 64'000'000U);
  }
}

TEST(Limits, CtrlCEndsRunWithWhatWasWrittenAndCode130) {
  const TemporaryFolder folder;
  write_tiny_checkpoint(folder.file("tiny.bin"), 100000);
  write_tiny_tokenizer(folder.file("t.bin"));
  ASSERT_EQ(run_tern({"convert", folder.file("tiny.bin"), "--tokenizer", folder.file("t.bin"), "--outfile",
                      folder.file("m.gguf")})
                .exit_code,
            0);
  const std::vector<std::string> words{"run", "-m", folder.file("m.gguf"), "--ignore-eos", "--temp", "1", "-s", "1",
                                       "-t",  "1"};
  const Ended stopped = run_tern(words, {.timeout_seconds = 60, .interrupt_after_ms = 700});
  EXPECT_EQ(stopped.exit_code, 130) << stopped.err << stopped.signal;
  EXPECT_EQ(stopped.err, "");
  EXPECT_GT(stopped.out.size(), 0U);
  std::vector<std::string> with_json = words;
  with_json.emplace_back("--json");
  const Ended json = run_tern(with_json, {.timeout_seconds = 60, .interrupt_after_ms = 700});
  EXPECT_EQ(json.exit_code, 130) << json.err;
  EXPECT_NE(json.out.find("\"stop_reason\": \"cancelled\""), std::string::npos) << json.out.substr(0, 400);
}

TEST(Limits, CtrlCLeavesNothingHalfWritten) {
  const TemporaryFolder folder;
  write_tiny_checkpoint(folder.file("tiny.bin"));
  write_tiny_tokenizer(folder.file("t.bin"));
  ASSERT_EQ(run_tern({"convert", folder.file("tiny.bin"), "--tokenizer", folder.file("t.bin"), "--outfile",
                      folder.file("m.gguf")})
                .exit_code,
            0);
  const std::string before = whole_file(folder.file("m.gguf"));
  for (const int after_ms : {2, 5, 10, 20, 40, 80}) {
    const Ended ended = run_tern({"quantize", "--force", "--pure", "--allow-requantize", folder.file("m.gguf"),
                                  folder.file("q.gguf"), "Q3_K", "1"},
                                 {.timeout_seconds = 60, .interrupt_after_ms = after_ms});
    // Before the program watches for signals it ends by the signal itself.
    EXPECT_TRUE(ended.exit_code == 0 || ended.exit_code == 130 || ended.signal == SIGINT)
        << ended.exit_code << ended.err;
    for (const auto& entry : std::filesystem::directory_iterator(folder.path())) {
      const std::string name = entry.path().filename();
      EXPECT_TRUE(name == "tiny.bin" || name == "t.bin" || name == "m.gguf" || name == "q.gguf") << name;
    }
    if (std::filesystem::exists(folder.file("q.gguf"))) {
      EXPECT_EQ(run_tern({"info", folder.file("q.gguf")}).exit_code, 0);
    }
  }
  EXPECT_TRUE(whole_file(folder.file("m.gguf")) == before);
}

}  // namespace
}  // namespace tern::test
