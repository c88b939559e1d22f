// Opening packed data sets that are not whole, not what they say, or of another kind.
#include "train/data/dataset.hpp"

#include <gtest/gtest.h>

#include <filesystem>

#include "tests/support/data_sets.hpp"
#include "train/data/content_hash.hpp"

namespace tern::train {
namespace {

using test::PackedTexts;

class BadDataset : public testing::Test {
 protected:
  void SetUp() override {
    texts_.options.shard_tokens = 100;
    const auto packed = texts_.pack();
    ASSERT_TRUE(packed.has_value());
    manifest_ = *packed;
    ASSERT_EQ(error(true), "no error");
  }
  [[nodiscard]] std::string error(bool verify = false) const {
    const auto opened = Dataset::open(texts_.options.folder, verify);
    return opened ? "no error" : opened.error().message;
  }
  // The file's bytes after a change.
  template <typename F>
  void change(const std::string& name, const F& how) const {
    std::string bytes = test::bytes_of(texts_.in_set(name));
    how(bytes);
    test::write_bytes(texts_.in_set(name), bytes);
  }
  PackedTexts texts_{{test::documents(40)}};
  DataManifest manifest_;
  const std::string shard_ = "00-train-00001.tokens";
  const std::string again_ = "the file is damaged; pack the texts again (tern data pack)";
};

TEST_F(BadDataset, ACutShardIsNamedWithItsSizes) {
  change(shard_, [](std::string& bytes) { bytes.resize(150); });
  EXPECT_EQ(error(), texts_.in_set(shard_) + ": 150 bytes, expected 200 by data.json: " + again_);
}

TEST_F(BadDataset, AMissingShardIsNamed) {
  std::filesystem::remove(texts_.in_set(shard_));
  EXPECT_EQ(error(), texts_.in_set(shard_) + ": no such file");
}

TEST_F(BadDataset, AChangedByteIsFoundWhenHashesAreVerified) {
  change(shard_, [](std::string& bytes) { bytes[17] = static_cast<char>(bytes[17] ^ 1); });
  if (error() != "no error") FAIL() << "sizes alone are checked: " << error();
  EXPECT_NE(error(true).find(texts_.in_set(shard_) + ": its hash is "), std::string::npos) << error(true);
  for (const char* name : {"token_bytes.u32", "00-train.documents", "tokenizer.json"}) {
    PackedTexts fresh({test::documents(5)});
    ASSERT_TRUE(fresh.pack().has_value());
    std::string bytes = test::bytes_of(fresh.in_set(name));
    bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
    test::write_bytes(fresh.in_set(name), bytes);
    EXPECT_FALSE(Dataset::open(fresh.options.folder, true).has_value()) << name;
  }
}

TEST_F(BadDataset, ATokenOutsideTheVocabularyIsNamedWithItsPlace) {
  change(shard_, [](std::string& bytes) { bytes[2 * 33 + 1] = '\x7f'; });
  const auto data = Dataset::open(texts_.options.folder);
  ASSERT_TRUE(data.has_value());
  const Part& part = data->sources()[0].train;
  std::vector<std::int32_t> out(50);
  EXPECT_TRUE(part.copy(83, 50, out.data()).has_value());
  const auto copied = part.copy(84, 50, out.data());
  ASSERT_FALSE(copied.has_value());
  EXPECT_EQ(copied.error().message.substr(0, copied.error().message.find(": token ")), texts_.in_set(shard_));
  EXPECT_NE(copied.error().message.find(" at offset 33 is not in the vocabulary of 300: " + again_), std::string::npos)
      << copied.error().message;
}

TEST_F(BadDataset, DocumentOffsetsThatDoNotFitAreFound) {
  change("00-train.documents", [](std::string& bytes) { bytes[0] = 1; });
  EXPECT_NE(error().find("offsets from 1 to"), std::string::npos) << error();
  change("00-train.documents", [](std::string& bytes) { bytes.resize(bytes.size() - 8); });
  EXPECT_NE(error().find("by data.json"), std::string::npos) << error();
}

TEST_F(BadDataset, AFolderThatIsNoneIsSaidSo) {
  std::filesystem::remove(texts_.in_set("data.json"));
  EXPECT_EQ(error(), texts_.options.folder +
                         ": holds no data.json, expected the folder of a data set: make one with tern data pack");
  const auto missing = Dataset::open(texts_.file("nothing"));
  ASSERT_FALSE(missing.has_value());
  EXPECT_EQ(missing.error().code, ErrorCode::not_found);
  EXPECT_EQ(missing.error().message, texts_.file("nothing") +
                                         ": no such folder, expected the folder of a data set: make one with tern data "
                                         "pack");
  const auto no_folder = Dataset::open(texts_.file("a.txt"));
  EXPECT_NE(no_folder.error().message.find("is no folder"), std::string::npos);
}

TEST_F(BadDataset, EveryPrefixOfTheManifestIsOneLineOfError) {
  const std::string whole = test::bytes_of(texts_.in_set("data.json"));
  for (std::size_t n = 0; n + 2 < whole.size(); n += 7) {
    test::write_bytes(texts_.in_set("data.json"), whole.substr(0, n));
    const std::string message = error();
    EXPECT_NE(message, "no error") << n;
    EXPECT_EQ(message.find('\n'), std::string::npos);
  }
}

TEST(Dataset, LargeVocabulariesHaveTokensOf32Bits) {
  PackedTexts texts({});
  PartEntry part{.n_tokens = 3, .n_documents = 1, .n_text_bytes = 9, .documents_file = "d"};
  part.shards = {{.file = "s", .n_tokens = 3}};
  DataManifest manifest;
  manifest.n_vocab = 70000;
  manifest.token_bits = token_bits_of(manifest.n_vocab);
  EXPECT_EQ(manifest.token_bits, 32U);
  EXPECT_EQ(token_bits_of(65536), 16U);
  EXPECT_EQ(token_bits_of(65537), 32U);
  manifest.tokenizer_file = "t";
  manifest.token_bytes_file = "b";
  manifest.sources = {{.name = "x", .train = part}};
  std::filesystem::create_directory(texts.options.folder);
  const std::uint32_t tokens[] = {69999, 0, 65536};
  const std::uint64_t offsets[] = {0, 3};
  const auto raw = [](const auto& values) {
    return std::string(reinterpret_cast<const char*>(values), sizeof(values));
  };
  test::write_bytes(texts.in_set("s"), raw(tokens));
  test::write_bytes(texts.in_set("d"), raw(offsets));
  test::write_bytes(texts.in_set("b"), std::string(70000 * 4, '\0'));
  test::write_bytes(texts.in_set("t"), "x");
  test::write_bytes(texts.in_set("data.json"), manifest_text(manifest));
  const auto data = Dataset::open(texts.options.folder);
  ASSERT_TRUE(data.has_value()) << data.error().message;
  EXPECT_EQ(test::tokens_of(data->sources()[0].train), (std::vector<std::int32_t>{69999, 0, 65536}));
}

TEST(ContentHash, IsFnv1a) {
  const auto hash = [](std::string_view text) {
    ContentHash one;
    one.add(text);
    return one.value();
  };
  EXPECT_EQ(hash(""), 0xcbf29ce484222325ULL);  // the published test values
  EXPECT_EQ(hash("a"), 0xaf63dc4c8601ec8cULL);
  EXPECT_EQ(hash("foobar"), 0x85944171f73967e8ULL);
}

}  // namespace
}  // namespace tern::train
