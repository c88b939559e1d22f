// Small packed data sets for tests: a trained tokenizer, texts in files, one call that packs them.
#pragma once

#include <gtest/gtest.h>

#include <fstream>

#include "tests/support/data.hpp"
#include "text/bpe_trainer.hpp"
#include "text/write_tokenizer_json.hpp"
#include "train/data/dataset.hpp"
#include "train/data/pack.hpp"

namespace tern::train::test {

inline void write_bytes(const std::string& path, std::string_view bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

inline std::string bytes_of(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// A byte-level tokenizer of `n_vocab` tokens (258 or more) with BOS 0 and EOS 1.
inline void write_tokenizer(const std::string& path, std::size_t n_vocab = 300) {
  auto counter = text::WordCounter::make();
  ASSERT_TRUE(counter.has_value());
  std::string words;
  for (int i = 0; i < 40; ++i) words += " the cat and that hat number" + std::to_string(i * i) + " 東京 é";
  ASSERT_TRUE(counter->add(words).has_value());
  Progress quiet;
  const auto vocabulary = text::train_bpe(
      counter->counts(), {.vocab_size = n_vocab, .special_tokens = {"<|begin_of_text|>", "<|end_of_text|>"}}, quiet);
  ASSERT_TRUE(vocabulary.has_value());
  write_bytes(path, *text::tokenizer_json_text(*vocabulary));
}

/// `n` documents of a few words, different from one another.
inline std::string documents(int n, int first = 0) {
  std::string text;
  for (int i = first; i < first + n; ++i) {
    if (i > first) text += "\n<|endoftext|>\n";
    for (int j = 0; j <= i % 7; ++j) text += "the cat and hat " + std::to_string(i * 31 + j) + " é東京. ";
  }
  return text;
}

/// A folder with tokenizer.json and a.txt, b.txt, ... as they are given; packed with the defaults unless changed.
class PackedTexts {
 public:
  explicit PackedTexts(const std::vector<std::string>& texts) {
    write_tokenizer(folder_.file("tokenizer.json"));
    options.tokenizer = folder_.file("tokenizer.json");
    options.folder = folder_.file("set");
    for (std::size_t i = 0; i < texts.size(); ++i) {
      const std::string name(1, static_cast<char>('a' + i));
      write_bytes(folder_.file(name + ".txt"), texts[i]);
      options.sources.push_back({.name = name, .files = {folder_.file(name + ".txt")}});
    }
  }
  [[nodiscard]] Result<DataManifest> pack() const {
    Progress quiet;
    return pack_data(options, quiet);
  }
  /// Packs and opens.
  [[nodiscard]] Dataset open() const {
    const auto packed = pack();
    EXPECT_TRUE(packed.has_value()) << (packed ? "" : packed.error().message);
    auto opened = Dataset::open(options.folder, true);
    EXPECT_TRUE(opened.has_value()) << (opened ? "" : opened.error().message);
    return std::move(*opened);
  }
  [[nodiscard]] std::string file(const std::string& name) const { return folder_.file(name); }
  [[nodiscard]] std::string in_set(const std::string& name) const { return options.folder + "/" + name; }

  PackOptions options;

 private:
  tern::test::TemporaryFolder folder_;
};

inline std::vector<std::int32_t> tokens_of(const Part& part) {
  std::vector<std::int32_t> tokens(part.n_tokens());
  const auto copied = part.copy(0, part.n_tokens(), tokens.data());
  EXPECT_TRUE(copied.has_value()) << (copied ? "" : copied.error().message);
  return tokens;
}

}  // namespace tern::train::test
