// A benchmark beside an earlier one that was kept as JSON: rows are matched by what was run, never by their place.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lab/bench.hpp"

namespace tern::lab {

struct OldBench {
  struct Row {
    BenchTest test;
    double median = 0.0;
    double min = 0.0;
    double max = 0.0;
    std::optional<double> percent;
  };
  std::string name;  // of the file
  std::string cpu;
  std::string model;
  std::uint64_t file_bytes = 0;
  std::map<std::string, std::string> settings;  // of the run, as its JSON spells them; those that it has
  std::vector<Row> rows;
};

/// Reads what bench_json.hpp wrote. `name` begins an error's line. Errors: bad_input.
[[nodiscard]] Result<OldBench> old_bench(std::span<const std::byte> json, std::string name);
/// The same from a file. Errors: those of reading it too.
[[nodiscard]] Result<OldBench> read_old_bench(const std::string& path);

/// Fills in `against` of every row that the old one has too. Another processor or model is said in a note.
void compare(BenchResult& result, const OldBench& old, Progress& progress);

}  // namespace tern::lab
