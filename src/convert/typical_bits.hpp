// How many bits a weight takes in a mixture, as a figure for help texts: the choice of types tried on the names and
// shapes of LLaMA-3-8B. What a file at hand takes is known only from that file.
#pragma once

#include "convert/mixtures.hpp"

namespace tern::convert {

/// Norms left out.
[[nodiscard]] double typical_bits_per_weight(const Mixture& mixture);

}  // namespace tern::convert
