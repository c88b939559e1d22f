// The two ways in which a compiled character map is applied. SentencePiece: at each place the longest key. Hugging
// Face's Precompiled: what a reader sees as one character, if it is shorter than 6 bytes, is replaced as a whole by the
// text of the shortest key at its front (so that "A" with a combining accent loses the accent where "A" is a key);
// otherwise each code point by itself. Both are kept, since a vocabulary was trained with one of them.
#include "text/base64.hpp"
#include "text/charsmap.hpp"
#include "text/json_document.hpp"
#include "text/normalizer.hpp"
#include "text/unicode.hpp"

namespace tern::text {

namespace {

// Bytes at the front that the map leaves alone, by the look at ASCII only.
std::size_t plain_prefix(const CharsMap& map, std::string_view text) {
  std::size_t at = 0;
  while (at < text.size()) {
    const auto byte = static_cast<unsigned char>(text[at]);
    if (byte >= 0x80 || !map.is_plain(byte)) break;
    if (at + 1 < text.size() && static_cast<unsigned char>(text[at + 1]) >= 0x80) break;
    ++at;
  }
  return at;
}

class SentencePiece final : public NormalizerStep {
 public:
  explicit SentencePiece(CharsMap map) : map_(std::move(map)) {}
  Result<bool> apply(std::string_view text, std::size_t max_bytes, std::string& out) const override {
    std::size_t plain = plain_prefix(map_, text);
    if (plain == text.size()) return false;
    out.reserve(text.size());
    while (true) {
      out += text.substr(0, plain);
      text.remove_prefix(plain);
      if (text.empty()) return true;
      if (const auto match = map_.longest(text)) {
        out += match->replacement;
        text.remove_prefix(match->length);
        if (out.size() > max_bytes) return text_grew_too_large(max_bytes);
      } else {
        const std::size_t length = utf8_step(text).length;
        out += text.substr(0, length);
        text.remove_prefix(length);
      }
      plain = plain_prefix(map_, text);
    }
  }

 private:
  CharsMap map_;
};

class Precompiled final : public NormalizerStep {
 public:
  explicit Precompiled(CharsMap map) : map_(std::move(map)) {}
  Result<bool> apply(std::string_view text, std::size_t max_bytes, std::string& out) const override {
    std::size_t plain = plain_prefix(map_, text);
    if (plain == text.size()) return false;
    out.reserve(text.size());
    while (true) {
      out += text.substr(0, plain);
      text.remove_prefix(plain);
      if (text.empty()) return true;
      std::string_view cluster = text.substr(0, grapheme_bytes(text));
      text.remove_prefix(cluster.size());
      const auto whole = cluster.size() < 6 ? map_.shortest(cluster) : std::nullopt;
      if (whole) {
        out += whole->replacement;
        cluster = {};
      }
      while (!cluster.empty()) {
        const std::string_view character = cluster.substr(0, utf8_step(cluster).length);
        const auto match = map_.shortest(character);
        out += match ? match->replacement : character;
        cluster.remove_prefix(character.size());
        if (out.size() > max_bytes) return text_grew_too_large(max_bytes);
      }
      if (out.size() > max_bytes) return text_grew_too_large(max_bytes);
      plain = plain_prefix(map_, text);
    }
  }

 private:
  CharsMap map_;
};

}  // namespace

Result<std::unique_ptr<const NormalizerStep>> make_sentencepiece_step(std::span<const std::uint8_t> charsmap) {
  TERN_TRY(CharsMap map, CharsMap::make(charsmap));
  return std::make_unique<SentencePiece>(std::move(map));
}

Result<std::unique_ptr<const NormalizerStep>> make_precompiled_step(const nlohmann::json& section) {
  const auto bytes = from_base64(string_member(section, "precompiled_charsmap"));
  if (!bytes) {
    return fail(ErrorCode::bad_input, "the normalizer Precompiled has no precompiled_charsmap in base64");
  }
  TERN_TRY(CharsMap map, CharsMap::make({reinterpret_cast<const std::uint8_t*>(bytes->data()), bytes->size()}));
  return std::make_unique<Precompiled>(std::move(map));
}

}  // namespace tern::text
