// Our perplexity of our own files is what libllama says about the same bytes: 4 digits where the weights are floats,
// within 0.2 % where activations are rounded, since the two round them with different instructions. The library's
// figures and token ids were made by tests/golden/make/make_perplexity.py; the files are made anew here, and the hash
// of their data section shows that they are the files that were measured.
#include <gtest/gtest.h>

#include <cmath>
#include <thread>

#include "convert/quantize.hpp"
#include "eval/corpus.hpp"
#include "eval/perplexity.hpp"
#include "formats/all.hpp"
#include "tests/support/models.hpp"
#include "tests/support/sha256.hpp"

namespace tern::test {
namespace {

using Json = nlohmann::json;

constexpr double kFloatTolerance = 1e-4;     // four digits and a little more: the cache is F16 on both sides
constexpr double kF32CacheTolerance = 1e-5;  // nothing is rounded below float32: only the order of additions differs
constexpr double kRoundedTolerance = 2e-3;

struct Measured {
  std::string file;  // as in perplexity.json
  std::vector<std::string> texts;
};

const Json& golden() {
  static const Json json = read_json(source_file("tests/golden/data/perplexity.json"));
  return json;
}

/// Of the models that ship, on the texts that ship.
const Json& golden_of_own_models() {
  static const Json json = read_json(source_file("tests/golden/data/own_models.json"));
  return json;
}

int threads() {
  return std::max(1, std::min(4, static_cast<int>(std::thread::hardware_concurrency())));
}

// "reference-float-pure-Q4_K.gguf": model, "-pure" or not, type.
struct Name {
  explicit Name(std::string file) {
    file.resize(file.size() - std::string(".gguf").size());
    type = file.substr(file.rfind('-') + 1);
    file.resize(file.rfind('-'));
    pure = file.ends_with("-pure");
    model = pure ? file.substr(0, file.size() - std::string("-pure").size()) : file;
  }
  std::string model;
  std::string type;
  bool pure;
};

std::string data_hash(const std::string& path) {
  const auto file = must(files::GgufFile::open(path));
  std::uint64_t begin = file.file_bytes();
  for (const auto& tensor : file.tensors()) begin = std::min(begin, tensor.offset);
  return sha256_hex(file.parts().front().bytes.subspan(begin));
}

double measure(const std::shared_ptr<const engine::Model>& model, const std::string& text, const Json& chunks,
               const engine::CacheFormats& cache) {
  const auto corpus = must(eval::read_corpus(text));
  const eval::PerplexityOptions options{
      .n_ctx = 0, .max_chunks = chunks.get<std::int64_t>(), .n_threads = threads(), .cache = cache};
  const auto made = must(eval::make_chunks(*model, corpus.text, options));
  Progress quiet;
  return must(eval::perplexity(model, made, options, quiet)).perplexity;
}

class PerplexityGolden : public ::testing::TestWithParam<Measured> {
 protected:
  std::string make(const Name& name) const {
    const std::string data = data_folder() + "/models/";
    const bool stories = name.model == "stories260K";
    const std::string floats = stories ? converted(folder_, data + "llama2c-stories260K/stories260K.bin", "floats",
                                                   "f32", data + "llama2c-stories260K/tok512.bin")
                                       : converted(folder_, data + name.model, "floats", "f32");
    if (name.type == "F32") return floats;
    convert::QuantizeOptions options;
    options.input = floats;
    options.output = folder_.file("quantized.gguf");
    options.wishes.mixture = must(convert::mixture_by_name(name.type));
    options.wishes.pure = name.pure;
    options.write.n_threads = threads();
    Progress quiet;
    const auto plan = must(convert::QuantizePlan::make(options, quiet));
    must(plan.run(options, quiet));
    return options.output;
  }

