// A compiled character map from anywhere, with a text: the first byte says how long the text is, then text and map.
// What make() accepts must find keys within the text, and normalise it in SentencePiece's way without a crash.
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "one_line.hpp"
#include "text/charsmap.hpp"
#include "text/normalizer.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tern::text;
  if (size == 0 || data[0] >= size) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data + 1), data[0]);
  const std::span map_bytes(data + 1 + text.size(), size - 1 - text.size());
  const auto map = CharsMap::make(map_bytes);
  if (!map) {
    tern::fuzz::check_one_line(map.error());
    return 0;
  }
  for (std::size_t at = 0; at < text.size(); ++at) {
    const auto longest = map->longest(text.substr(at));
    const auto shortest = map->shortest(text.substr(at));
    TERN_CHECK(longest.has_value() == shortest.has_value());
    if (longest) TERN_CHECK(shortest->length <= longest->length && longest->length <= text.size() - at);
  }
  const auto step = make_sentencepiece_step(map_bytes);
  TERN_CHECK(step.has_value());
  std::string out;
  if (const auto changed = (*step)->apply(text, 1 << 16, out); !changed) {
    tern::fuzz::check_one_line(changed.error());
  }
  return 0;
}
