// WordPiece, unigram and normalising tokenizers against the ids that tokenizers and sentencepiece gave for odd texts
// (data/tokenizers/normalized.json, made by make/make_normalized_tokenizers.py), as read from the files and again after
// a way through GGUF's metadata.
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "models/vocabulary_gguf.hpp"
#include "tests/support/data.hpp"
#include "text/detect.hpp"
#include "text/tokenizer.hpp"

namespace tern::text {
namespace {

std::string golden(const std::string& name) {
  std::ifstream in(test::source_file("tests/golden/data/tokenizers/" + name), std::ios::binary);
  EXPECT_TRUE(in.good()) << name;
  return {std::istreambuf_iterator<char>(in), {}};
}

Result<Vocabulary> read(const std::string& name) {
  const std::string bytes = golden(name);
  return read_vocabulary(std::as_bytes(std::span(bytes.data(), bytes.size())));
}

Result<Vocabulary> through_gguf(const Vocabulary& vocabulary) {
  files::Metadata metadata;
  models::write_vocabulary(vocabulary, metadata);
  std::vector<std::string> warnings;
  auto back = models::read_vocabulary(metadata, warnings);
  EXPECT_TRUE(warnings.empty());
  return back;
}

void expect_ids(const Tokenizer& tokenizer, const std::vector<std::string>& texts, const nlohmann::json& all_ids,
                const std::string& name) {
  ASSERT_EQ(all_ids.size(), texts.size());
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const auto ids = tokenizer.encode(texts[i]);
    ASSERT_TRUE(ids.has_value()) << name << ": " << ids.error().message;
    EXPECT_EQ(*ids, all_ids[i].get<std::vector<std::int32_t>>()) << name << " text " << i << ": " << texts[i] << "\n"
                                                                 << nlohmann::json(texts[i]).dump(-1, ' ', true);
  }
}

TEST(NormalizedTokenizers, GiveTheIdsOfTheReferencePrograms) {
  const auto expected = nlohmann::json::parse(golden("normalized.json"));
  const auto texts = expected.at("texts").get<std::vector<std::string>>();
  ASSERT_GT(texts.size(), 150U);
  ASSERT_EQ(expected.at("ids").size(), 14U);
  for (const auto& [name, all_ids] : expected.at("ids").items()) {
    auto vocabulary = read(name);
    ASSERT_TRUE(vocabulary.has_value()) << name << ": " << vocabulary.error().message;
    auto again = through_gguf(*vocabulary);
    ASSERT_TRUE(again.has_value()) << name << ": " << again.error().message;
    EXPECT_EQ(again->normalizer, vocabulary->normalizer) << name;
    EXPECT_EQ(again->pre_tokenizer, vocabulary->pre_tokenizer) << name;
    EXPECT_EQ(again->charsmap, vocabulary->charsmap) << name;
    EXPECT_EQ(again->exact_scores, vocabulary->exact_scores) << name;
    for (const Vocabulary* source : {&*vocabulary, &*again}) {
      const auto tokenizer = Tokenizer::make(*source);
      ASSERT_TRUE(tokenizer.has_value()) << name << ": " << tokenizer.error().message;
      expect_ids(*tokenizer, texts, all_ids, name + (source == &*again ? " from GGUF" : ""));
    }
  }
}

}  // namespace
}  // namespace tern::text
