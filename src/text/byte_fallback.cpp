#include "text/byte_fallback.hpp"

#include <algorithm>

#include "text/hex_digit.hpp"

namespace tern::text {

std::optional<unsigned char> byte_of_name(std::string_view name) {
  if (name.size() != 6 || !name.starts_with("<0x") || name[5] != '>') return std::nullopt;
  const int high = hex_digit(name[3]);
  const int low = hex_digit(name[4]);
  if (high < 0 || low < 0) return std::nullopt;
  return static_cast<unsigned char>(high * 16 + low);
}

Result<void> ByteFallback::add(std::size_t id, std::string_view token) {
  const auto byte = byte_of_name(token);
  if (!byte) return fail(ErrorCode::bad_input, "byte token {} is not spelled \"<0xAB>\"", id);
  if (ids_[*byte] < 0) ids_[*byte] = static_cast<std::int32_t>(id);
  return {};
}

Result<bool> ByteFallback::spell(std::string_view character, bool after_unknown, std::vector<std::int32_t>& out) const {
  if (std::ranges::all_of(character, [&](char c) { return id(static_cast<unsigned char>(c)) >= 0; })) {
    for (const char c : character) out.push_back(id(static_cast<unsigned char>(c)));
    return false;
  }
  if (!unknown_) {
    return fail(ErrorCode::bad_input,
                "the text holds byte 0x{:02X}, which this vocabulary cannot spell: it has neither byte tokens nor an "
                "unknown token",
                static_cast<unsigned char>(character[0]));
  }
  if (!after_unknown) out.push_back(*unknown_);
  return true;
}

}  // namespace tern::text
