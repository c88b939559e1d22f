// Reading memory as fast as it goes: all loops of this processor race over one buffer, each burst going on where the
// last one stopped, so that nothing read is still in a cache when its turn comes again.
#pragma once

#include <expected>
#include <string>
#include <vector>

#include "cpu.hpp"
#include "limits.hpp"
#include "read_loops.hpp"
#include "region.hpp"

namespace limits {

/// The loops that a processor can run.
std::vector<NamedReadLoop> read_loops(const Cpu& cpu);

std::expected<Measured, std::string> measure_read(Pages pages, const Cpu& cpu, int n_threads, const Options& options);

template <Pages kPages>
std::expected<Measured, std::string> measure_read(const Cpu& cpu, int n_threads, const Options& options) {
  return measure_read(kPages, cpu, n_threads, options);
}

}  // namespace limits
