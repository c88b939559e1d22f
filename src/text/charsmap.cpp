#include "text/charsmap.hpp"

#include <algorithm>
#include <cstring>

namespace tern::text {

namespace {

constexpr std::size_t kMaxKeyBytes = 256;  // published maps stay below 40; bounds the work at each byte of a text

bool ends_key(std::uint32_t unit) {
  return ((unit >> 8) & 1) != 0;
}
std::uint32_t value_of(std::uint32_t unit) {
  return unit & 0x7FFFFFFFU;
}
std::uint32_t label_of(std::uint32_t unit) {
  return unit & 0x800000FFU;
}
std::size_t offset_of(std::uint32_t unit) {
  return static_cast<std::size_t>(unit >> 10) << ((unit & (1U << 9)) >> 6);
}

}  // namespace

Result<CharsMap> CharsMap::make(std::span<const std::uint8_t> bytes) {
  std::uint32_t trie_bytes = 0;
  if (bytes.size() < sizeof trie_bytes) {
    return fail(ErrorCode::bad_input, "the character map has {} bytes, expected at least 4", bytes.size());
  }
  std::memcpy(&trie_bytes, bytes.data(), sizeof trie_bytes);
  bytes = bytes.subspan(sizeof trie_bytes);
  if (trie_bytes > bytes.size() || trie_bytes % 4 != 0 || trie_bytes == 0) {
    return fail(
        ErrorCode::bad_input,
        "the character map says that its trie has {} bytes; expected a multiple of 4 from 4 to the {} bytes that "
        "follow",
        trie_bytes, bytes.size());
  }
  CharsMap map;
  map.units_.resize(trie_bytes / 4);
  std::memcpy(map.units_.data(), bytes.data(), trie_bytes);
  bytes = bytes.subspan(trie_bytes);
  map.replacements_.assign(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (map.replacements_.empty() || map.replacements_.back() != '\0') {
    return fail(ErrorCode::bad_input, "the character map's replacements do not end with a zero byte");
  }
  TERN_TRY_DO(map.check());
  for (std::size_t byte = 0; byte < 128; ++byte) {
    const std::size_t node = offset_of(map.units_[0]) ^ byte;
    map.plain_[byte] = true;
    if (node >= map.units_.size() || label_of(map.units_[node]) != byte) continue;
    const std::uint32_t unit = map.units_[node];
    if (ends_key(unit)) map.plain_[byte] = false;
    for (std::size_t next = 1; next < 128 && map.plain_[byte]; ++next) {
      const std::size_t child = node ^ offset_of(unit) ^ next;
      if (child < map.units_.size() && label_of(map.units_[child]) == next) map.plain_[byte] = false;
    }
  }
  return map;
}

// Walks over the whole trie once, in depth. Units may be shared (equal ends of keys are stored once), but a unit below
// itself would make keys without an end.
Result<void> CharsMap::check() const {
  struct Visit {
    std::size_t unit;
    std::size_t base;          // where the children's labels are added
    std::size_t label = 1;     // of the next child
    std::uint16_t height = 0;  // of the highest child so far, plus one
  };
  constexpr std::uint16_t kNew = 0xFFFF;
  constexpr std::uint16_t kOpen = 0xFFFE;
  std::vector<std::uint16_t> heights(units_.size(), kNew);  // letters below a unit, once it is done
  const auto base_of = [&](std::size_t unit) { return unit ^ offset_of(units_[unit]); };
  std::vector<Visit> open = {{.unit = 0, .base = base_of(0)}};
  heights[0] = kOpen;
  while (!open.empty()) {
    Visit& here = open.back();
    if (here.base >= units_.size()) {
      return fail(ErrorCode::bad_input, "the character map's trie points to unit {}, but it has {}", here.base,
                  units_.size());
    }
    if (here.label == 256) {
      heights[here.unit] = here.height;
      const auto height = static_cast<std::uint16_t>(here.height + 1);
      open.pop_back();
      if (height > kMaxKeyBytes + 1) {
        return fail(ErrorCode::bad_input, "the character map has a key of more than {} bytes", kMaxKeyBytes);
      }
      if (!open.empty()) open.back().height = std::max(open.back().height, height);
      continue;
    }
    const std::size_t label = here.label++;
    const std::size_t at = here.base ^ label;
    if (at >= units_.size() || label_of(units_[at]) != label) continue;
    if (heights[at] == kOpen) {
      return fail(ErrorCode::bad_input, "the character map's trie leads from unit {} back to itself: it is damaged",
                  at);
    }
    if (heights[at] != kNew) {
      here.height = std::max(here.height, static_cast<std::uint16_t>(heights[at] + 1));
      continue;
    }
    const std::size_t base = base_of(at);
    if (ends_key(units_[at]) && (base >= units_.size() || value_of(units_[base]) >= replacements_.size())) {
      return fail(ErrorCode::bad_input, "the character map's unit {} leads to no replacement", at);
    }
    heights[at] = kOpen;
    open.push_back({.unit = at, .base = base});
    if (open.size() > kMaxKeyBytes + 1) {
      return fail(ErrorCode::bad_input, "the character map has a key of more than {} bytes", kMaxKeyBytes);
    }
  }
  return {};
}

std::optional<CharsMap::Match> CharsMap::find(std::string_view text, bool first) const {
  std::optional<Match> best;
  std::size_t node = offset_of(units_[0]);
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte == 0) break;
    node ^= byte;
    if (node >= units_.size() || label_of(units_[node]) != byte) break;
    const std::uint32_t unit = units_[node];
    node ^= offset_of(unit);
    if (!ends_key(unit)) continue;
    best = Match{i + 1, replacements_.c_str() + value_of(units_[node])};
    if (first) break;
  }
  return best;
}

}  // namespace tern::text
