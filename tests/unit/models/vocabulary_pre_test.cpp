// The pre-tokeniser in GGUF metadata: names and their aliases, rules that no name stands for, files that say nothing.
#include <gtest/gtest.h>

#include "models/vocabulary_gguf.hpp"

namespace tern::models {
namespace {

text::Vocabulary small() {
  text::Vocabulary v;
  v.kind = text::TokenizerKind::bpe;
  v.pre = "gpt-2";
  v.tokens = {"a", "b", "ab"};
  v.merges = {"a b"};
  return v;
}

text::Vocabulary through_gguf(const text::Vocabulary& v) {
  files::Metadata metadata;
  write_vocabulary(v, metadata);
  std::vector<std::string> warnings;
  auto read = read_vocabulary(metadata, warnings);
  EXPECT_TRUE(read.has_value()) << (read ? "" : read.error().message);
  EXPECT_TRUE(warnings.empty());
  return read.value_or(text::Vocabulary{});
}

TEST(VocabularyPre, KeepsRulesAndHabitsThatTheNameDoesNotSay) {
  text::Vocabulary v = small();
  v.pre = text::kCustomPre;
  v.pre_tokenizer = R"({"type":"ByteLevel","add_prefix_space":false,"use_regex":false})";
  v.ignore_merges = true;
  v.add_space_prefix = true;
  const text::Vocabulary back = through_gguf(v);
  EXPECT_EQ(back.pre, v.pre);
  EXPECT_EQ(back.pre_tokenizer, v.pre_tokenizer);
  EXPECT_EQ(back.ignore_merges, true);
  EXPECT_TRUE(back.add_space_prefix);
  const text::Vocabulary plain = through_gguf(small());
  EXPECT_EQ(plain.ignore_merges, std::nullopt);
  EXPECT_EQ(plain.pre_tokenizer, "");
  EXPECT_FALSE(plain.add_space_prefix);
}

TEST(VocabularyPre, WritesNoKeyOfItsOwnWhereTheNameSaysAll) {
  files::Metadata metadata;
  write_vocabulary(small(), metadata);
  EXPECT_FALSE(metadata.contains("tern.tokenizer.pre_tokenizer"));
  EXPECT_FALSE(metadata.contains("tern.tokenizer.ignore_merges"));
  EXPECT_FALSE(metadata.contains("tokenizer.ggml.add_space_prefix"));
}

TEST(VocabularyPre, ReadsAliasesByTheTableOfNames) {
  for (const auto& [alias, name] :
       std::vector<std::pair<std::string, std::string>>{{"llama-v3", "llama-bpe"},
                                                        {"dbrx", "smaug-bpe"},
                                                        {"command-r", "starcoder"},
                                                        {"megrez", "qwen2"},
                                                        {"falcon", "falcon"},
                                                        {"not-known-yet", "not-known-yet"}}) {
    files::Metadata metadata;
    write_vocabulary(small(), metadata);
    metadata.set("tokenizer.ggml.pre", alias);
    std::vector<std::string> warnings;
    EXPECT_EQ(read_vocabulary(metadata, warnings).value().pre, name);
  }
}

TEST(VocabularyPre, IsGuessedByArchitectureWhereTheFileSaysNothing) {
  for (const auto& [architecture, name] : std::vector<std::pair<std::string, std::string>>{
           {"gptneox", "gpt-2"}, {"gpt2", "gpt-2"}, {"bitnet", "llama-bpe"}}) {
    files::Metadata metadata;
    write_vocabulary(small(), metadata);
    metadata.erase("tokenizer.ggml.pre");
    metadata.set("general.architecture", architecture);
    std::vector<std::string> warnings;
    EXPECT_EQ(read_vocabulary(metadata, warnings).value().pre, name);
    ASSERT_EQ(warnings.size(), 1U);
    EXPECT_NE(warnings[0].find(name), std::string::npos);
  }
}

TEST(VocabularyPre, RefusesCustomWithoutRules) {
  files::Metadata metadata;
  write_vocabulary(small(), metadata);
  metadata.set("tokenizer.ggml.pre", std::string(text::kCustomPre));
  std::vector<std::string> warnings;
  const auto refused = read_vocabulary(metadata, warnings);
  ASSERT_FALSE(refused.has_value());
  EXPECT_NE(refused.error().message.find("tern.tokenizer.pre_tokenizer"), std::string::npos);
}

}  // namespace
}  // namespace tern::models
