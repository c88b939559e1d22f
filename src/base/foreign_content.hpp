// Content that often stands where a model should be: what came instead of the file. Known by its first bytes.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace tern {

/// What the content is and what to do, to stand after "is ": "a Git LFS pointer, not the file itself: ...". Empty where
/// it is nothing of the kind.
[[nodiscard]] std::string_view foreign_content(std::span<const std::byte> bytes);

}  // namespace tern
