// What tests of tokenizers say often: a tokenizer that must come out, a text's ids as pieces, a call's error.
#pragma once

#include <gtest/gtest.h>

#include "tests/support/tokenizer_files.hpp"

namespace tern::text::test {

inline Tokenizer make(Result<Vocabulary> vocabulary) {
  EXPECT_TRUE(vocabulary.has_value()) << (vocabulary ? "" : vocabulary.error().message);
  auto tokenizer = Tokenizer::make(vocabulary ? std::move(*vocabulary) : bpe_vocabulary());
  EXPECT_TRUE(tokenizer.has_value()) << (tokenizer ? "" : tokenizer.error().message);
  return *tokenizer;
}

/// The ids of a text, spelled as the pieces they stand for.
inline std::vector<std::string> pieces_of(const Tokenizer& tokenizer, std::string_view text,
                                          EncodeOptions options = {}) {
  std::vector<std::string> pieces;
  const auto ids = tokenizer.encode(text, options);
  EXPECT_TRUE(ids.has_value()) << (ids ? "" : ids.error().message);
  if (ids) {
    for (const std::int32_t id : *ids) pieces.emplace_back(tokenizer.piece(id));
  }
  return pieces;
}

/// The error of a call that must fail.
template <typename T>
std::string error_of(const Result<T>& result) {
  return result.has_value() ? "no error" : result.error().message;
}

using Pieces = std::vector<std::string>;

}  // namespace tern::text::test
