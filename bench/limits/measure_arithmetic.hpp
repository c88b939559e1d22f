// Multiplying, adding and looking up in registers as fast as it goes: one loop, each thread with operands and
// accumulators of its own.
#pragma once

#include <expected>
#include <string>

#include "arithmetic_loops.hpp"
#include "cpu.hpp"
#include "limits.hpp"

namespace limits {

std::expected<Measured, std::string> measure_arithmetic(const ArithmeticLoop& loop, int n_threads,
                                                        const Options& options);

template <const ArithmeticLoop& kLoop>
std::expected<Measured, std::string> measure_arithmetic(const Cpu&, int n_threads, const Options& options) {
  return measure_arithmetic(kLoop, n_threads, options);
}

}  // namespace limits
