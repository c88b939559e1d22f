// How an embedding model's folder says what becomes of its tokens' vectors (the convention of the library
// sentence-transformers): modules.json lists the parts, the part of type Pooling has a config.json of its own.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "base/error.hpp"
#include "models/plan.hpp"

namespace tern::convert {

/// The folder of the part that pools, by modules.json; "" where no part does. `what` (a path) begins the messages.
/// Errors: a list that is not understood, a part outside the folder, a layer behind the pooling.
[[nodiscard]] Result<std::string> pooling_part(std::span<const std::byte> modules, const std::string& what);
/// What that part's config.json says. Errors: a pooling that Tern does not have, several, or none.
[[nodiscard]] Result<models::Pooling> parse_pooling(std::span<const std::byte> config, const std::string& what);

/// Both, from a folder: none where it has no modules.json, or one without pooling.
[[nodiscard]] Result<models::Pooling> read_pooling(const std::string& folder);

}  // namespace tern::convert
