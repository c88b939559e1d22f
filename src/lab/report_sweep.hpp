// A sweep for people: one table in the terminal, one page in the browser. Shows what sweep.hpp measured and what
// sweep_verdict.hpp made of it; decides nothing.
#pragma once

#include <string>

#include "lab/sweep.hpp"
#include "lab/sweep_verdict.hpp"
#include "report/table.hpp"

namespace tern::lab {

/// A row per format: size, perplexity and its difference on each text, memory, speeds.
[[nodiscard]] report::Table sweep_table(const SweepResult& result);

/// The table, what its marks mean, the verdict and the warnings.
[[nodiscard]] std::string sweep_text(const SweepResult& result, const Verdict& verdict, bool colour);

/// One HTML page without references to anything outside. `command` is shown as it was typed, `made` says by what and
/// when.
[[nodiscard]] std::string sweep_page(const SweepResult& result, const Verdict& verdict, const std::string& command,
                                     const std::string& made);

/// How figures read, shared by both: "57.14", "+0.0123", "1,234".
[[nodiscard]] std::string perplexity_text(double value);
[[nodiscard]] std::string delta_text(const TextScore& score);
[[nodiscard]] std::string speed_text(const std::vector<double>& rounds);
[[nodiscard]] std::string short_name(const std::string& file_name);

}  // namespace tern::lab
