// What --tensor-type and --tensor-type-file say: a format for every tensor whose name a regular expression finds.
// The first of several that match counts, those of the command line before those of files.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "convert/name_pattern.hpp"
#include "formats/format.hpp"

namespace tern::convert {

struct TensorType {
  NamePattern pattern;
  const formats::Format* format = nullptr;
};

inline constexpr std::size_t kMaxTensorTypes = 4096;
inline constexpr std::size_t kMaxTensorTypeFileBytes = std::size_t{1} << 20;

/// "REGEX=FORMAT", split at the last '='. Errors: usage, with the text quoted.
[[nodiscard]] Result<TensorType> parse_tensor_type(std::string_view text);

/// A file of such words, separated by white space; '#' at the start of a word makes the rest of the line a comment.
/// Appends to `types`. Errors name the file and the line: those of parse_tensor_type, a file that is too large, holds
/// zero bytes or nothing.
[[nodiscard]] Result<void> read_tensor_types(const std::string& path, std::vector<TensorType>& types);

/// The format of the first pattern found in the name; null for none.
[[nodiscard]] Result<const formats::Format*> type_for(std::span<const TensorType> types, std::string_view name);

}  // namespace tern::convert