  TemporaryFolder folder_;
};

TEST_P(PerplexityGolden, IsWhatLibllamaSaysOfTheSameBytes) {
  TERN_NEEDS_DATA();
  const Measured& measured = GetParam();
  const Json& expected = golden()["files"].at(measured.file);
  const Name name(measured.file);
  const std::string path = make(name);
  ASSERT_EQ(data_hash(path), expected["data_sha256"].get<std::string>()) << "not the file that libllama measured";
  const auto model = load(path);
  const bool is_float = must(formats::by_name(name.type))->is_float;
  for (const std::string& text : measured.texts) {
    const double theirs = expected["default"][text]["perplexity"].get<double>();
    const double ours = measure(model, data_folder() + "/eval/" + text, golden()["chunks"], {});
    EXPECT_NEAR(ours / theirs, 1.0, is_float ? kFloatTolerance : kRoundedTolerance)
        << text << ": " << ours << " against " << theirs;
    if (name.type == "F32") {
      const double exact = expected["f32_cache"][text]["perplexity"].get<double>();
      const double ours_exact = measure(model, data_folder() + "/eval/" + text, golden()["chunks"],
                                        engine::CacheFormats::both(formats::kF32));
      EXPECT_NEAR(ours_exact / exact, 1.0, kF32CacheTolerance)
          << text << ", F32 cache: " << ours_exact << " against " << exact;
    }
  }
}

const std::string kWiki = "wiki.test.raw";
const std::string kPtb = "ptb.test.txt";

INSTANTIATE_TEST_SUITE_P(
    Files, PerplexityGolden,
    ::testing::Values(
        Measured{"stories260K-F32.gguf", {kWiki, kPtb}}, Measured{"reference-float-F32.gguf", {kWiki, kPtb}},
        Measured{"reference-float-F16.gguf", {kWiki}}, Measured{"reference-float-BF16.gguf", {kPtb}},
        Measured{"reference-float-Q8_0.gguf", {kWiki}}, Measured{"reference-float-Q6_K.gguf", {kPtb}},
        Measured{"reference-float-Q5_K.gguf", {kWiki}}, Measured{"reference-float-Q5_1.gguf", {kPtb}},
        Measured{"reference-float-Q5_0.gguf", {kWiki}}, Measured{"reference-float-Q4_K.gguf", {kWiki, kPtb}},
        Measured{"reference-float-Q4_1.gguf", {kPtb}}, Measured{"reference-float-Q4_0.gguf", {kWiki}},
        Measured{"reference-float-Q3_K.gguf", {kPtb}}, Measured{"reference-float-Q2_K.gguf", {kWiki}},
        Measured{"reference-float-TQ2_0.gguf", {kWiki, kPtb}}, Measured{"reference-float-TQ1_0.gguf", {kPtb}},
        Measured{"reference-float-Q2_0.gguf", {kPtb}}, Measured{"reference-float-Q1_0.gguf", {kPtb}},
        Measured{"reference-float-pure-Q4_K.gguf", {kWiki}}, Measured{"reference-float-pure-TQ2_0.gguf", {kPtb}}),
    [](const auto& instance) {
      std::string name = instance.param.file.substr(0, instance.param.file.rfind('.'));
      std::ranges::replace(name, '-', '_');
      return name;
    });

// Trained here, packed here, and the library of llama.cpp says of them what Tern says.
TEST(PerplexityGoldenOfOwnModels, IsWhatLibllamaSaysOfTheSameBytes) {
  const Json& all = golden_of_own_models();
  ASSERT_EQ(all["files"].size(), 3U);
  for (const auto& [file, expected] : all["files"].items()) {
    const std::string path = source_file("models/" + file);
    ASSERT_EQ(data_hash(path), expected["data_sha256"].get<std::string>()) << file << " is not what was measured";
    const auto model = load(path);
    const bool is_float = file.find("float") != std::string::npos;
    for (const auto& [text, theirs] : all["ids"].at(file.substr(0, file.rfind('-'))).items()) {
      const auto corpus = must(eval::read_corpus(source_file("data/eval/" + text)));
      const auto ids = must(model->tokenizer()->encode(corpus.text, {.add_bos = true}));
      EXPECT_EQ(sha256_hex(std::as_bytes(std::span(ids))), theirs["sha256"].get<std::string>()) << file << ", " << text;
    }
    for (const auto& [text, theirs] : expected["default"].items()) {
      const double ours = measure(model, source_file("data/eval/" + text), all["chunks"], {});
      EXPECT_NEAR(ours / theirs["perplexity"].get<double>(), 1.0, is_float ? kFloatTolerance : kRoundedTolerance)
          << file << " on " << text;
    }
  }
}

TEST(PerplexityGoldenIds, AreLibllamasForBothWholeTexts) {
  TERN_NEEDS_DATA();
  const TemporaryFolder folder;
  const std::string data = data_folder() + "/models/";
  const std::map<std::string, std::string> models{
      {"reference-float", converted(folder, data + "reference-float", "float", "f32")},
      {"stories260K", converted(folder, data + "llama2c-stories260K/stories260K.bin", "stories", "f32",
                                data + "llama2c-stories260K/tok512.bin")}};
  for (const auto& [name, path] : models) {
    const auto model = load(path);
    ASSERT_NE(model->tokenizer(), nullptr) << model->tokenizer_error();
    const bool add_bos = model->tokenizer()->vocabulary().add_bos;
    for (const auto& [text, expected] : golden()["ids"].at(name).items()) {
      EXPECT_EQ(add_bos, expected["adds_bos"].get<bool>()) << name;
      const auto corpus = must(eval::read_corpus(data_folder() + "/eval/" + text));
      const auto ids = must(model->tokenizer()->encode(corpus.text, {.add_bos = add_bos}));
      EXPECT_EQ(ids.size(), expected["n"].get<std::size_t>()) << name << ", " << text;
      EXPECT_EQ(sha256_hex(std::as_bytes(std::span(ids))), expected["sha256"].get<std::string>())
          << name << ", " << text;
    }
  }
}

}  // namespace
}  // namespace tern::test
