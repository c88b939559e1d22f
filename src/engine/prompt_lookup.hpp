// Guesses what comes next from the text itself: where its last tokens stood before, what followed there may follow
// again. (Prompt lookup decoding, A. Saxena 2023; the idea of copying from a reference is LLMA's, arXiv 2304.04487.)
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace tern::engine {

/// `n_most` tokens: those behind the place where the longest run of the last tokens of `ids` stands once more, 2 to 4
/// of them, the latest such place. Where that place is so near that the text ends first, its guessed continuation is
/// read on, so that a text that goes round in circles is followed. Empty where there is no such place. Takes time in
/// proportion to `ids`.
[[nodiscard]] std::vector<std::int32_t> prompt_lookup(std::span<const std::int32_t> ids, std::size_t n_most);

}  // namespace tern::engine
