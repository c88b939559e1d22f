// Every Unicode scalar value comes back from its ids where nothing loses it: small SentencePiece vocabularies, BPE and
// unigram, with byte fallback and without a normaliser. U+2581 is the one exception: it is how they spell a space.
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "base/utf8.hpp"
#include "tests/support/data.hpp"
#include "text/detect.hpp"
#include "text/tokenizer.hpp"

namespace tern::text {
namespace {

TEST(TokenizerRoundTrip, GivesBackEveryUnicodeScalarValue) {
  for (const std::string name : {"sentencepiece.model", "unigram_identity.model", "qwen2.json"}) {
    std::ifstream in(test::source_file("tests/golden/data/tokenizers/" + name), std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(in), {}};
    auto vocabulary = read_vocabulary(std::as_bytes(std::span(bytes.data(), bytes.size())));
    ASSERT_TRUE(vocabulary.has_value()) << name << ": " << vocabulary.error().message;
    const auto tokenizer = Tokenizer::make(std::move(*vocabulary));
    ASSERT_TRUE(tokenizer.has_value()) << name << ": " << tokenizer.error().message;
    std::string line;
    std::size_t n_characters = 0;
    for (std::uint32_t c = 0; c < 0x110000; ++c) {
      if (c >= 0xD800 && c <= 0xDFFF) continue;
      if (c == 0x2581 && name != "qwen2.json") continue;
      append_utf8(line, c);
      line += c % 3 == 0 ? " " : "e";
      ++n_characters;
      if (n_characters % 64 != 0 && c != 0x10FFFF) continue;
      const auto ids = tokenizer->encode(line);
      ASSERT_TRUE(ids.has_value()) << name << ": " << ids.error().message;
      ASSERT_EQ(tokenizer->decode(*ids), line) << name << " up to U+" << fmt::format("{:04X}", c);
      line.clear();
    }
    EXPECT_TRUE(line.empty());
    EXPECT_GE(n_characters, 0x110000U - 0x800U - 1U);
  }
}

}  // namespace
}  // namespace tern::text
