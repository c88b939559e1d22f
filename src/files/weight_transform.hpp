// Weights that are not stored as the model multiplies them: a Hadamard or another rotation must be undone, or matched
// in the activations. Tern does neither yet, and a reader that ignored such a key would compute nonsense.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "files/metadata.hpp"

namespace tern::files {

/// Whether a key, in whatever file, speaks of weights that are stored rotated: "hadamard", "rotation", "quarot" or
/// "spinquant" in it, in any case of letters.
[[nodiscard]] bool names_weight_transform(std::string_view key);

/// The first such key of a GGUF file that is not false, or nullopt.
[[nodiscard]] std::optional<std::string> weight_transform_key(const Metadata& metadata);

/// The refusal, by name; `where` begins the message ("config.json: ").
[[nodiscard]] std::unexpected<Error> refuse_weight_transform(std::string_view where, std::string_view key);

}  // namespace tern::files
