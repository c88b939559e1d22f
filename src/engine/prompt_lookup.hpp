// Guesses what comes next from the text itself: where its last tokens stood before, what followed there may follow
// again. (Prompt lookup decoding, A. Saxena 2023; the idea of copying from a reference is LLMA's, arXiv 2304.04487.)
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace tern::engine {

/// At most `n_most` tokens, a part of `ids`: those behind the place where the longest run of its last tokens stands
/// once more, 2 to 4 of them; the latest such place. Empty where there is none. Takes time in proportion to `ids`.
[[nodiscard]] std::span<const std::int32_t> prompt_lookup(std::span<const std::int32_t> ids, std::size_t n_most);

}  // namespace tern::engine
