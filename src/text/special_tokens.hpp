// Finds the names of control and user-defined tokens in a text: the leftmost, and there the longest. A trie over the
// names; a text without the first byte of any name costs one look-up a byte.
#pragma once

#include <bitset>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "text/hash_index.hpp"

namespace tern::text {

class SpecialTokens {
 public:
  /// A longer name is refused: with it, hostile names times hostile text would take quadratic time.
  static constexpr std::size_t kMaxNameBytes = 512;

  struct Entry {
    std::string_view name;  // not empty
    std::int32_t id = 0;
  };
  struct Match {
    std::size_t start = 0;
    std::size_t length = 0;
    std::int32_t id = 0;
  };

  SpecialTokens() = default;
  [[nodiscard]] static Result<SpecialTokens> make(const std::vector<Entry>& entries);

  /// The first name at or after byte `from` of `text`.
  [[nodiscard]] std::optional<Match> find(std::string_view text, std::size_t from) const;

 private:
  PairIndex children_;            // (node, byte) -> node
  std::vector<std::int32_t> id_;  // [node] the token whose name ends there, or -1
  std::bitset<256> first_bytes_;
};

}  // namespace tern::text
