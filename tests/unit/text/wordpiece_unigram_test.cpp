// WordPiece and unigram on vocabularies small enough to follow by hand, their readers, and hostile input.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "tests/support/tokenizers.hpp"

namespace tern::text {
namespace {

using nlohmann::json;
using test::as_bytes;
using test::error_of;
using test::Pieces;
using test::pieces_of;

json wordpiece_json() {
  json root = {{"normalizer", {{"type", "BertNormalizer"}}}, {"pre_tokenizer", {{"type", "BertPreTokenizer"}}}};
  root["model"] = {{"type", "WordPiece"}, {"unk_token", "[UNK]"}, {"max_input_chars_per_word", 10}};
  const std::vector<std::string> words = {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "un", "##able", "##a", "a", "cafe", "!"};
  for (std::size_t id = 0; id < words.size(); ++id) root["model"]["vocab"][words[id]] = id;
  for (std::size_t id = 0; id < 4; ++id) {
    root["added_tokens"].push_back({{"id", id}, {"content", words[id]}, {"special", true}});
  }
  return root;
}

json unigram_json() {
  json root = {{"normalizer", nullptr}, {"pre_tokenizer", {{"type", "Metaspace"}, {"prepend_scheme", "always"}}}};
  root["model"] = {{"type", "Unigram"}, {"unk_id", 0}};
  root["model"]["vocab"] =
      json::array({json::array({"<unk>", 0.0}), json::array({"\u2581", -3.0}), json::array({"a", -2.0}),
                   json::array({"b", -2.5}), json::array({"ab", -3.0}), json::array({"\u2581a", -2.1})});
  return root;
}

Result<Vocabulary> read(const json& root) {
  const std::string text = root.dump();
  return read_tokenizer_json(as_bytes(text));
}

std::string error_with(const json& root) {
  const auto vocabulary = read(root);
  return vocabulary ? error_of(Tokenizer::make(*vocabulary)) : vocabulary.error().message;
}

TEST(WordPiece, TakesTheLongestPieceAndOneUnknownForAWord) {
  const Tokenizer tokenizer = test::make(read(wordpiece_json()));
  EXPECT_EQ(pieces_of(tokenizer, "Unable a!"), (Pieces{" un", "able", " a", " !"}));
  EXPECT_EQ(pieces_of(tokenizer, "CAF\u00C9"), (Pieces{" cafe"}));
  EXPECT_EQ(pieces_of(tokenizer, "unx a"), (Pieces{"[UNK]", " a"}));
  EXPECT_EQ(pieces_of(tokenizer, "aaaaaaaaaa"), (Pieces{" a", "a", "a", "a", "a", "a", "a", "a", "a", "a"}));
  EXPECT_EQ(pieces_of(tokenizer, "aaaaaaaaaaa"), (Pieces{"[UNK]"}));
  EXPECT_EQ(pieces_of(tokenizer, "a\xFF"), (Pieces{"[UNK]"}));
  EXPECT_EQ(pieces_of(tokenizer, " \n"), Pieces{});
  EXPECT_EQ(pieces_of(tokenizer, "a", {.add_bos = true, .add_eos = true}), (Pieces{"[CLS]", " a", "[SEP]"}));
  EXPECT_EQ(tokenizer.decode(*tokenizer.encode("unable a!")), "unable a !");
  EXPECT_EQ(tokenizer.find(" un"), 4);
  EXPECT_EQ(tokenizer.find("able"), 5);
}

TEST(WordPiece, IsReadFromAVocabTxtToo) {
  const std::string file = "[PAD]\n[UNK]\n[CLS]\n[SEP]\nun\n##able\na\n";
  const Tokenizer tokenizer = test::make(read_vocab_txt(as_bytes(file)));
  EXPECT_EQ(pieces_of(tokenizer, "UNABLE A"), (Pieces{" un", "able", " a"}));
  EXPECT_TRUE(tokenizer.vocabulary().add_bos);
  const std::string config = R"({"do_lower_case":false})";
  EXPECT_EQ(pieces_of(test::make(read_vocab_txt(as_bytes(file), as_bytes(config))), "UN a"), (Pieces{"[UNK]", " a"}));
  EXPECT_NE(error_of(read_vocab_txt(as_bytes("a\nb\n"))).find("[UNK]"), std::string::npos);
  EXPECT_NE(error_of(read_vocab_txt(as_bytes(""))).find("no tokens"), std::string::npos);
}

TEST(WordPiece, RefusesRulesThatItDoesNotHave) {
  json root = wordpiece_json();
  root["pre_tokenizer"] = {{"type", "Digits"}};
  EXPECT_NE(error_with(root).find("Digits"), std::string::npos);
  root = wordpiece_json();
  root["model"]["continuing_subword_prefix"] = "";
  EXPECT_NE(error_with(root).find("continuing_subword_prefix"), std::string::npos);
  root = wordpiece_json();
  root["model"]["max_input_chars_per_word"] = 1'000'000;
  EXPECT_NE(error_with(root).find("max_input_chars_per_word"), std::string::npos);
  root = wordpiece_json();
  root["model"]["vocab"] = json::object();
  root["added_tokens"] = json::array();
  EXPECT_NE(error_with(root).find("no tokens"), std::string::npos);
}

TEST(Unigram, FindsTheLikeliestPieces) {
  const Tokenizer tokenizer = test::make(read(unigram_json()));
  EXPECT_EQ(pieces_of(tokenizer, "ab"), (Pieces{" a", "b"}));  // -4.6 against -6 for " " and "ab"
  EXPECT_EQ(pieces_of(tokenizer, "aab"), (Pieces{" a", "ab"}));
  EXPECT_EQ(pieces_of(tokenizer, "xx a"), (Pieces{" ", "<unk>", " a"}));
  EXPECT_EQ(pieces_of(tokenizer, ""), Pieces{});
  EXPECT_EQ(tokenizer.decode(*tokenizer.encode("ab a")), "ab a");
}

TEST(Unigram, PutsMarksWhereTheMetaspaceSays) {
  json root = unigram_json();
  root["pre_tokenizer"]["prepend_scheme"] = "never";
  EXPECT_EQ(pieces_of(test::make(read(root)), "ab a"), (Pieces{"ab", " a"}));
  root["pre_tokenizer"]["prepend_scheme"] = "sometimes";
  EXPECT_NE(error_with(root).find("sometimes"), std::string::npos);
  root["pre_tokenizer"] = {{"type", "Digits"}};
  EXPECT_NE(error_with(root).find("Digits"), std::string::npos);
}

TEST(Unigram, RefusesScoresAndTokensThatCannotBe) {
  const Vocabulary good = *read(unigram_json());
  for (const float odd : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(), -INFINITY}) {
    Vocabulary vocabulary = good;
    vocabulary.scores[3] = odd;
    EXPECT_NE(error_of(Tokenizer::make(vocabulary)).find("token 3"), std::string::npos);
  }
  Vocabulary vocabulary = good;
  vocabulary.scores.pop_back();
  EXPECT_NE(error_of(Tokenizer::make(vocabulary)).find("scores"), std::string::npos);
  vocabulary = good;
  vocabulary.tokens[3] = std::string(5000, 'b');
  EXPECT_NE(error_of(Tokenizer::make(vocabulary)).find("5000 bytes"), std::string::npos);
  vocabulary = good;
  vocabulary.tokens[3].clear();  // an empty token is no way to spell anything
  EXPECT_EQ(pieces_of(test::make(vocabulary), "a"), (Pieces{" a"}));
  vocabulary = good;
  vocabulary.unk.reset();
  EXPECT_NE(error_of(test::make(vocabulary).encode("x")).find("byte 0x78"), std::string::npos);
  json root = unigram_json();
  root["model"]["vocab"][1] = "x";
  EXPECT_NE(error_with(root).find("entry 1"), std::string::npos);
  root = unigram_json();
  root["model"]["unk_id"] = 99;
  EXPECT_NE(error_with(root).find("unk_id"), std::string::npos);
}

TEST(MonotonousText, TakesNoSquareOfItInWordPieceAndUnigram) {
  const Tokenizer wordpiece = test::make(read(wordpiece_json()));
  Vocabulary chains = *read(unigram_json());
  chains.exact_scores.clear();
  for (std::size_t n = 2; n < 200; n += 7) {  // tokens that overlap everywhere
    chains.tokens.push_back(std::string(n, 'a'));
    chains.types.push_back(TokenType::normal);
    chains.scores.push_back(-2.0F - static_cast<float>(n % 5));
  }
  const Tokenizer unigram = test::make(chains);
  constexpr std::size_t kMegabyte = std::size_t{1} << 20;
  for (const std::string& text :
       {std::string(kMegabyte, 'a'), std::string(kMegabyte, ' '), std::string(kMegabyte, '\xFF'),
        std::string(kMegabyte, '!'), std::string(kMegabyte, 'x')}) {
    EXPECT_TRUE(wordpiece.encode(text).has_value());
    EXPECT_TRUE(unigram.encode(text).has_value());
  }
}

TEST(BrokenTokenizerFiles, AMillionAddedTokensAreReadInPassableTime) {
  json root = test::tokenizer_json();
  const std::size_t first = root["model"]["vocab"].size() + root["added_tokens"].size();
  std::string text = root.dump();
  std::string added;
  for (std::size_t i = 0; i < 1'000'000; ++i) {
    added += fmt::format(R"({{"id":{},"content":"<extra_id_{}>","special":{}}},)", first + i, i, i % 2 == 0);
  }
  constexpr std::string_view kList = "\"added_tokens\":[";
  text.insert(text.find(kList) + kList.size(), added);
  const auto vocabulary = read_tokenizer_json(as_bytes(text));
  ASSERT_TRUE(vocabulary.has_value()) << error_of(vocabulary);
  const Tokenizer tokenizer = test::make(vocabulary);
  EXPECT_EQ(pieces_of(tokenizer, "<extra_id_999999>"), (Pieces{"<extra_id_999999>"}));
}

TEST(ReadSentencePiece, ReadsUnigramModelsAndTheirSettings) {
  const Tokenizer tokenizer = test::make(read_sentencepiece(as_bytes(test::sentencepiece_file(1))));
  EXPECT_EQ(tokenizer.vocabulary().kind, TokenizerKind::unigram);
  EXPECT_TRUE(tokenizer.vocabulary().remove_extra_whitespaces);
  EXPECT_EQ(*tokenizer.encode("  ab   ab "), *tokenizer.encode("ab ab"));
  EXPECT_TRUE(tokenizer.encode("   ")->empty());
}

}  // namespace
}  // namespace tern::text
