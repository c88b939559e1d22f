#include "text/byte_alphabet.hpp"

#include <gtest/gtest.h>

#include "base/utf8.hpp"

namespace tern::text {
namespace {

TEST(ByteAlphabet, SpellsEveryByteWithOneCharacterAndBack) {
  std::string all;
  for (int byte = 0; byte < 256; ++byte) all.push_back(static_cast<char>(byte));
  const std::string spelled = to_byte_alphabet(all);
  EXPECT_EQ(utf8_valid_prefix(spelled), spelled.size());
  for (const char c : spelled) EXPECT_NE(c, ' ');
  EXPECT_EQ(from_byte_alphabet(spelled), all);
}

TEST(ByteAlphabet, HasThePublishedSpellings) {
  EXPECT_EQ(to_byte_alphabet(" the\n"), "\u0120the\u010A");
  EXPECT_EQ(to_byte_alphabet(std::string("\0", 1)), "\u0100");
  EXPECT_EQ(to_byte_alphabet("\x7F"), "\u0121");
  EXPECT_EQ(to_byte_alphabet("\xAD"), "\u0143");  // the last of the moved ones
  EXPECT_EQ(to_byte_alphabet("\xC3\xA9"), "\u00C3\u00A9");
}

TEST(ByteAlphabet, KeepsOrRefusesWhatIsOutsideIt) {
  EXPECT_EQ(from_byte_alphabet("a b"), std::nullopt);
  EXPECT_EQ(from_byte_alphabet("\u0144"), std::nullopt);
  EXPECT_EQ(from_byte_alphabet("\xFF"), std::nullopt);
  EXPECT_EQ(from_byte_alphabet_or_same("\u0120a \u4E1C\xFF"), " a \u4E1C\xFF");
}

}  // namespace
}  // namespace tern::text
