// SentencePiece's compiled character map: a double-array trie whose keys are the strings to replace, and the texts that
// replace them, each ended by a zero byte. Everything is checked once by make(): no unit is below itself, every index
// lies inside. Not a compiler of such maps. Source: sentencepiece's normalizer and the layout of darts-clone's units (8
// bits label, a bit for "a key ends here", 22 bits of offset with a bit that scales it by 256).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"

namespace tern::text {

class CharsMap {
 public:
  /// `bytes`: the size of the trie in bytes (32 bits), the trie's units (32 bits each), the replacements.
  [[nodiscard]] static Result<CharsMap> make(std::span<const std::uint8_t> bytes);

  struct Match {
    std::size_t length = 0;  // bytes of the key
    std::string_view replacement;
  };

  /// The longest key at the front of `text`, SentencePiece's choice.
  [[nodiscard]] std::optional<Match> longest(std::string_view text) const { return find(text, false); }
  /// The shortest key at the front of `text`, as Hugging Face's Precompiled chooses.
  [[nodiscard]] std::optional<Match> shortest(std::string_view text) const { return find(text, true); }

  /// Whether this ASCII byte stays as it is wherever another ASCII byte or nothing follows it.
  [[nodiscard]] bool is_plain(unsigned char ascii) const { return plain_[ascii]; }

 private:
  [[nodiscard]] std::optional<Match> find(std::string_view text, bool first) const;
  [[nodiscard]] Result<void> check() const;

  std::vector<std::uint32_t> units_;
  std::string replacements_;
  std::array<bool, 128> plain_{};
};

}  // namespace tern::text
