// Small trained tokenizers of every kind against the ids that tokenizers and sentencepiece gave for odd texts
// (data/tokenizers, made by make/make_tokenizers.py).
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

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

TEST(GoldenTokenizers, GiveTheIdsOfTheReferencePrograms) {
  const auto expected = nlohmann::json::parse(golden("expected.json"));
  const auto texts = expected.at("texts").get<std::vector<std::string>>();
  ASSERT_GT(texts.size(), 200U);
  for (const auto& [name, all_ids] : expected.at("ids").items()) {
    const std::string bytes = golden(name + (name == "sentencepiece" ? ".model" : ".json"));
    auto vocabulary = read_vocabulary(std::as_bytes(std::span(bytes.data(), bytes.size())));
    ASSERT_TRUE(vocabulary.has_value()) << name << ": " << vocabulary.error().message;
    EXPECT_EQ(vocabulary->pre, name == "sentencepiece" ? "default" : name);
    const auto tokenizer = Tokenizer::make(std::move(*vocabulary));
    ASSERT_TRUE(tokenizer.has_value()) << name << ": " << tokenizer.error().message;
    ASSERT_EQ(all_ids.size(), texts.size());
    for (std::size_t i = 0; i < texts.size(); ++i) {
      const auto ids = tokenizer->encode(texts[i]);
      ASSERT_TRUE(ids.has_value()) << name << ": " << ids.error().message;
      EXPECT_EQ(*ids, all_ids[i].get<std::vector<std::int32_t>>()) << name << " text " << i << ": " << texts[i];
    }
  }
  EXPECT_EQ(expected.at("ids").size(), 4U);
}

}  // namespace
}  // namespace tern::text
