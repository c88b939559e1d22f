// Real vocabularies on real text, against ids made by other programs: llama.cpp's .inp/.out pairs, whole texts by
// tiktoken, tokenizers and sentencepiece (expected_texts.json), and the ids that transformers gave for the golden
// models.
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <sstream>

#include "models/tokenizer_source.hpp"
#include "tests/support/data.hpp"
#include "tests/support/sha256.hpp"
#include "text/detect.hpp"
#include "text/detokenizer.hpp"
#include "text/tokenizer.hpp"

namespace tern::text {
namespace {

std::string slurp(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  EXPECT_TRUE(in.good()) << path;
  return {std::istreambuf_iterator<char>(in), {}};
}

Bytes as_bytes(const std::string& text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

std::string data(const std::string& name) {
  return slurp(test::data_folder() + "/" + name);
}

Tokenizer make(Result<Vocabulary> vocabulary) {
  EXPECT_TRUE(vocabulary.has_value()) << vocabulary.error().message;
  auto tokenizer = Tokenizer::make(std::move(*vocabulary));
  EXPECT_TRUE(tokenizer.has_value()) << tokenizer.error().message;
  return *tokenizer;
}

Tokenizer from_file(const std::string& name, std::optional<std::string_view> pre = std::nullopt) {
  const std::string bytes = data(name);
  return make(read_vocabulary(as_bytes(bytes), pre));
}

Tokenizer from_pair(const std::string& vocab, const std::string& merges) {
  const std::string vocab_json = data(vocab);
  const std::string merges_txt = data(merges);
  return make(read_vocab_merges(as_bytes(vocab_json), as_bytes(merges_txt)));
}

Tokenizer gpt2() {
  return from_pair("tokenizers/gpt2/vocab.json", "tokenizers/gpt2/merges.txt");
}

std::vector<std::int32_t> encode(const Tokenizer& tokenizer, std::string_view text, EncodeOptions options = {}) {
  const auto ids = tokenizer.encode(text, options);
  EXPECT_TRUE(ids.has_value()) << ids.error().message;
  return ids.value_or(std::vector<std::int32_t>{});
}

void expect_pairs(const Tokenizer& tokenizer, const std::string& name) {
  const std::string input = data("tokenizers/ggml-vocab/ggml-vocab-" + name + ".gguf.inp");
  std::istringstream output(data("tokenizers/ggml-vocab/ggml-vocab-" + name + ".gguf.out"));
  constexpr std::string_view kSeparator = "\n__ggml_vocab_test__\n";
  std::size_t n_cases = 0;
  std::string_view rest = input;
  for (std::string line; std::getline(output, line);) {
    const std::size_t end = rest.find(kSeparator);
    const std::string_view text = rest.substr(0, end);
    std::istringstream numbers(line);
    const std::vector<std::int32_t> expected(std::istream_iterator<std::int32_t>(numbers), {});
    const auto ids = encode(tokenizer, text);
    EXPECT_EQ(ids, expected) << name << " case " << n_cases << ": \"" << text << "\"";
    EXPECT_EQ(tokenizer.decode(ids), text) << name << " case " << n_cases;
    ++n_cases;
    if (end == std::string_view::npos) break;
    rest.remove_prefix(end + kSeparator.size());
  }
  EXPECT_EQ(n_cases, 46U) << name;
}

TEST(TokenizerPairs, LlamaBpeFromTiktokenRanks) {
  TERN_NEEDS_DATA();
  expect_pairs(from_file("tokenizers/llama3/tokenizer.model"), "llama-bpe");
}

TEST(TokenizerPairs, LlamaBpeFromVocabAndMerges) {
  TERN_NEEDS_DATA();
  expect_pairs(from_pair("tokenizers/llama3/encoder.json", "tokenizers/llama3/vocab.bpe"), "llama-bpe");
}

TEST(TokenizerPairs, Qwen2) {
  TERN_NEEDS_DATA();
  const Tokenizer tokenizer = from_file("tokenizers/qwen/qwen.tiktoken");
  EXPECT_EQ(tokenizer.vocabulary().pre, "qwen2");
  expect_pairs(tokenizer, "qwen2");
  expect_pairs(tokenizer, "deepseek-r1-qwen");
}

TEST(TokenizerPairs, Gpt2) {
  TERN_NEEDS_DATA();
  expect_pairs(gpt2(), "gpt-2");
}

// The vocabulary is in a GGUF file without tensors.
Tokenizer from_gguf(const std::string& name) {
  std::vector<std::string> warnings;
  return make(models::read_tokenizer(test::data_folder() + "/tokenizers/ggml-vocab/ggml-vocab-" + name + ".gguf",
                                     std::nullopt, warnings));
}

TEST(TokenizerPairs, ByteLevelGgufFilesByTheirPreTokeniser) {
  TERN_NEEDS_DATA();
  for (const std::string name : {"gpt-2", "falcon", "deepseek-llm"}) {
    const Tokenizer tokenizer = from_gguf(name);
    EXPECT_EQ(tokenizer.vocabulary().pre, name);
    expect_pairs(tokenizer, name);
  }
}

TEST(TokenizerPairs, GptNeoxWithoutANameIsReadAsGpt2) {
  TERN_NEEDS_DATA();
  const Tokenizer tokenizer = from_gguf("gpt-neox");
  EXPECT_EQ(tokenizer.vocabulary().pre, "gpt-2");
  // No ids are published with this file: the text comes back, and a word that is a token is found as one.
  const std::string text = data("tokenizers/ggml-vocab/ggml-vocab-gpt-2.gguf.inp");
  const auto ids = encode(tokenizer, text);
  EXPECT_EQ(tokenizer.decode(ids), text);
  EXPECT_EQ(encode(tokenizer, " the").size(), 1U);
}

TEST(TokenizerPairs, LlamaSpmFromSentencePieceAndFromLlama2c) {
  TERN_NEEDS_DATA();
  expect_pairs(from_file("tokenizers/llama2/tokenizer.model"), "llama-spm");
  expect_pairs(from_file("tokenizers/llama2/tokenizer.bin"), "llama-spm");
}

void expect_whole_texts(const Tokenizer& tokenizer, const std::string& name) {
  const auto expected = nlohmann::json::parse(data("tokenizers/expected_texts.json"));
  ASSERT_EQ(expected.size(), 2U);
  for (const auto& [file, by_tokenizer] : expected.items()) {
    const auto& entry = by_tokenizer.at(name);
    const std::string text = data("eval/" + file);
    const auto ids = encode(tokenizer, text);
    EXPECT_EQ(ids.size(), entry.at("n").get<std::size_t>()) << file;
    for (std::size_t i = 0; i < 16 && i < ids.size(); ++i) {
      EXPECT_EQ(ids[i], entry.at("first").at(i).get<std::int32_t>()) << file << " id " << i;
    }
    EXPECT_EQ(test::sha256_hex(std::as_bytes(std::span(ids))), entry.at("sha256").get<std::string>()) << file;
    EXPECT_TRUE(tokenizer.decode(ids) == text) << file << " does not come back from its ids";
  }
}

TEST(TokenizerTexts, Llama3) {
  TERN_NEEDS_DATA();
  expect_whole_texts(from_file("tokenizers/llama3/tokenizer.model"), "llama3 (tiktoken ranks)");
}

TEST(TokenizerTexts, Llama3FromVocabAndMerges) {
  TERN_NEEDS_DATA();
  expect_whole_texts(from_pair("tokenizers/llama3/encoder.json", "tokenizers/llama3/vocab.bpe"),
                     "llama3 (tiktoken ranks)");
}

TEST(TokenizerTexts, Qwen) {
  TERN_NEEDS_DATA();
  expect_whole_texts(from_file("tokenizers/qwen/qwen.tiktoken", "qwen2"), "qwen (tiktoken ranks)");
}

TEST(TokenizerTexts, Gpt2) {
  TERN_NEEDS_DATA();
  expect_whole_texts(gpt2(), "gpt2 (vocab and merges)");
}

TEST(TokenizerTexts, Llama2) {
  TERN_NEEDS_DATA();
  expect_whole_texts(from_file("tokenizers/llama2/tokenizer.model"), "llama2 (SentencePiece model)");
}

TEST(TokenizerJson, GivesTheIdsOfTheGoldenAndReferenceModels) {
  TERN_NEEDS_DATA();
  for (const std::string folder :
       {"golden/llama", "golden/llama-rope-scaled-sharded", "golden/qwen2", "golden/qwen3", "golden/bitnet-online",
        "golden/bitnet-packed", "golden/llama-bitlinear-packed", "models/reference-float", "models/reference-bitnet",
        "models/reference-bitnet-masters"}) {
    const std::string tokenizer_json = data(folder + "/tokenizer.json");
    const std::string config = data(folder + "/tokenizer_config.json");
    const Tokenizer tokenizer = make(read_tokenizer_json(as_bytes(tokenizer_json), as_bytes(config)));
    const auto expected = nlohmann::json::parse(data(folder + "/expected.json"));
    const auto& texts = expected.at("text");
    const auto& text_ids = expected.at("text_ids");
    ASSERT_EQ(texts.size(), text_ids.size());
    ASSERT_FALSE(texts.empty());
    for (std::size_t i = 0; i < texts.size(); ++i) {
      const auto text = texts[i].get<std::string>();
      const auto ids = text_ids[i].get<std::vector<std::int32_t>>();
      const bool has_bos = ids.front() == tokenizer.vocabulary().bos;
      EXPECT_EQ(encode(tokenizer, text, {.add_bos = has_bos}), ids) << folder << ": " << text;
      EXPECT_EQ(tokenizer.decode(ids), text) << folder;
    }
    EXPECT_EQ(tokenizer.vocabulary().bos, 0) << folder;
    EXPECT_EQ(tokenizer.vocabulary().eos, 1) << folder;
  }
}

TEST(TokenizerTiktoken, AddsLlama3ControlTokensWhereTheyArePublished) {
  TERN_NEEDS_DATA();
  const Tokenizer tokenizer = from_file("tokenizers/llama3/tokenizer.model");
  EXPECT_EQ(tokenizer.size(), 128256U);
  EXPECT_EQ(tokenizer.vocabulary().bos, 128000);
  EXPECT_EQ(tokenizer.vocabulary().eos, 128001);
  EXPECT_EQ(tokenizer.vocabulary().eot, 128009);
  EXPECT_TRUE(tokenizer.vocabulary().add_bos);
  EXPECT_TRUE(tokenizer.is_end_of_generation(128009));
  EXPECT_EQ(tokenizer.find_special("<|start_header_id|>"), 128006);
  EXPECT_EQ(tokenizer.find_special("<|reserved_special_token_250|>"), 128255);
  const std::string turn = "<|eot_id|>";
  EXPECT_EQ(encode(tokenizer, turn, {.parse_special = true}), (std::vector<std::int32_t>{128009}));
  const auto plain = encode(tokenizer, turn);
  EXPECT_GT(plain.size(), 1U);
  for (const std::int32_t id : plain) EXPECT_LT(id, 128000);
}

TEST(TokenizerLlama2c, AgreesWithItsSentencePieceModel) {
  TERN_NEEDS_DATA();
  const Tokenizer from_bin = from_file("models/llama2c-stories260K/tok512.bin");
  const Tokenizer from_model = from_file("models/llama2c-stories260K/tok512.model");
  EXPECT_EQ(from_bin.size(), 512U);
  EXPECT_EQ(from_bin.vocabulary().tokens, from_model.vocabulary().tokens);
  EXPECT_EQ(from_bin.vocabulary().types, from_model.vocabulary().types);
  EXPECT_EQ(from_bin.vocabulary().scores, from_model.vocabulary().scores);
  // By sentencepiece 0.2 with tok512.model.
  EXPECT_EQ(encode(from_bin, "Once upon a time", {.add_bos = true}),
            (std::vector<std::int32_t>{1, 403, 407, 261, 378}));
  std::string stories = data("train/tinystories/tinystories-valid.txt");
  stories.resize(std::min<std::size_t>(stories.size(), 100'000));
  EXPECT_EQ(encode(from_bin, stories), encode(from_model, stories));
  EXPECT_EQ(from_bin.decode(encode(from_bin, stories)), stories);
}

TEST(Detokenizer, StreamsTheExpectedStoryWhole) {
  TERN_NEEDS_DATA();
  const Tokenizer tokenizer = from_file("models/llama2c-stories260K/tok512.bin");
  const std::string story = data("models/llama2c-stories260K/expected_greedy_200.txt");
  Detokenizer detokenizer(tokenizer);
  std::string streamed;
  for (const std::int32_t id : encode(tokenizer, story, {.add_bos = true})) streamed += detokenizer.push(id);
  streamed += detokenizer.finish();
  EXPECT_EQ(streamed, story);
}

}  // namespace
}  // namespace tern::text
