// How SentencePiece vocabularies spell a character that is no token: by the tokens of its bytes ("<0xAB>"), or else by
// the unknown token, one for a run of such characters. Shared by both kinds of model.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/error.hpp"

namespace tern::text {

/// The byte that "<0xAB>" names.
[[nodiscard]] std::optional<unsigned char> byte_of_name(std::string_view name);

class ByteFallback {
 public:
  /// Without byte tokens so far.
  explicit ByteFallback(std::optional<std::int32_t> unknown = {}) : unknown_(unknown) { ids_.fill(-1); }

  /// Takes the token of a byte; of two for one byte the first stays. Errors: bad_input for another spelling.
  [[nodiscard]] Result<void> add(std::size_t id, std::string_view token);

  /// The token of one byte, or -1.
  [[nodiscard]] std::int32_t id(unsigned char byte) const { return ids_[byte]; }
  [[nodiscard]] bool is_unknown(std::int32_t id) const { return unknown_ == id; }

  /// Appends the ids of a character that is no token. Returns whether it is unknown; then nothing is appended where
  /// `after_unknown` says that the one before was. Errors: bad_input where the vocabulary has neither kind of token.
  [[nodiscard]] Result<bool> spell(std::string_view character, bool after_unknown,
                                   std::vector<std::int32_t>& out) const;

 private:
  std::array<std::int32_t, 256> ids_{};  // -1 where a byte is no token
  std::optional<std::int32_t> unknown_;
};

}  // namespace tern::text
