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

// What both do: copies what the map leaves alone, and for the rest calls take(text, out), which appends what becomes of
// one or more characters at the front of `text` and removes them.
template <typename Take>
Result<bool> map_text(const CharsMap& map, std::string_view text, std::size_t max_bytes, std::string& out, Take take) {
  std::size_t plain = plain_prefix(map, text);
  if (plain == text.size()) return false;
  out.reserve(text.size());
  while (true) {
    out += text.substr(0, plain);
    text.remove_prefix(plain);
    if (text.empty()) return true;
    take(text, out);
    if (out.size() > max_bytes) return text_grew_too_large(max_bytes);
    plain = plain_prefix(map, text);
  }
}

class SentencePiece final : public NormalizerStep {
 public:
  explicit SentencePiece(CharsMap map) : map_(std::move(map)) {}
  Result<bool> apply(std::string_view text, std::size_t max_bytes, std::string& out) const override {
    return map_text(map_, text, max_bytes, out, [&](std::string_view& rest, std::string& mapped) {
      const auto match = map_.longest(rest);
      const std::size_t length = match ? match->length : utf8_step(rest).length;
      mapped += match ? match->replacement : rest.substr(0, length);
      rest.remove_prefix(length);
    });
  }

 private:
  CharsMap map_;
};

class Precompiled final : public NormalizerStep {
 public:
  explicit Precompiled(CharsMap map) : map_(std::move(map)) {}
  Result<bool> apply(std::string_view text, std::size_t max_bytes, std::string& out) const override {
    return map_text(map_, text, max_bytes, out, [&](std::string_view& rest, std::string& mapped) {
      std::string_view cluster = rest.substr(0, grapheme_bytes(rest));
      rest.remove_prefix(cluster.size());
      if (const auto whole = cluster.size() < 6 ? map_.shortest(cluster) : std::nullopt) {
        mapped += whole->replacement;
        return;
      }
      while (!cluster.empty() && mapped.size() <= max_bytes) {  // a cluster can be as long as the text
        const std::string_view character = cluster.substr(0, utf8_step(cluster).length);
        const auto match = map_.shortest(character);
        mapped += match ? match->replacement : character;
        cluster.remove_prefix(character.size());
      }
    });
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
