// Tokens as a trie of bytes, to find the longest token at the front of a text in one walk: a vocabulary with a token of
// thousands of bytes costs a step a byte, not a look-up for every length. Source: Fredkin 1960; nodes live in one hash.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "text/hash_index.hpp"

namespace tern::text {

class TokenTrie {
 public:
  static constexpr std::uint32_t kNoId = 0xFFFFFFFFU;

  TokenTrie() = default;
  /// `n_bytes`: the bytes of all tokens that will be inserted.
  explicit TokenTrie(std::size_t n_bytes) : children_(n_bytes), ids_{kNoId} {}

  /// Of two tokens with the same bytes the first stays. Requires a token that is not empty.
  void insert(std::string_view token, std::uint32_t id) {
    std::uint32_t node = 0;
    for (std::size_t i = 0; i < token.size(); ++i) {
      const std::uint32_t known = child(node, token[i], i == 0);
      if (known != 0) {
        node = known;
        continue;
      }
      const auto fresh = static_cast<std::uint32_t>(ids_.size());
      if (i == 0) {
        roots_[static_cast<unsigned char>(token[0])] = fresh;
      } else {
        children_.insert(node, static_cast<unsigned char>(token[i]), {0, fresh});
      }
      ids_.push_back(kNoId);
      node = fresh;
    }
    if (ids_[node] == kNoId) ids_[node] = id;
  }

  /// Calls visit(length, id) for every token at the front of `text`, the shortest first.
  template <typename Visit>
  void for_each_at_front(std::string_view text, const Visit& visit) const {
    std::uint32_t node = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
      node = child(node, text[i], i == 0);
      if (node == 0) return;
      if (ids_[node] != kNoId) visit(i + 1, ids_[node]);
    }
  }

 private:
  // 0 for none.
  [[nodiscard]] std::uint32_t child(std::uint32_t node, char c, bool is_first) const {
    const auto byte = static_cast<unsigned char>(c);
    return is_first ? roots_[byte] : children_.find(node, byte).id;
  }

  std::array<std::uint32_t, 256> roots_{};  // the first level: byte -> node
  PairIndex children_;                      // (node, byte) -> node
  std::vector<std::uint32_t> ids_;          // [n_nodes]; node 0 is the root
};

}  // namespace tern::text
