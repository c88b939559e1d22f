// The section "pre_tokenizer" of tokenizer.json: which rules come out, which name stands for them, what is refused.
// That the rules do what they say is shown by tests/golden/pre_tokenizers_test.cpp.
#include "text/tokenizer_json_pre.hpp"

#include <gtest/gtest.h>

#include "tests/support/tokenizers.hpp"
#include "text/pre_names.hpp"

namespace tern::text {
namespace {

using nlohmann::json;
using test::error_of;

const json kBytes = {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"use_regex", false}};
const json kGpt2 = {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"use_regex", true}};

json sequence(std::initializer_list<json> parts) {
  return {{"type", "Sequence"}, {"pretokenizers", std::vector<json>(parts)}};
}
json split(const std::string& regex, const std::string& behavior = "Isolated") {
  return {{"type", "Split"}, {"pattern", {{"Regex", regex}}}, {"behavior", behavior}, {"invert", false}};
}

json with_section(const json& section) {
  json root = test::tokenizer_json();
  root["pre_tokenizer"] = section;
  return root;
}

Result<Vocabulary> read(const json& root) {
  const std::string bytes = root.dump();
  return read_tokenizer_json(test::as_bytes(bytes));
}

TEST(PreTokenizerSection, KeepsTheHabitOfTakingWholeWords) {
  json root = test::tokenizer_json();
  EXPECT_EQ(read(root)->ignore_merges, std::nullopt);  // as gpt-2 implies
  root["model"]["ignore_merges"] = true;
  EXPECT_EQ(read(root)->ignore_merges, true);
  // " w" + "o" + "rld" are tokens, "hellohello" is none; with the habit, "ll" is found without its merge.
  root["model"]["merges"] = json::array();
  EXPECT_EQ(test::pieces_of(test::make(read(root)), "hello"), (test::Pieces{"hello"}));
  root["model"]["ignore_merges"] = false;
  EXPECT_EQ(test::pieces_of(test::make(read(root)), "hello"), (test::Pieces{"h", "e", "l", "l", "o"}));
  const std::string llama3 = find_pre_tokenizer("llama-bpe")->rules[0].pattern;
  json llama = with_section(sequence({split(llama3), kBytes}));
  EXPECT_EQ(read(llama)->pre, "llama-bpe");
  EXPECT_EQ(read(llama)->ignore_merges, false);
  llama["model"]["ignore_merges"] = true;
  EXPECT_EQ(read(llama)->ignore_merges, std::nullopt);
}

TEST(PreTokenizerSection, TellsASpaceBeforeEveryTextFromOneBeforeEveryPiece) {
  json spaced = kGpt2;
  spaced["add_prefix_space"] = true;
  const auto first = read(with_section(spaced));
  ASSERT_TRUE(first.has_value()) << error_of(first);
  EXPECT_EQ(first->pre, "gpt-2");
  EXPECT_TRUE(first->add_space_prefix);
  EXPECT_EQ(test::pieces_of(test::make(first), "world"), (test::Pieces{" world"}));
  const auto later = read(with_section(sequence({split(","), spaced})));
  ASSERT_TRUE(later.has_value()) << error_of(later);
  EXPECT_EQ(later->pre, kCustomPre);
  EXPECT_FALSE(later->add_space_prefix);
  EXPECT_EQ(test::pieces_of(test::make(later), "1,world"), (test::Pieces{" ", "1", " ", ",", " world"}));
}

TEST(PreTokenizerSection, KnowsGpt2InItsOtherSpelling) {
  const auto other = read(with_section(
      sequence({split(R"('(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)"), kBytes})));
  ASSERT_TRUE(other.has_value()) << error_of(other);
  EXPECT_EQ(other->pre, "gpt-2");
}

TEST(PreTokenizerSection, RunsRulesThatRemoveText) {
  const Tokenizer tokenizer = test::make(read(with_section(sequence({split(" ", "Removed"), kBytes}))));
  EXPECT_EQ(test::pieces_of(tokenizer, "a  a"), (test::Pieces{"a", "a"}));
}

TEST(PreTokenizerSection, RefusesWhatItDoesNotKnowByName) {
  const auto refused = [](const json& section) { return error_of(read(with_section(section))); };
  EXPECT_NE(refused({{"type", "Metaspace"}}).find("Metaspace"), std::string::npos);
  EXPECT_NE(refused(sequence({split("a")})).find("no ByteLevel"), std::string::npos);
  EXPECT_NE(refused(sequence({kBytes, kBytes})).find("ByteLevel twice"), std::string::npos);
  EXPECT_NE(refused(sequence({split("a", "Sideways"), kBytes})).find("Sideways"), std::string::npos);
  EXPECT_NE(refused({{"type", "Sequence"}}).find("pretokenizers"), std::string::npos);
  EXPECT_NE(refused(sequence({{{"type", "Split"}, {"pattern", 7}}, kBytes})).find("Regex"), std::string::npos);
  EXPECT_NE(refused(sequence({split(R"(a\Kb)"), kBytes})).find("at byte 1"), std::string::npos);
  EXPECT_NE(refused(sequence({split("(?<=a+)b"), kBytes})).find("refused by the pattern engine"), std::string::npos);
  EXPECT_NE(refused(json::array()).find("not an object"), std::string::npos);
  EXPECT_NE(refused(nullptr).find("no pre_tokenizer"), std::string::npos);
  json deep = kBytes;
  for (int i = 0; i < 10; ++i) deep = sequence({deep});
  EXPECT_NE(refused(deep).find("nested deeper"), std::string::npos);
  json many = sequence({});
  for (std::size_t i = 0; i <= kMaxPreRules; ++i) many["pretokenizers"].push_back(split("a"));
  EXPECT_NE(refused(many).find("more than 32 rules"), std::string::npos);
}

TEST(PreTokenizerSection, OfAVocabularyIsReadWhenTheTokenizerIsMade) {
  Vocabulary vocabulary = test::bpe_vocabulary(std::string(kCustomPre));
  vocabulary.pre_tokenizer = sequence({split("[ac]"), kBytes}).dump();
  EXPECT_EQ(test::pieces_of(test::make(vocabulary), "aacbb"), (test::Pieces{"a", "a", "c", "b", "b"}));
  vocabulary.pre_tokenizer = "{";
  EXPECT_NE(error_of(Tokenizer::make(vocabulary)).find("not valid JSON"), std::string::npos);
  vocabulary.pre_tokenizer = "";
  EXPECT_FALSE(Tokenizer::make(vocabulary).has_value());
}

TEST(PreTokenizerSection, ThatRunsAwayIsOneErrorOfTheText) {
  const auto tokenizer = test::make(read(with_section(sequence({split("(a|aa)+[bc]"), kBytes}))));
  EXPECT_TRUE(tokenizer.encode("aab aac").has_value());
  const auto ids = tokenizer.encode(std::string(100'000, 'a'));
  ASSERT_FALSE(ids.has_value());
  EXPECT_EQ(ids.error().code, ErrorCode::bad_input);
  EXPECT_NE(ids.error().message.find("takes too much work"), std::string::npos);
}

}  // namespace
}  // namespace tern::text
