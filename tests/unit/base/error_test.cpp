// A message is one line, whatever it quotes.
#include "base/error.hpp"

#include <gtest/gtest.h>

namespace tern {
namespace {

TEST(Error, IsOneLineWhateverItQuotes) {
  const auto refused = fail(ErrorCode::bad_input, "key {} is odd", "a\nb\tc\x7f");
  EXPECT_EQ(refused.error().message, "key a\\x0ab\\x09c\\x7f is odd");
  EXPECT_EQ(in_context("two\nlines", refused.error()).error().message, "two\\x0alines: key a\\x0ab\\x09c\\x7f is odd");
  EXPECT_EQ(fail(ErrorCode::io, "größer als {}", 3).error().message, "größer als 3");
}

}  // namespace
}  // namespace tern
