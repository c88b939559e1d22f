// A text in, its vector out, with a model that ends in pooling.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "engine/session.hpp"

namespace tern::engine {

/// The ids of a text as its embedding model was trained to see it: BOS in front and EOS behind where the vocabulary
/// adds them. Errors: no tokenizer; a text that makes no token at all.
[[nodiscard]] Result<std::vector<std::int32_t>> embedding_ids(const Model& model, std::string_view text);

/// Runs the ids as sequence 0 from its beginning; returns the pooled vector [embedding_width], not normalised. Requires
/// a model that ends in pooling. Errors: usage when the text is longer than the context (both numbers are named).
[[nodiscard]] Result<std::vector<float>> embed(Session& session, std::span<const std::int32_t> ids);

}  // namespace tern::engine
