// Peak resident memory of a format, measured where it cannot be confused with anything else: in a process of its own
// that loads the model with this embedding, reads a prompt and generates a little.
//
// The two halves: measure_here() is what that process does, child_peak_memory() starts it and reads its answer. The
// process makes the embedding from the file first; the peak is reset after that and the file's own table is let go, so
// that the figure is what a file with this embedding would take, with the whole table in memory.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/progress.hpp"
#include "formats/format.hpp"

namespace tern::lab {

struct MemoryReport {
  std::uint64_t peak_resident = 0;  // bytes (VmHWM)
  bool includes_making_it = false;  // the system did not let the peak be reset: re-encoding is in the figure
};

/// To be called once, early in a fresh process. Errors: those of loading and re-encoding.
[[nodiscard]] Result<MemoryReport> measure_here(const std::string& model, const formats::Format& format, int n_threads,
                                                const std::string& isa);

/// One JSON line, both ways.
[[nodiscard]] std::string to_line(const Result<MemoryReport>& report);
[[nodiscard]] Result<MemoryReport> from_line(std::string_view line);

/// Starts this very program again with `arguments` (without its name) and reads to_line's line from its standard
/// output. Errors: the child's own; internal if it ended without an answer; cancelled (the child is then stopped).
[[nodiscard]] Result<MemoryReport> child_peak_memory(const std::vector<std::string>& arguments,
                                                     const Progress& progress);

}  // namespace tern::lab
