// Every Unicode scalar value comes back from its ids under every named pre-tokeniser, with a vocabulary of the 256
// bytes and a few merges: no rule may lose, double or move a byte.
#include <gtest/gtest.h>

#include "base/utf8.hpp"
#include "tests/support/tokenizers.hpp"
#include "text/pre_tokenizer.hpp"

namespace tern::text {
namespace {

constexpr std::uint32_t kScalars = 0x110000 - 0x800;

std::uint32_t scalar(std::uint32_t i) {
  return i < 0xD800 ? i : i + 0x800;
}

// All scalar values in the order of `step` (odd multiples visit each once), in texts of 4,096.
std::vector<std::string> texts_of_all(std::uint64_t step) {
  std::vector<std::string> texts;
  for (std::uint64_t i = 0; i < kScalars; ++i) {
    if (i % 4096 == 0) texts.emplace_back();
    append_utf8(texts.back(), scalar(static_cast<std::uint32_t>(i * step % kScalars)));
  }
  return texts;
}

TEST(EveryScalarValue, ComesBackUnderEveryNamedPreTokeniser) {
  static_assert(kScalars == 1'112'064);
  std::vector<std::string> texts = texts_of_all(1);
  // 611,953 is prime and no factor of 1,112,064, so neighbours come from different scripts.
  for (std::string& text : texts_of_all(611'953)) texts.push_back(std::move(text));
  std::size_t n_bytes = 0;
  for (const std::string& text : texts) n_bytes += text.size();
  ASSERT_EQ(n_bytes, 2U * (128U + 2U * 1920U + 3U * (65536U - 2048U - 2048U) + 4U * 1'048'576U));
  for (const std::string_view name : PreTokenizer::names()) {
    const Tokenizer tokenizer = test::make(test::bpe_vocabulary(std::string(name)));
    for (std::size_t i = 0; i < texts.size(); ++i) {
      const auto ids = tokenizer.encode(texts[i]);
      ASSERT_TRUE(ids.has_value()) << name << ": " << test::error_of(ids);
      ASSERT_TRUE(tokenizer.decode(*ids) == texts[i]) << name << ", text " << i;
    }
  }
}

}  // namespace
}  // namespace tern::text
