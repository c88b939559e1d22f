// The machine's limits as the rooms below want them: bench/limits, which knows nothing of Tern, behind a function.
#pragma once

#include "lab/bench_limits.hpp"

namespace tern::cli {

/// Errors: usage for what is no number from 0 to `most`.
[[nodiscard]] Result<void> check_limit_seconds(double seconds, double most);

/// Measures each quantity for about that many seconds; an empty function for 0.
[[nodiscard]] lab::MeasureLimit machine_limits(double seconds);

}  // namespace tern::cli
