#include "cli/machine_limits.hpp"

#include <cmath>

#include "limits/limits.hpp"

namespace tern::cli {

Result<void> check_limit_seconds(double seconds, double most) {
  if (std::isfinite(seconds) && seconds >= 0.0 && seconds <= most) return {};
  return fail(ErrorCode::usage, "--limit-seconds is {:g}, expected 0 to {:g}", seconds, most);
}

lab::MeasureLimit machine_limits(double seconds) {
  if (seconds <= 0.0) return {};
  return [seconds](std::string_view quantity, int n_threads, std::uint64_t buffer_bytes) -> Result<double> {
    limits::Options options;
    options.seconds = seconds;
    options.buffer_bytes = static_cast<std::size_t>(buffer_bytes);
    const auto measured = limits::measure(quantity, n_threads, options);
    if (!measured) return fail(ErrorCode::unsupported, "{}", measured.error());
    return measured->best;
  };
}

}  // namespace tern::cli
