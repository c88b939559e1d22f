// A benchmark for people (Markdown, which is readable as it is) and for spreadsheets (CSV).
#pragma once

#include <span>
#include <string>

#include "lab/bench.hpp"

namespace tern::lab {

/// Machine and model in a few lines, the table of the tests, the table of the limits.
[[nodiscard]] std::string to_markdown(const BenchResult& result);

/// The rows alone, under the names of the JSON members; what is missing is empty.
[[nodiscard]] std::string to_csv(const BenchResult& result);

/// "" where there are none; else an empty line and a table.
[[nodiscard]] std::string limits_markdown(std::span<const Limit> limits);

/// Cells of a row: the percentage and the quantity that binds, "n/a" where it is not known.
[[nodiscard]] std::string percent_text(const Judgement& judged);
[[nodiscard]] std::string limit_text(const Judgement& judged);

/// "Some Processor, 2 usable cores".
[[nodiscard]] std::string processor_text(const std::string& cpu, int n_cores);

/// "21.5 [21.3, 21.6]": median and range with the digits that a speed deserves.
[[nodiscard]] std::string speed_text(const stats::Summary& speed);

}  // namespace tern::lab
