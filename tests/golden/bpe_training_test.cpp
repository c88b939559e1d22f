// Byte-level BPE training against the tokenizers library's BpeTrainer: committed cases (data/bpe_training.json, made by
// make/make_bpe_training.py), and the vocabulary that it made of megabytes of stories and books.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <sstream>

#include "base/utf8.hpp"
#include "tests/support/data.hpp"
#include "text/bpe_trainer.hpp"
#include "text/readers.hpp"
#include "text/tokenizer.hpp"
#include "text/write_tokenizer_json.hpp"

namespace tern::text {
namespace {

std::string file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  EXPECT_TRUE(in.good()) << path;
  return {std::istreambuf_iterator<char>(in), {}};
}

std::vector<std::string> pieces_of(const std::string& text, const std::string& separator) {
  std::vector<std::string> pieces;
  for (std::size_t at = 0;;) {
    const std::size_t end = text.find(separator, at);
    pieces.push_back(text.substr(at, end - at));
    if (end == std::string::npos) return pieces;
    at = end + separator.size();
  }
}

WordCounter counted(const std::vector<std::string>& documents) {
  auto counter = WordCounter::make();
  EXPECT_TRUE(counter.has_value());
  for (const std::string& document : documents) EXPECT_TRUE(counter->add(document).has_value());
  return std::move(*counter);
}

Vocabulary trained(const std::vector<std::string>& documents, const BpeTraining& training) {
  Progress quiet;
  auto vocabulary = train_bpe(counted(documents).counts(), training, quiet);
  EXPECT_TRUE(vocabulary.has_value()) << (vocabulary ? "" : vocabulary.error().message);
  return vocabulary ? std::move(*vocabulary) : Vocabulary{};
}

TEST(GoldenBpeTraining, HasTheVocabularyMergesAndIdsOfTheTokenizersLibrary) {
  const auto golden = nlohmann::json::parse(file(test::source_file("tests/golden/data/bpe_training.json")));
  const auto probes = golden.at("probes").get<std::vector<std::string>>();
  ASSERT_GE(golden.at("cases").size(), 30U);
  std::size_t n_below_bytes = 0;
  for (const auto& one : golden.at("cases")) {
    SCOPED_TRACE(one.at("name").get<std::string>());
    const auto documents = golden.at("texts")[one.at("documents").get<std::size_t>()].get<std::vector<std::string>>();
    const BpeTraining training{.vocab_size = one.at("vocab_size").get<std::size_t>(),
                               .special_tokens = one.at("special").get<std::vector<std::string>>(),
                               .min_frequency = one.at("min_frequency").get<std::uint64_t>()};
    const Vocabulary vocabulary = trained(documents, training);
    EXPECT_EQ(vocabulary.tokens, pieces_of(one.at("vocab").get<std::string>(), " "));
    const auto merges = one.at("merges").get<std::string>();
    EXPECT_EQ(vocabulary.merges, merges.empty() ? std::vector<std::string>{} : pieces_of(merges, "\n"));
    n_below_bytes += merges.empty() ? 1 : 0;

    // What is written and read again gives the ids. A special token that is a word or a byte is one more thing in that
    // library than in Tern, which refuses such a tokenizer.
    const auto json = tokenizer_json_text(vocabulary);
    ASSERT_TRUE(json.has_value()) << json.error().message;
    const std::string config = tokenizer_config_text(vocabulary);
    const auto read = read_tokenizer_json(std::as_bytes(std::span(*json)), std::as_bytes(std::span(config)));
    ASSERT_TRUE(read.has_value()) << read.error().message;
    EXPECT_EQ(read->tokens, vocabulary.tokens);
    EXPECT_EQ(read->merges, vocabulary.merges);
    EXPECT_EQ(read->types, vocabulary.types);
    EXPECT_EQ(vocabulary.bos ? read->bos : std::nullopt, vocabulary.bos);
    EXPECT_EQ(vocabulary.eos ? read->eos : std::nullopt, vocabulary.eos);
    const auto tokenizer = Tokenizer::make(*read);
    const auto name = one.at("name").get<std::string>();
    if (name == "special tokens that are words" || name == "a special token that is a byte") {
      EXPECT_FALSE(tokenizer.has_value());
      continue;
    }
    ASSERT_TRUE(tokenizer.has_value()) << tokenizer.error().message;
    for (std::size_t i = 0; i < probes.size(); ++i) {
      const auto ids = tokenizer->encode(probes[i]);
      ASSERT_TRUE(ids.has_value()) << ids.error().message;
      EXPECT_EQ(*ids, one.at("ids")[i].get<std::vector<std::int32_t>>()) << probes[i];
    }
  }
  EXPECT_LE(n_below_bytes, 5U) << "most cases should merge something";
}

// The first `n` characters.
std::string first_characters(const std::string& text, std::size_t n) {
  std::size_t at = 0;
  for (; n > 0 && at < text.size(); --n) {
    ++at;
    while (at < text.size() && is_utf8_continuation(text[at])) ++at;
  }
  return text.substr(0, at);
}

std::vector<std::string> documents_of(const std::string& folder, const std::vector<std::string>& names) {
  std::string all;
  for (const std::string& name : names) all += file(folder + name);
  return pieces_of(all, "<|endoftext|>");
}

// The reference models' tokenizer was made of these documents (models/make_models.py of the data folder).
TEST(GoldenBpeTraining, MakesTheTokenizerOfTheReferenceModelsFromTheirTexts) {
  TERN_NEEDS_DATA();
  const std::string train = test::data_folder() + "/train/";
  std::vector<std::string> documents =
      documents_of(train + "tinystories/", {"tinystories-000.txt", "tinystories-001.txt"});
  const std::size_t n_stories = documents.size();
  for (const std::string& book :
       documents_of(train + "books/", {"books-000.txt", "books-001.txt", "books-002.txt", "books-003.txt"})) {
    documents.push_back(first_characters(book, 200000));
  }
  ASSERT_GT(n_stories, 6000U);
  ASSERT_GT(documents.size(), n_stories + 20);
  const Vocabulary vocabulary =
      trained(documents, {.vocab_size = 2048, .special_tokens = {"<|begin_of_text|>", "<|end_of_text|>"}});
  const auto reference =
      nlohmann::ordered_json::parse(file(test::data_folder() + "/models/reference-float/tokenizer.json"));
  const auto& model = reference.at("model");
  ASSERT_EQ(vocabulary.size(), model.at("vocab").size());
  std::size_t id = 0;
  for (const auto& [token, its_id] : model.at("vocab").items()) {
    EXPECT_EQ(vocabulary.tokens[id], token) << id;
    EXPECT_EQ(its_id, id++);
  }
  ASSERT_EQ(vocabulary.merges.size(), model.at("merges").size());
  for (std::size_t i = 0; i < vocabulary.merges.size(); ++i) {
    const auto& merge = model.at("merges")[i];
    EXPECT_EQ(vocabulary.merges[i], merge[0].get<std::string>() + " " + merge[1].get<std::string>()) << i;
  }
  // The whole file, but for the template that puts BOS in front, which that script left out.
  const auto written = tokenizer_json_text(vocabulary);
  ASSERT_TRUE(written.has_value());
  auto ours = nlohmann::ordered_json::parse(*written);
  EXPECT_TRUE(ours.at("post_processor").is_object());
  ours["post_processor"] = nullptr;
  EXPECT_EQ(ours, reference);
}

}  // namespace
}  // namespace tern::text
