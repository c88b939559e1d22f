// Every reader on a small file of its kind: what it must find there, and what it must refuse with a clear line.
#include "text/readers.hpp"

#include <gtest/gtest.h>

#include "tests/support/tokenizers.hpp"

namespace tern::text {
namespace {

using nlohmann::json;
using test::as_bytes;
using test::error_of;
using test::Pieces;
using test::pieces_of;

Result<Vocabulary> read_json(const json& root, const json& config = nullptr) {
  const std::string text = root.dump();
  const std::string config_text = config.is_null() ? "" : config.dump();
  return read_tokenizer_json(as_bytes(text), as_bytes(config_text));
}

TEST(ReadTokenizerJson, ReadsByteLevelBpe) {
  const auto vocabulary = read_json(test::tokenizer_json());
  ASSERT_TRUE(vocabulary.has_value()) << error_of(vocabulary);
  const Vocabulary expected = test::bpe_vocabulary();
  EXPECT_EQ(vocabulary->kind, TokenizerKind::bpe);
  EXPECT_EQ(vocabulary->pre, "gpt-2");
  EXPECT_EQ(vocabulary->tokens, expected.tokens);
  EXPECT_EQ(vocabulary->types, expected.types);
  EXPECT_EQ(vocabulary->merges, expected.merges);
  EXPECT_FALSE(vocabulary->add_bos);
  EXPECT_EQ(pieces_of(test::make(vocabulary), "hello world"), (Pieces{"hello", " world"}));
}

TEST(ReadTokenizerJson, ReadsMergesAsPairsToo) {
  json root = test::tokenizer_json();
  for (json& merge : root["model"]["merges"]) {
    const auto text = merge.get<std::string>();
    const std::size_t space = text.find(' ');
    merge = json::array({text.substr(0, space), text.substr(space + 1)});
  }
  EXPECT_EQ(read_json(root)->merges, test::bpe_merges());
  root["model"]["merges"][0] = json::array({"a"});
  EXPECT_NE(error_of(read_json(root)).find("merge 0"), std::string::npos);
}

TEST(ReadTokenizerJson, TellsThePreTokeniserByItsPattern) {
  const std::string newer = R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|DIGITS| ?[^\s\p{L}\p{N}]+[\r\n]*|)"
                            R"(\s*[\r\n]+|\s+(?!\S)|\s+)";
  const auto with_digits = [&](const std::string& digits) {
    std::string regex = newer;
    regex.replace(regex.find("DIGITS"), 6, digits);
    json root = test::tokenizer_json();
    root["pre_tokenizer"] = {
        {"type", "Sequence"},
        {"pretokenizers",
         {{{"type", "Split"}, {"pattern", {{"Regex", regex}}}}, {{"type", "ByteLevel"}, {"use_regex", false}}}}};
    return root;
  };
  EXPECT_EQ(read_json(with_digits("\\p{N}{1,3}"))->pre, "llama-bpe");
  EXPECT_EQ(read_json(with_digits("\\p{N}"))->pre, "qwen2");
  const auto other = read_json(with_digits("\\p{N}{1,2}"));
  ASSERT_TRUE(other.has_value()) << error_of(other);
  EXPECT_EQ(other->pre, kCustomPre);
  EXPECT_EQ(json::parse(other->pre_tokenizer), with_digits("\\p{N}{1,2}")["pre_tokenizer"]);
  EXPECT_EQ(test::pieces_of(test::make(other), "1234"), (test::Pieces{"12", "3", "4"}));
  json twice = with_digits("\\p{N}");
  twice["pre_tokenizer"]["pretokenizers"][1]["use_regex"] = true;
  EXPECT_EQ(read_json(twice)->pre, kCustomPre);
  const std::string named = with_digits("\\p{N}{1,2}").dump();
  EXPECT_EQ(read_tokenizer_json(as_bytes(named), {}, "qwen2")->pre, "qwen2");
}

TEST(ReadTokenizerJson, RefusesWhatWouldChangeIdsUnseen) {
  json normalizer = test::tokenizer_json();
  normalizer["normalizer"] = {{"type", "Uppercase"}};
  EXPECT_NE(error_of(read_json(normalizer)).find("Uppercase"), std::string::npos);
  json model = test::tokenizer_json();
  model["model"]["type"] = "WordLevel";
  EXPECT_NE(error_of(read_json(model)).find("WordLevel"), std::string::npos);
  json no_split = test::tokenizer_json();
  no_split["pre_tokenizer"] = nullptr;
  EXPECT_NE(error_of(read_json(no_split)).find("no pre_tokenizer"), std::string::npos);
}

TEST(ReadTokenizerJson, RefusesOddIds) {
  const auto error_with = [](const json& id) {
    json root = test::tokenizer_json();
    root["model"]["vocab"]["a"] = id;
    return error_of(read_json(root));
  };
  EXPECT_NE(error_with(-1).find("whole number"), std::string::npos);
  EXPECT_NE(error_with(1.5).find("whole number"), std::string::npos);
  EXPECT_NE(error_with("7").find("whole number"), std::string::npos);
  EXPECT_NE(error_with(98).find("two tokens"), std::string::npos);
  EXPECT_NE(error_with(1'000'000'000).find("ids reach"), std::string::npos);
  EXPECT_NE(error_with(std::uint64_t{1} << 40).find("too large"), std::string::npos);
  json added = test::tokenizer_json();
  added["added_tokens"][0]["id"] = 97;  // the id of "a"
  EXPECT_NE(error_of(read_json(added)).find("two tokens"), std::string::npos);
}

TEST(ReadTokenizerJson, RefusesTheSameKeyTwiceAndEndlessDepth) {
  const std::string twice = R"({"model": {"vocab": {"a": 0, "a": 1}}})";
  EXPECT_NE(error_of(read_tokenizer_json(as_bytes(twice))).find("\"a\" twice"), std::string::npos);
  const std::string deep = R"({"model": )" + std::string(100000, '[');
  EXPECT_NE(error_of(read_tokenizer_json(as_bytes(deep))).find("deeper"), std::string::npos);
  const std::string not_utf8 = "{\"model\": \"\xFF\"}";
  EXPECT_NE(error_of(read_tokenizer_json(as_bytes(not_utf8))).find("not valid JSON"), std::string::npos);
}

TEST(ReadTokenizerJson, FillsFreeIdsWithUnusedTokens) {
  json root = test::tokenizer_json();
  root["added_tokens"].push_back({{"id", 300}, {"content", "<|far|>"}, {"special", true}});
  const auto vocabulary = read_json(root);
  ASSERT_TRUE(vocabulary.has_value()) << error_of(vocabulary);
  EXPECT_EQ(vocabulary->size(), 301U);
  EXPECT_EQ(vocabulary->tokens[280], "[PAD280]");
  EXPECT_EQ(vocabulary->type(280), TokenType::unused);
  EXPECT_EQ(vocabulary->type(300), TokenType::control);
}

TEST(ReadTokenizerJson, ReadsSentencePieceVocabulariesWithScoresFromTheMerges) {
  const auto vocabulary = read_json(test::spm_tokenizer_json());
  ASSERT_TRUE(vocabulary.has_value()) << error_of(vocabulary);
  EXPECT_EQ(vocabulary->kind, TokenizerKind::spm);
  EXPECT_TRUE(vocabulary->add_space_prefix);
  EXPECT_TRUE(vocabulary->add_bos);
  EXPECT_FALSE(vocabulary->add_eos);
  EXPECT_EQ(vocabulary->bos, 1);
  EXPECT_EQ(vocabulary->eos, 2);
  EXPECT_EQ(vocabulary->unk, 0);
  EXPECT_EQ(vocabulary->types, test::spm_vocabulary().types);
  const Tokenizer from_json = test::make(vocabulary);
  const Tokenizer expected = test::make(test::spm_vocabulary());
  for (const std::string text : {"ab", "a ab  b", "    ab<s>", "x\u00E9\u20AC", "\n"}) {
    EXPECT_EQ(from_json.encode(text).value(), expected.encode(text).value()) << text;
  }
}

TEST(ReadTokenizerJson, PutsTheConfigurationBeforeTheTemplate) {
  const json config = {
      {"bos_token", {{"content", "</s>"}}},
      {"eos_token", "<s>"},
      {"pad_token", "missing"},
      {"add_bos_token", false},
      {"add_eos_token", true},
      {"chat_template", {{{"name", "tool"}, {"template", "T"}}, {{"name", "default"}, {"template", "D"}}}}};
  const auto vocabulary = read_json(test::spm_tokenizer_json(), config);
  ASSERT_TRUE(vocabulary.has_value()) << error_of(vocabulary);
  EXPECT_EQ(vocabulary->bos, 2);
  EXPECT_EQ(vocabulary->eos, 1);
  EXPECT_EQ(vocabulary->pad, std::nullopt);
  EXPECT_FALSE(vocabulary->add_bos);
  EXPECT_TRUE(vocabulary->add_eos);
  EXPECT_EQ(vocabulary->chat_template, "D");
}

TEST(ReadSentencePiece, ReadsPiecesAndRules) {
  const std::string file = test::sentencepiece_file();
  const auto vocabulary = read_sentencepiece(as_bytes(file));
  ASSERT_TRUE(vocabulary.has_value()) << error_of(vocabulary);
  const Vocabulary expected = test::spm_vocabulary();
  EXPECT_EQ(vocabulary->tokens, expected.tokens);
  EXPECT_EQ(vocabulary->scores, expected.scores);
  EXPECT_EQ(vocabulary->types, expected.types);
  EXPECT_EQ(vocabulary->bos, 1);
  EXPECT_EQ(vocabulary->eos, 2);
  EXPECT_EQ(vocabulary->unk, 0);
  EXPECT_EQ(vocabulary->pad, std::nullopt);
  EXPECT_TRUE(vocabulary->add_bos);
  EXPECT_TRUE(vocabulary->add_space_prefix);
  const std::string without = test::sentencepiece_file(2, false);
  EXPECT_FALSE(read_sentencepiece(as_bytes(without))->add_space_prefix);
}

TEST(ReadSentencePiece, RefusesWordModelsAndOddPieces) {
  const std::string word = test::sentencepiece_file(3);
  EXPECT_NE(error_of(read_sentencepiece(as_bytes(word))).find("type 3 (word)"), std::string::npos);
  const std::string odd = test::field(1, test::field(1, "a") + test::field(3, 0) + test::varint(77));
  EXPECT_NE(error_of(read_sentencepiece(as_bytes(odd))).find("type 77"), std::string::npos);
  const std::string endless = std::string(20, '\x8A');
  EXPECT_NE(error_of(read_sentencepiece(as_bytes(endless))).find("64 bits"), std::string::npos);
  const std::string too_long = "\x0A\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01";
  EXPECT_NE(error_of(read_sentencepiece(as_bytes(too_long))).find("truncated"), std::string::npos);
  EXPECT_NE(error_of(read_sentencepiece({})).find("no pieces"), std::string::npos);
}

TEST(ReadLlama2c, ReadsToTheEndOfTheFile) {
  const std::string file = test::llama2c_file();
  const auto vocabulary = read_llama2c_tokenizer(as_bytes(file));
  ASSERT_TRUE(vocabulary.has_value()) << error_of(vocabulary);
  const Vocabulary expected = test::spm_vocabulary();
  EXPECT_EQ(vocabulary->tokens, expected.tokens);
  EXPECT_EQ(vocabulary->scores, expected.scores);
  EXPECT_EQ(vocabulary->types, expected.types);
  EXPECT_EQ(vocabulary->bos, 1);
  EXPECT_TRUE(vocabulary->add_space_prefix);
}

TEST(ReadLlama2c, RefusesOddLengths) {
  const auto with = [](std::int32_t longest, std::int32_t length) {
    const std::string file = test::raw(longest) + test::raw(0.0F) + test::raw(length) + "abc";
    return error_of(read_llama2c_tokenizer(as_bytes(file)));
  };
  EXPECT_NE(with(0, 3).find("at least 1"), std::string::npos);
  EXPECT_NE(with(10, -1).find("length -1"), std::string::npos);
  EXPECT_NE(with(2, 3).find("length 3"), std::string::npos);
  EXPECT_NE(with(1'000'000'000, 1'000'000'000).find("truncated"), std::string::npos);
  EXPECT_NE(with(10, 3).find("at least 3 tokens"), std::string::npos);
}

TEST(ReadTiktoken, DerivesTheMergesListFromRanks) {
  const std::string file = test::tiktoken_file();
  const auto vocabulary = read_tiktoken(as_bytes(file));
  ASSERT_TRUE(vocabulary.has_value()) << error_of(vocabulary);
  EXPECT_EQ(vocabulary->tokens, test::bpe_tokens());
  EXPECT_EQ(vocabulary->merges, test::bpe_merges());
  EXPECT_EQ(vocabulary->pre, "llama-bpe");
  EXPECT_EQ(read_tiktoken(as_bytes(file), "qwen2")->pre, "qwen2");
}

TEST(ReadTiktoken, SaysWhichLineIsWrong) {
  const auto error_with = [](const std::string& file) { return error_of(read_tiktoken(as_bytes(file))); };
  EXPECT_NE(error_with("IQ== 0\nIg= 1\n").find("line 2"), std::string::npos);
  EXPECT_NE(error_with("IQ== 0\nIg==\n").find("line 2"), std::string::npos);
  EXPECT_NE(error_with("IQ== x\n").find("line 1"), std::string::npos);
  EXPECT_NE(error_with("IQ== 1x\n").find("line 1"), std::string::npos);
  EXPECT_NE(error_with("I*== 1\n").find("line 1"), std::string::npos);
  EXPECT_NE(error_with("IQ== 0\nIg== 0\n").find("two tokens"), std::string::npos);
  EXPECT_NE(error_with("IQ== 0\nIQ== 1\n").find("twice"), std::string::npos);
  EXPECT_NE(error_with("IQ== 99999999\n").find("ids reach"), std::string::npos);
  EXPECT_NE(error_with("IQ== 99999999999999999999999\n").find("line 1"), std::string::npos);
  EXPECT_NE(error_with("\n\n").find("no tokens"), std::string::npos);
  EXPECT_TRUE(read_tiktoken(as_bytes(std::string("IQ== 0\r\nIg== 1"))).has_value());
}

TEST(ReadVocabMerges, ReadsThePairOfFiles) {
  const std::string vocab = test::vocab_json_file();
  const std::string merges = test::merges_file();
  const auto vocabulary = read_vocab_merges(as_bytes(vocab), as_bytes(merges));
  ASSERT_TRUE(vocabulary.has_value()) << error_of(vocabulary);
  EXPECT_EQ(vocabulary->tokens, test::bpe_tokens());
  EXPECT_EQ(vocabulary->merges, test::bpe_merges());
  EXPECT_EQ(vocabulary->pre, "gpt-2");
  const std::string bad = merges + "lonely\n";
  EXPECT_NE(error_of(read_vocab_merges(as_bytes(vocab), as_bytes(bad))).find("line 14"), std::string::npos);
  EXPECT_FALSE(read_vocab_merges(as_bytes(std::string("[1]")), as_bytes(merges)).has_value());
}

TEST(DetectSource, LooksAtTheContent) {
  const auto kind_of = [](const std::string& bytes) { return detect_tokenizer(as_bytes(bytes)); };
  EXPECT_EQ(kind_of(test::tokenizer_json().dump()), &kTokenizerJsonFile);
  EXPECT_EQ(kind_of(" \n" + test::spm_tokenizer_json().dump(1)), &kTokenizerJsonFile);
  EXPECT_EQ(kind_of(test::vocab_json_file()), &kVocabJsonFile);
  EXPECT_EQ(kind_of(R"({"model": 5, "a": 1})"), &kVocabJsonFile);
  EXPECT_EQ(kind_of(R"({"bos_token": "<s>"})"), nullptr);
  EXPECT_EQ(kind_of(test::sentencepiece_file()), &kSentencePieceFile);
  EXPECT_EQ(kind_of(test::llama2c_file()), &kLlama2cTokenizerFile);
  EXPECT_EQ(kind_of(test::tiktoken_file()), &kTiktokenFile);
  EXPECT_EQ(kind_of("GGUF...."), nullptr);
  EXPECT_EQ(kind_of(""), nullptr);
  EXPECT_EQ(kind_of("Once upon a time"), nullptr);
  EXPECT_EQ(kind_of("{" + std::string(100000, '{')), nullptr);
  EXPECT_EQ(kind_of("[]"), nullptr);
}

TEST(ReadVocabulary, SendsEachKindToItsReader) {
  for (const std::string& file :
       {test::tokenizer_json().dump(), test::sentencepiece_file(), test::llama2c_file(), test::tiktoken_file()}) {
    const auto vocabulary = read_vocabulary(as_bytes(file));
    ASSERT_TRUE(vocabulary.has_value()) << error_of(vocabulary);
    EXPECT_TRUE(Tokenizer::make(*vocabulary).has_value());
  }
  EXPECT_NE(error_of(read_vocabulary(as_bytes(test::vocab_json_file()))).find("merges.txt"), std::string::npos);
  EXPECT_NE(error_of(read_vocabulary(as_bytes(std::string("hello")))).find("of no known kind"), std::string::npos);
}

}  // namespace
}  // namespace tern::text
