// The machine's limits as the rooms below want them: bench/limits, which knows nothing of Tern, behind a function.
#pragma once

#include "lab/bench_limits.hpp"

namespace tern::cli {

/// Measures each quantity for about that many seconds; an empty function for 0.
[[nodiscard]] lab::MeasureLimit machine_limits(double seconds);

}  // namespace tern::cli
