// A model split into several GGUF files: their names, the keys that place a file among the others, and which tensors go
// into which. Pure arithmetic and text: reading is GgufFile's, writing GgufSetWriter's.
// The first part has all metadata; the others have these keys and tensors alone. Source: llama.cpp's gguf-split.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "files/gguf_layout.hpp"
#include "files/metadata.hpp"

namespace tern::files {

inline constexpr std::string_view kSplitNo = "split.no";                  // uint16, from 0
inline constexpr std::string_view kSplitCount = "split.count";            // uint16
inline constexpr std::string_view kSplitTensors = "split.tensors.count";  // int32, of all parts together
inline constexpr std::uint64_t kMaxParts = 65535;

/// Where a file stands among the parts of its model. A whole file is part 0 of 1.
struct SplitPlace {
  std::uint32_t no = 0;  // from 0
  std::uint32_t count = 1;
  std::optional<std::uint64_t> n_tensors;  // of all parts together, where the file says so
};

/// Errors: bad_input for a count or number that cannot be. A count of 0 or 1 (a model that was joined) is a whole file.
[[nodiscard]] Result<SplitPlace> split_place(const Metadata& metadata);
/// Takes the three keys away.
void erase_split_keys(Metadata& metadata);

/// PREFIX-00002-of-00003.gguf for no 1 of 3.
[[nodiscard]] std::string split_path(std::string_view prefix, std::size_t no, std::size_t count);

struct SplitName {
  std::string prefix;
  std::uint32_t no = 0;  // from 0
  std::uint32_t count = 0;
};
/// What a path's name says; nullopt where it is not of that form.
[[nodiscard]] std::optional<SplitName> split_name(std::string_view path);

/// How to divide tensors, in their order. With neither limit: 128 tensors a part.
struct SplitRule {
  std::optional<std::uint64_t> max_tensors = {};  // of a part; at least 1
  std::optional<std::uint64_t> max_bytes = {};  // of a part's tensors, each padded to 32 bytes; metadata does not count
  bool no_tensor_in_first = false;              // the first part has metadata alone
};

/// How many tensors each part gets. A tensor larger than max_bytes gets a part of its own. Errors: usage for a limit of
/// 0, both limits, or more than 65,535 parts.
[[nodiscard]] Result<std::vector<std::size_t>> group_tensors(std::span<const PlannedTensor> tensors,
                                                             const SplitRule& rule);

/// A file still to be written.
struct PlannedPart {
  std::string path;
  GgufLayout layout;
};

/// The parts of a model: paths by split_path, `whole`'s metadata in the first, its tensors in order. Requires: the
/// counts add up to whole.tensors().size(). Errors: usage for more than 65,535 parts.
[[nodiscard]] Result<std::vector<PlannedPart>> split_layout(const GgufLayout& whole,
                                                            std::span<const std::size_t> tensors_per_part,
                                                            std::string_view prefix);

}  // namespace tern::files
