// Packing texts: what becomes of documents, which are held out, what stands in the way.
#include "train/data/pack.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <map>

#include "models/tokenizer_source.hpp"
#include "tests/support/data_sets.hpp"
#include "text/tokenizer.hpp"
#include "train/data/count_words.hpp"

namespace tern::train {
namespace {

using test::PackedTexts;
using test::tokens_of;

text::Tokenizer tokenizer_of(const std::string& path) {
  std::vector<std::string> warnings;
  auto vocabulary = models::read_tokenizer(path, std::nullopt, warnings);
  EXPECT_TRUE(vocabulary.has_value());
  return *text::Tokenizer::make(*vocabulary);
}

std::string error_of(const PackedTexts& texts) {
  const auto packed = texts.pack();
  EXPECT_FALSE(std::filesystem::exists(texts.options.folder)) << "nothing is left behind";
  return packed ? "no error" : packed.error().message;
}

TEST(Documents, AreStrippedAsPythonDoes) {
  EXPECT_EQ(stripped(" \t\n\v\f\r a b \x1c\x1d\x1e\x1f"), "a b");
  EXPECT_EQ(stripped("\u00a0\u2003\u3000\u0085x\u2028\u1680"), "x");
  EXPECT_EQ(stripped("\u200bx\ufeff"), "\u200bx\ufeff") << "neither is white space";
  EXPECT_EQ(stripped(" \n "), "");
  EXPECT_EQ(stripped(""), "");
  EXPECT_EQ(stripped("é"), "é");
}

TEST(Documents, EndAtTheSeparatorAndAtTheEndOfTheFile) {
  const tern::test::TemporaryFolder folder;
  test::write_bytes(folder.file("t"), "one##two####");
  auto reader = DocumentReader::open(folder.file("t"), "##");
  ASSERT_TRUE(reader.has_value());
  std::vector<std::string> found;
  for (auto next = reader->next(); next && *next; next = reader->next()) {
    found.emplace_back(**next);
    reader->release();
  }
  EXPECT_EQ(found, (std::vector<std::string>{"one", "two", "", ""}));
  EXPECT_EQ(reader->position(), 12U);
  auto whole = DocumentReader::open(folder.file("t"), "");
  EXPECT_EQ(whole->next().value(), "one##two####");
  EXPECT_FALSE(whole->next().value().has_value());
}

TEST(Pack, EachDocumentIsBosItsIdsAndEos) {
  PackedTexts texts({" the cat \n<|endoftext|>\n<|endoftext|> \n<|endoftext|>that hat é"});
  const Dataset data = texts.open();
  const text::Tokenizer tokenizer = tokenizer_of(texts.options.tokenizer);
  std::vector<std::int32_t> expected;
  std::vector<std::uint64_t> begins{0};
  for (const char* document : {"the cat", "that hat é"}) {
    expected.push_back(0);
    const auto ids = tokenizer.encode(document);
    ASSERT_TRUE(ids.has_value());
    expected.insert(expected.end(), ids->begin(), ids->end());
    expected.push_back(1);
    begins.push_back(expected.size());
  }
  ASSERT_EQ(data.sources().size(), 1U);
  const Part& part = data.sources()[0].train;
  EXPECT_EQ(tokens_of(part), expected);
  EXPECT_EQ(std::vector<std::uint64_t>(part.documents().begin(), part.documents().end()), begins);
  EXPECT_EQ(part.n_documents(), 2U);
  EXPECT_EQ(part.n_text_bytes(), 18U);
  EXPECT_EQ(data.bos(), 0);
  EXPECT_EQ(data.eos(), 1);
  EXPECT_EQ(data.n_vocab(), tokenizer.size());
  EXPECT_EQ(data.sources()[0].held_out.n_tokens(), 0U);
  EXPECT_TRUE(data.sources()[0].held_out.documents().empty());
}

TEST(Pack, ControlTokensAreLeftOutOnRequest) {
  PackedTexts texts({"the cat"});
  texts.options.add_bos = texts.options.add_eos = false;
  const Dataset data = texts.open();
  EXPECT_EQ(tokens_of(data.sources()[0].train), *tokenizer_of(texts.options.tokenizer).encode("the cat"));
  EXPECT_FALSE(data.bos().has_value() || data.eos().has_value());
}

TEST(Pack, TokenBytesAddUpToTheText) {
  const Dataset data = PackedTexts({test::documents(30)}).open();
  const Part& part = data.sources()[0].train;
  std::uint64_t n_bytes = 0;
  for (const std::int32_t id : tokens_of(part)) n_bytes += data.token_bytes()[static_cast<std::size_t>(id)];
  EXPECT_EQ(n_bytes, part.n_text_bytes());
  EXPECT_EQ(data.token_bytes()[0], 0U);
  EXPECT_EQ(data.token_bytes()[1], 0U);
}

TEST(Pack, HoldsOutWholeDocumentsByTheirContentAlone) {
  PackedTexts texts({test::documents(400)});
  texts.options.held_out = 0.25;
  const auto packed = texts.pack();
  ASSERT_TRUE(packed.has_value());
  const std::uint64_t n_held_out = packed->sources[0].held_out->n_documents;
  EXPECT_EQ(n_held_out + packed->sources[0].train->n_documents, 400U);
  EXPECT_GT(n_held_out, 70U);
  EXPECT_LT(n_held_out, 130U);

  // In another order, beside other documents, in another file: the same ones.
  PackedTexts others({test::documents(100, 200), test::documents(200) + "<|endoftext|>" + test::documents(100, 300)});
  others.options.held_out = 0.25;
  const auto again = others.pack();
  ASSERT_TRUE(again.has_value());
  EXPECT_EQ(again->sources[0].held_out->n_documents + again->sources[1].held_out->n_documents, n_held_out);

  texts.options.seed = 1;
  texts.options.overwrite = true;
  const auto other_seed = texts.pack();
  ASSERT_TRUE(other_seed.has_value());
  EXPECT_NE(other_seed->sources[0].held_out->documents_hash, packed->sources[0].held_out->documents_hash);
  EXPECT_NE(other_seed->fingerprint(), packed->fingerprint());
}

TEST(Pack, GivenValidationFilesAreHeldOutWhole) {
  PackedTexts texts({test::documents(50), test::documents(10, 900), test::documents(20, 700)});
  texts.options.sources[0].held_out_files = texts.options.sources[1].files;
  texts.options.sources.erase(texts.options.sources.begin() + 1);
  texts.options.held_out = 0.5;
  const Dataset data = texts.open();
  EXPECT_EQ(data.sources()[0].train.n_documents(), 50U) << "a source with files of its own is not thinned";
  EXPECT_EQ(data.sources()[0].held_out.n_documents(), 10U);
  EXPECT_GT(data.sources()[1].held_out.n_documents(), 0U);
  EXPECT_LT(data.sources()[1].held_out.n_documents(), 20U);
}

TEST(Pack, ShardsAreFullWhereverADocumentEnds) {
  PackedTexts texts({test::documents(40)});
  const std::vector<std::int32_t> whole = tokens_of(texts.open().sources()[0].train);
  texts.options.shard_tokens = 97;
  texts.options.overwrite = true;
  const auto packed = texts.pack();
  ASSERT_TRUE(packed.has_value());
  const auto& shards = packed->sources[0].train->shards;
  ASSERT_GT(shards.size(), 3U);
  for (std::size_t i = 0; i + 1 < shards.size(); ++i) EXPECT_EQ(shards[i].n_tokens, 97U);
  const auto data = Dataset::open(texts.options.folder, true);
  ASSERT_TRUE(data.has_value()) << data.error().message;
  const Part& part = data->sources()[0].train;
  EXPECT_EQ(tokens_of(part), whole);
  std::vector<std::int32_t> some(100);
  for (const std::uint64_t first : {0U, 1U, 96U, 97U, 98U, 193U}) {
    ASSERT_TRUE(part.copy(first, some.size(), some.data()).has_value());
    EXPECT_TRUE(std::equal(some.begin(), some.end(), whole.begin() + static_cast<std::ptrdiff_t>(first))) << first;
  }
  EXPECT_TRUE(part.copy(part.n_tokens(), 0, some.data()).has_value());
  EXPECT_FALSE(part.copy(part.n_tokens(), 1, some.data()).has_value());
  EXPECT_FALSE(part.copy(5, ~std::uint64_t{0}, some.data()).has_value()) << "a sum that overflows";
}

TEST(Pack, TheSetStandsAloneWithItsTokenizer) {
  PackedTexts texts({test::documents(5)});
  test::write_bytes(texts.file("tokenizer_config.json"), R"({"bos_token": "<|begin_of_text|>"})");
  const Dataset data = texts.open();
  std::filesystem::remove(texts.options.tokenizer);
  EXPECT_EQ(tokenizer_of(data.tokenizer_path()).size(), data.n_vocab());
  EXPECT_EQ(tokenizer_of(data.folder()).size(), data.n_vocab()) << "the folder is a tokenizer's too";
  EXPECT_TRUE(std::filesystem::exists(data.folder() + "/tokenizer_config.json"));
}

TEST(Pack, SaysWhatStandsInTheWay) {
  EXPECT_EQ(error_of(PackedTexts({" \n<|endoftext|>\t"})).find("the source \"a\" holds no text: every document of "),
            0U);
  PackedTexts texts({"the cat"});
  texts.options.held_out = 1.0;
  EXPECT_EQ(error_of(texts), "the held-out fraction is 1, expected at least 0 and less than 1");
  texts.options.held_out = 0.0;
  texts.options.shard_tokens = 0;
  EXPECT_EQ(error_of(texts), "0 tokens in a shard, expected from 1 to 2^40");
  texts.options.shard_tokens = 100;
  texts.options.sources.push_back(texts.options.sources[0]);
  EXPECT_EQ(error_of(texts), "the source \"a\" is there twice");
  texts.options.sources[1].name = "a=b";
  EXPECT_NE(error_of(texts).find("a source is called \"a=b\""), std::string::npos);
  texts.options.sources.resize(1);
  texts.options.sources[0].files = {texts.file("missing.txt")};
  EXPECT_NE(error_of(texts).find("missing.txt: no such file"), std::string::npos);
  texts.options.sources.clear();
  EXPECT_EQ(error_of(texts), "no text: name a file to pack");
}

TEST(Pack, RefusesTextThatIsNotUtf8WithItsPlace) {
  PackedTexts texts({"good<|endoftext|>caf\xe9 au lait"});
  EXPECT_EQ(error_of(texts), texts.file("a.txt") +
                                 ": not UTF-8 at byte 20 (\"\\xe9 au\"), expected text in UTF-8: convert it first, as "
                                 "with iconv -f LATIN1 -t UTF-8");
}

TEST(Pack, ReplacesOnlyADataSetAndOnlyWhenTold) {
  PackedTexts texts({"the cat"});
  ASSERT_TRUE(texts.pack().has_value());
  const std::string before = test::bytes_of(texts.in_set("data.json"));
  auto again = texts.pack();
  ASSERT_FALSE(again.has_value());
  EXPECT_NE(again.error().message.find("use --force"), std::string::npos);
  texts.options.overwrite = true;
  test::write_bytes(texts.file("a.txt"), "\xff");
  EXPECT_FALSE(texts.pack().has_value());
  EXPECT_EQ(test::bytes_of(texts.in_set("data.json")), before) << "what was there survives a failure";
  test::write_bytes(texts.file("a.txt"), "that hat");
  ASSERT_TRUE(texts.pack().has_value());
  EXPECT_NE(test::bytes_of(texts.in_set("data.json")), before);
  std::filesystem::remove(texts.in_set("data.json"));
  again = texts.pack();
  ASSERT_FALSE(again.has_value()) << "a folder that is no data set";
}

TEST(Pack, StopsWhenAsked) {
  struct Impatient final : Progress {
    [[nodiscard]] bool cancelled() const override { return true; }
  } progress;
  const PackedTexts texts({"the cat"});
  const auto packed = pack_data(texts.options, progress);
  ASSERT_FALSE(packed.has_value());
  EXPECT_EQ(packed.error().code, ErrorCode::cancelled);
  EXPECT_FALSE(std::filesystem::exists(texts.options.folder));
}

TEST(CountWords, LongTextsAreCutWithoutChangingAWord) {
  const tern::test::TemporaryFolder folder;
  std::string text;
  for (int i = 0; text.size() < 2'000'000; ++i)
    text += i % 9 == 0 ? "don't  stop\n\n" : "word" + std::to_string(i % 500) + " it's a b ";
  test::write_bytes(folder.file("long"), text);
  test::write_bytes(folder.file("no spaces"), std::string(1'500'000, 'x') + " end");
  auto plain = text::WordCounter::make();
  ASSERT_TRUE(plain->add(text).has_value());
  ASSERT_TRUE(plain->add(std::string(1'500'000, 'x') + " end").has_value());
  Progress quiet;
  for (const int n_threads : {1, 2, 3}) {
    sys::ThreadPool threads(n_threads);
    const std::vector<std::string> paths{folder.file("long"), folder.file("no spaces")};
    const auto counted = count_words(paths, "<|endoftext|>", threads, quiet);
    ASSERT_TRUE(counted.has_value()) << counted.error().message;
    EXPECT_EQ(counted->n_documents, 2U);
    std::map<std::string, std::uint64_t> expected, found;
    for (const auto& entry : plain->counts().entries()) expected.emplace(entry.word, entry.count);
    for (const auto& entry : counted->words.entries()) found.emplace(entry.word, entry.count);
    EXPECT_EQ(found, expected);
  }
}

}  // namespace
}  // namespace tern::train
