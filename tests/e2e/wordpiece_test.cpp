// WordPiece as BERT's GGUF files have it, against llama.cpp's .inp/.out pair.
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <sstream>

#include "models/tokenizer_source.hpp"
#include "tests/support/data.hpp"
#include "text/tokenizer.hpp"

namespace tern::text {
namespace {

std::string slurp(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  EXPECT_TRUE(in.good()) << path;
  return {std::istreambuf_iterator<char>(in), {}};
}

TEST(TokenizerPairs, BertBgeFromItsGguf) {
  TERN_NEEDS_DATA();
  const std::string path = test::data_folder() + "/tokenizers/ggml-vocab/ggml-vocab-bert-bge.gguf";
  std::vector<std::string> warnings;
  auto vocabulary = models::read_tokenizer(path, std::nullopt, warnings);
  ASSERT_TRUE(vocabulary.has_value()) << vocabulary.error().message;
  EXPECT_TRUE(warnings.empty());
  EXPECT_EQ(vocabulary->bos, 101);
  EXPECT_EQ(vocabulary->eos, 102);
  EXPECT_EQ(vocabulary->mask, 103);
  const auto tokenizer = Tokenizer::make(std::move(*vocabulary));
  ASSERT_TRUE(tokenizer.has_value()) << tokenizer.error().message;
  const std::string input = slurp(path + ".inp");
  std::istringstream output(slurp(path + ".out"));
  constexpr std::string_view kSeparator = "\n__ggml_vocab_test__\n";
  std::size_t n_cases = 0;
  std::string_view rest = input;
  for (std::string line; std::getline(output, line);) {
    const std::size_t end = rest.find(kSeparator);
    const std::string_view text = rest.substr(0, end);
    std::istringstream numbers(line);
    const std::vector<std::int32_t> expected(std::istream_iterator<std::int32_t>(numbers), {});
    const auto ids = tokenizer->encode(text);
    ASSERT_TRUE(ids.has_value()) << ids.error().message;
    EXPECT_EQ(*ids, expected) << "case " << n_cases << ": \"" << text << "\"";
    ++n_cases;
    if (end == std::string_view::npos) break;
    rest.remove_prefix(end + kSeparator.size());
  }
  EXPECT_EQ(n_cases, 46U);
  EXPECT_EQ(tokenizer->decode(*tokenizer->encode("Hello world, F\u00FChrer!")), "hello world , fuhrer !");
}

}  // namespace
}  // namespace tern::text
