// Tokenizers in GGUF metadata, there and back, and from files and folders.
#include <gtest/gtest.h>

#include "models/tokenizer_source.hpp"
#include "models/vocabulary_gguf.hpp"
#include "sys/atomic_file.hpp"
#include "tests/support/gguf_image.hpp"

namespace tern::models {
namespace {

text::Vocabulary bpe_vocabulary() {
  text::Vocabulary v;
  v.kind = text::TokenizerKind::bpe;
  v.pre = "qwen2";
  v.tokens = {"a", "b", "ab", "<|im_end|>"};
  v.types = {text::TokenType::normal, text::TokenType::normal, text::TokenType::normal, text::TokenType::control};
  v.merges = {"a b"};
  v.eos = 3;
  v.eot = 3;
  v.chat_template = "{{ messages }}";
  return v;
}

files::Metadata written(const text::Vocabulary& v) {
  files::Metadata metadata;
  write_vocabulary(v, metadata);
  return metadata;
}

void expect_same(const text::Vocabulary& a, const text::Vocabulary& b) {
  EXPECT_EQ(a.kind, b.kind);
  EXPECT_EQ(a.pre, b.pre);
  EXPECT_EQ(a.tokens, b.tokens);
  EXPECT_EQ(a.scores, b.scores);
  EXPECT_EQ(a.types, b.types);
  EXPECT_EQ(a.merges, b.merges);
  EXPECT_EQ(a.bos, b.bos);
  EXPECT_EQ(a.eos, b.eos);
  EXPECT_EQ(a.unk, b.unk);
  EXPECT_EQ(a.pad, b.pad);
  EXPECT_EQ(a.eot, b.eot);
  EXPECT_EQ(a.add_bos, b.add_bos);
  EXPECT_EQ(a.add_eos, b.add_eos);
  EXPECT_EQ(a.add_space_prefix, b.add_space_prefix);
  EXPECT_EQ(a.chat_template, b.chat_template);
}

TEST(VocabularyGguf, BothKindsComeBackAsTheyWere) {
  std::vector<std::string> warnings;
  text::Vocabulary spm = test::tiny_vocabulary(300);
  for (const bool space : {false, true}) {
    spm.add_space_prefix = space;
    spm.pad = 299;
    spm.scores[7] = -3.5F;
    expect_same(read_vocabulary(written(spm), warnings).value(), spm);
  }
  expect_same(read_vocabulary(written(bpe_vocabulary()), warnings).value(), bpe_vocabulary());
  EXPECT_TRUE(warnings.empty());
}

TEST(VocabularyGguf, AMissingPreTokeniserIsGuessedWithAWarning) {
  files::Metadata metadata = written(bpe_vocabulary());
  metadata.erase("tokenizer.ggml.pre");
  std::vector<std::string> warnings;
  EXPECT_EQ(read_vocabulary(metadata, warnings).value().pre, "llama-bpe");
  ASSERT_EQ(warnings.size(), 1U);
  EXPECT_NE(warnings[0].find("llama-bpe is assumed"), std::string::npos);
  metadata.set("tokenizer.ggml.pre", std::string("llama3"));
  EXPECT_EQ(read_vocabulary(metadata, warnings).value().pre, "llama-bpe");
  EXPECT_EQ(warnings.size(), 1U);
}

TEST(VocabularyGguf, BeginningOfTextIsAddedOnlyWhereThereIsOne) {
  std::vector<std::string> warnings;
  files::Metadata metadata = written(test::tiny_vocabulary(259));
  metadata.erase("tokenizer.ggml.add_bos_token");
  EXPECT_TRUE(read_vocabulary(metadata, warnings).value().add_bos);
  metadata.erase("tokenizer.ggml.bos_token_id");
  EXPECT_FALSE(read_vocabulary(metadata, warnings).value().add_bos);
}

TEST(VocabularyGguf, TheLargestIdMeansNoneAndOtherIdsOutsideAreRefused) {
  std::vector<std::string> warnings;
  files::Metadata metadata = written(test::tiny_vocabulary(259));
  metadata.set("tokenizer.ggml.padding_token_id", std::uint32_t{0xffffffff});
  EXPECT_FALSE(read_vocabulary(metadata, warnings).value().pad.has_value());
  metadata.set("tokenizer.ggml.padding_token_id", std::int32_t{-1});
  EXPECT_FALSE(read_vocabulary(metadata, warnings).value().pad.has_value());
  metadata.set("tokenizer.ggml.padding_token_id", std::uint32_t{258});
  EXPECT_EQ(read_vocabulary(metadata, warnings).value().pad, 258);
  metadata.set("tokenizer.ggml.padding_token_id", std::uint32_t{259});
  EXPECT_EQ(read_vocabulary(metadata, warnings).error().message,
            "tokenizer.ggml.padding_token_id is 259, but there are 259 tokens");
  metadata.set("tokenizer.ggml.padding_token_id", std::int32_t{-2});
  EXPECT_FALSE(read_vocabulary(metadata, warnings));
  metadata.set("tokenizer.ggml.padding_token_id", std::uint64_t{1} << 63);
  EXPECT_FALSE(read_vocabulary(metadata, warnings));
}

TEST(VocabularyGguf, ListsThatContradictEachOtherAreRefused) {
  std::vector<std::string> warnings;
  const auto refused = [&](std::string_view key, files::MetaValue value) {
    files::Metadata metadata = written(test::tiny_vocabulary(259));
    metadata.set(key, std::move(value));
    const auto result = read_vocabulary(metadata, warnings);
    return result ? std::string("accepted") : result.error().message;
  };
  EXPECT_EQ(refused("tokenizer.ggml.token_type", std::vector<std::int32_t>{1, 2}),
            "tokenizer.ggml.token_type has 2 entries for 259 tokens");
  EXPECT_EQ(refused("tokenizer.ggml.token_type", std::vector<std::int32_t>(259, 7)),
            "tokenizer.ggml.token_type holds 7, expected 1 to 6");
  EXPECT_EQ(
      refused("tokenizer.ggml.model", std::string("rwkv")),
      "tokenizer model \"rwkv\" is not supported; Tern has gpt2 (byte-level BPE), llama (SentencePiece BPE), bert "
      "(WordPiece), t5 (unigram)");
  EXPECT_NE(refused("tokenizer.ggml.tokens", std::uint32_t{1}), "accepted");
  files::Metadata none;
  const auto missing = read_vocabulary(none, warnings);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, ErrorCode::not_found);
}

// A tiny vocab.json + merges.txt; every letter of the byte alphabet is not needed to read it.
constexpr std::string_view kVocabJson = R"({"a": 0, "b": 1, "ab": 2})";
constexpr std::string_view kMerges = "#version: 0.2\na b\n";

class TokenizerSource : public testing::Test {
 protected:
  void put(const std::string& name, std::string_view content) {
    ASSERT_TRUE(sys::write_file(folder_.file(name), content, true).has_value());
  }
  test::TemporaryFolder folder_;
  std::vector<std::string> warnings_;
};

TEST_F(TokenizerSource, AGgufFileIsReadWhateverItsName) {
  const std::string bytes = test::small_image().bytes();
  put("model.txt", bytes);
  const auto vocabulary = read_tokenizer(folder_.file("model.txt"), {}, warnings_);
  ASSERT_TRUE(vocabulary) << vocabulary.error().message;
  EXPECT_EQ(vocabulary->size(), 259U);
}

TEST_F(TokenizerSource, AFolderGivesTheFirstKindItHolds) {
  const auto nothing = read_tokenizer(folder_.path(), {}, warnings_);
  ASSERT_FALSE(nothing);
  EXPECT_EQ(nothing.error().code, ErrorCode::not_found);
  EXPECT_NE(nothing.error().message.find("no tokenizer in this folder"), std::string::npos);
  put("vocab.json", kVocabJson);
  const auto half = read_tokenizer(folder_.path(), "gpt-2", warnings_);
  ASSERT_FALSE(half);
  EXPECT_NE(half.error().message.find("merges.txt"), std::string::npos) << half.error().message;
  put("merges.txt", kMerges);
  const auto vocabulary = read_tokenizer(folder_.path(), "qwen2", warnings_);
  ASSERT_TRUE(vocabulary) << vocabulary.error().message;
  EXPECT_EQ(vocabulary->pre, "qwen2");
  EXPECT_EQ(vocabulary->merges, std::vector<std::string>{"a b"});
  const auto by_file = read_tokenizer(folder_.file("vocab.json"), "qwen2", warnings_);
  ASSERT_TRUE(by_file) << by_file.error().message;
  EXPECT_EQ(by_file->tokens, vocabulary->tokens);
}

TEST_F(TokenizerSource, ErrorsNameTheFile) {
  put("junk", "this is no tokenizer");
  const auto junk = read_tokenizer(folder_.file("junk"), {}, warnings_);
  ASSERT_FALSE(junk);
  EXPECT_TRUE(junk.error().message.starts_with(folder_.file("junk"))) << junk.error().message;
  const auto missing = read_tokenizer(folder_.file("missing"), {}, warnings_);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, ErrorCode::not_found);
}

}  // namespace
}  // namespace tern::models
