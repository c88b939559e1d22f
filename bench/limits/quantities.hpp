// The table of everything that can be measured, and measuring with a processor that is said to have this or that
// (tests).
#pragma once

#include <expected>
#include <span>
#include <string>
#include <string_view>

#include "cpu.hpp"
#include "limits.hpp"

namespace limits {

using Measure = std::expected<Measured, std::string> (*)(const Cpu& cpu, int n_threads, const Options& options);

struct Entry {
  std::string_view id, name, unit;
  Isa needs;
  Measure measure;
};

std::span<const Entry> table();

/// measure() of limits.hpp on a processor that has what cpu says and no more.
std::expected<Measured, std::string> measure_on(const Cpu& cpu, std::string_view id, int n_threads,
                                                const Options& options);

}  // namespace limits
