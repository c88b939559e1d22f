// data.json: what is written reads back, and everything that does not add up is one clear line.
#include "train/data/data_manifest.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace tern::train {
namespace {

DataManifest example() {
  DataManifest manifest;
  manifest.n_vocab = 300;
  manifest.bos = 0;
  manifest.tokenizer_file = "tokenizer.json";
  manifest.tokenizer_hash = 0xfedcba9876543210ULL;
  manifest.token_bytes_file = "token_bytes.u32";
  manifest.token_bytes_hash = 1;
  PartEntry part{.n_tokens = 7, .n_documents = 2, .n_text_bytes = 30, .documents_file = "00-train.documents"};
  part.shards = {{.file = "a.tokens", .n_tokens = 4, .hash = 2}, {.file = "b.tokens", .n_tokens = 3, .hash = 3}};
  manifest.sources = {{.name = "stories", .train = part}};
  part.documents_hash = 9;
  manifest.sources.push_back({.name = "büch er", .train = {}, .held_out = part});
  return manifest;
}

Result<DataManifest> read(const std::string& text) {
  return read_manifest(std::as_bytes(std::span(text)), "data.json");
}

// The error after one change of the JSON.
template <typename F>
std::string error_after(const F& change) {
  auto root = nlohmann::json::parse(manifest_text(example()));
  change(root);
  const auto manifest = read(root.dump());
  return manifest ? "no error" : manifest.error().message;
}

TEST(DataManifest, ReadsBackAsItWasWritten) {
  const auto manifest = read(manifest_text(example()));
  ASSERT_TRUE(manifest.has_value()) << manifest.error().message;
  EXPECT_EQ(*manifest, example());
  EXPECT_EQ(error_after([](auto&) {}), "no error") << "or the changes below would prove nothing";
}

TEST(DataManifest, RefusesKeysItDoesNotKnow) {
  EXPECT_EQ(error_after([](auto& root) { root["n_vocabs"] = 1; }),
            "data.json: n_vocabs is not known (did you mean n_vocab?); the data set was made by a newer program, or by "
            "hand");
  EXPECT_EQ(
      error_after([](auto& root) { root["sources"][0]["train"]["shards"][1]["colour"] = 1; }),
      "data.json: sources[0].train.shards[1].colour is not known; the data set was made by a newer program, or by "
      "hand");
}

TEST(DataManifest, RefusesWhatIsMissingOrOfAnotherKind) {
  const auto root = nlohmann::json::parse(manifest_text(example()));
  for (const auto& [key, value] : root.items()) {
    if (key == "format") continue;
    EXPECT_EQ(error_after([&, name = key](auto& changed) { changed.erase(name); }),
              "data.json: " + key + " is missing");
    EXPECT_NE(error_after([&, name = key](auto& changed) { changed[name] = 1.5; }), "no error") << key;
  }
  EXPECT_EQ(error_after([](auto& r) { r.erase("format"); }),
            "data.json: not the manifest of a data set: it has no \"format\"");
  EXPECT_EQ(error_after([](auto& r) { r["format"] = "other"; }),
            "data.json: format is \"other\", expected \"tern-data\"");
  EXPECT_EQ(error_after([](auto& r) { r["version"] = 2; }),
            "data.json: version is 2, this program reads version 1: pack the texts again");
  EXPECT_EQ(error_after([](auto& r) { r["bos"] = 300; }),
            "data.json: bos is 300, expected null or a token id below 300");
  EXPECT_EQ(error_after([](auto& r) { r["n_vocab"] = 0; }), "data.json: n_vocab is 0, expected 1 or more");
  EXPECT_EQ(error_after([](auto& r) { r["n_vocab"] = -1; }),
            "data.json: n_vocab is -1, expected a whole number from 0 to 2147483647");
  EXPECT_EQ(error_after([](auto& r) { r["token_bits"] = 32; }),
            "data.json: token_bits is 32, expected 16 for a vocabulary of 300");
  EXPECT_EQ(error_after([](auto& r) { r["tokenizer_hash"] = "12"; }),
            "data.json: tokenizer_hash is \"12\", expected 16 hexadecimal digits");
  EXPECT_EQ(error_after([](auto& r) { r["sources"] = nlohmann::json::array(); }),
            "data.json: sources has 0 entries, expected from 1 to 4096");
  EXPECT_EQ(error_after([](auto& r) { r["sources"][1]["name"] = "stories"; }),
            "data.json: sources[1].name is \"stories\", which an earlier source has");
  EXPECT_EQ(error_after([](auto& r) { r["sources"][0]["train"] = nullptr; }),
            "data.json: sources[0] (\"stories\") has neither a train nor a held_out part");
}

TEST(DataManifest, RefusesNumbersThatDoNotAddUp) {
  EXPECT_EQ(error_after([](auto& r) { r["sources"][0]["train"]["n_tokens"] = 8; }),
            "data.json: sources[0].train.n_tokens is 8, but its shards hold 7");
  EXPECT_EQ(error_after([](auto& r) { r["sources"][0]["train"]["n_documents"] = 8; }),
            "data.json: sources[0].train.n_documents is 8, expected from 1 to its 7 tokens");
  EXPECT_EQ(error_after([](auto& r) { r["sources"][0]["train"]["shards"][0]["n_tokens"] = 0; }),
            "data.json: sources[0].train.shards[0] holds no tokens, expected 1 or more");
  const std::uint64_t most = std::uint64_t{1} << 58;
  EXPECT_EQ(error_after([&](auto& r) { r["sources"][0]["train"]["shards"][0]["n_tokens"] = most; }),
            "data.json: sources[0].train.shards hold more than 2^58 tokens together");
  EXPECT_NE(error_after([](auto& r) { r["sources"][0]["train"]["shards"][0]["n_tokens"] = ~std::uint64_t{0}; }),
            "no error");
}

TEST(DataManifest, RefusesFilesOutsideItsFolder) {
  for (const char* name : {"../a", "/etc/passwd", "", ".", "..", "a/b"}) {
    EXPECT_NE(error_after([&](auto& r) { r["tokenizer"] = name; }).find("expected the plain name of a file"),
              std::string::npos)
        << name;
  }
}

TEST(DataManifest, TheFingerprintTellsDataApart) {
  const std::uint64_t was = example().fingerprint();
  EXPECT_EQ(example().fingerprint(), was);
  auto other = example();
  other.sources[0].train->shards[1].hash ^= 1;
  EXPECT_NE(other.fingerprint(), was);
  other = example();
  other.sources[0].name = "storie";
  EXPECT_NE(other.fingerprint(), was);
  other = example();
  std::swap(other.sources[0].train, other.sources[0].held_out);
  EXPECT_NE(other.fingerprint(), was);
  other = example();
  other.bos.reset();
  EXPECT_NE(other.fingerprint(), was);
  other = example();
  other.tokenizer_hash ^= 1;
  EXPECT_NE(other.fingerprint(), was);
}

TEST(DataManifest, SourceNamesFitAMixture) {
  for (const char* name : {"a", "books-2", "mein Buch.v1", "東京"}) EXPECT_TRUE(is_source_name(name)) << name;
  for (const char* name : {"", "a=b", "a,b", "a/b", "a\nb", "a\xff"}) EXPECT_FALSE(is_source_name(name)) << name;
  EXPECT_TRUE(is_source_name(std::string(100, 'a')));
  EXPECT_FALSE(is_source_name(std::string(101, 'a')));
}

}  // namespace
}  // namespace tern::train
