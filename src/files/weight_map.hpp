// The index of a checkpoint in several files (model.safetensors.index.json): which shard holds which tensor.
#pragma once

#include <cstddef>
#include <map>
#include <span>
#include <string>

#include "base/error.hpp"

namespace tern::files {

/// Tensor name -> name of a file beside the index. `what` (a path) begins the error messages. Errors: bad_input for no
/// or an empty "weight_map", and for a shard that is not the plain name of a file.
[[nodiscard]] Result<std::map<std::string, std::string>> parse_weight_map(std::span<const std::byte> text,
                                                                          const std::string& what);

}  // namespace tern::files
