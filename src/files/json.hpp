// JSON from outside, parsed without exceptions: depth, number of values and duplicate keys are checked while parsing,
// so no text can overflow the stack or make us take more than a small multiple of its own size.
#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <span>
#include <string_view>

#include "base/error.hpp"

namespace tern::files {

inline constexpr int kMaxJsonDepth = 64;
inline constexpr std::size_t kMaxJsonValues = std::size_t{1} << 23;

struct JsonLimits {
  std::size_t max_bytes = static_cast<std::size_t>(-1);
  int max_depth = kMaxJsonDepth;
};

/// Parses a whole text (UTF-8). `what` (a path) begins the error message. Errors: bad_input.
[[nodiscard]] Result<nlohmann::json> parse_json(std::span<const std::byte> text, std::string_view what,
                                                const JsonLimits& limits = {});

}  // namespace tern::files
