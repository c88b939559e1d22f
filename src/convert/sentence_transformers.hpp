// How an embedding model's folder says what becomes of its tokens' vectors (the convention of the library
// sentence-transformers): modules.json lists the parts, the part of type Pooling has a config.json of its own.
#pragma once

#include <string>

#include "base/error.hpp"
#include "models/plan.hpp"

namespace tern::convert {

/// none where the folder has no modules.json, or a list without pooling. Errors: a pooling that Tern does not have, a
/// list that is not understood, a part outside the folder.
[[nodiscard]] Result<models::Pooling> read_pooling(const std::string& folder);

}  // namespace tern::convert
