// Sections "pre_tokenizer" of tokenizer.json against the pieces that the tokenizers library gave (data/tokenizers/
// pre_tokenizers.json, made by make/make_pre_tokenizers.py): every behaviour, inverted and not, sequences, the regex
// dialect, and the published rules of the names that GGUF files carry.
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "tests/support/data.hpp"
#include "text/byte_alphabet.hpp"
#include "text/pre_names.hpp"
#include "text/pre_tokenizer.hpp"
#include "text/tokenizer_json_pre.hpp"

namespace tern::text {
namespace {

using nlohmann::json;

const json& golden() {
  static const json document = [] {
    std::ifstream in(test::source_file("tests/golden/data/tokenizers/pre_tokenizers.json"), std::ios::binary);
    return json::parse(std::istreambuf_iterator<char>(in), {}, nullptr, /*allow_exceptions=*/false);
  }();
  return document;
}

std::string pieces_of(WordSplitter& splitter, const std::string& text) {
  splitter.start(text);
  std::string out;
  while (true) {
    const auto word = splitter.next();
    EXPECT_TRUE(word.has_value()) << (word ? "" : word.error().message);
    if (!word || word->empty()) return out;
    if (!out.empty()) out += "\n";
    out += to_byte_alphabet(*word);
  }
}

void expect_pieces(const PreTokenizer& pre_tokenizer, const json& wanted, const std::string& what) {
  WordSplitter splitter(pre_tokenizer);
  const auto& texts = golden().at("texts");
  ASSERT_EQ(texts.size(), wanted.size());
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const auto text = texts[i].get<std::string>();
    EXPECT_EQ(pieces_of(splitter, text), wanted[i].get<std::string>()) << what << "\ntext " << i << ": " << texts[i];
  }
}

TEST(GoldenPreTokenizers, RunAsTheyAreWritten) {
  ASSERT_TRUE(golden().is_object());
  for (const json& expected : golden().at("cases")) {
    const auto rules = pre_rules_of_json(expected.at("section"));
    ASSERT_TRUE(rules.has_value()) << rules.error().message;
    const auto pre_tokenizer = PreTokenizer::make(*rules);
    ASSERT_TRUE(pre_tokenizer.has_value()) << pre_tokenizer.error().message;
    expect_pieces(*pre_tokenizer, expected.at("pieces"), expected.at("section").dump());
  }
}

TEST(GoldenPreTokenizers, AreKnownByTheNameThatStandsForThem) {
  std::size_t n_named = 0;
  for (const json& expected : golden().at("cases")) {
    const auto rules = pre_rules_of_json(expected.at("section"));
    ASSERT_TRUE(rules.has_value()) << rules.error().message;
    const NamedPreTokenizer* found = find_pre_tokenizer(*rules);
    if (!expected.contains("name")) {
      EXPECT_EQ(found, nullptr) << expected.at("section");
      continue;
    }
    const auto name = expected.at("name").get<std::string>();
    ASSERT_NE(found, nullptr) << name;
    EXPECT_EQ(found->name, name);
    const auto pre_tokenizer = PreTokenizer::make(name);
    ASSERT_TRUE(pre_tokenizer.has_value()) << pre_tokenizer.error().message;
    expect_pieces(*pre_tokenizer, expected.at("pieces"), name);
    ++n_named;
  }
  EXPECT_GE(n_named, 13U);
}

}  // namespace
}  // namespace tern::text
