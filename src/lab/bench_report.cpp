// Implementation of bench_report.hpp.
#include "lab/bench_report.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/words.hpp"
#include "report/number.hpp"
#include "report/table.hpp"
#include "sys/path.hpp"

namespace tern::lab {
namespace {

using report::Align;
using report::Cell;

Cell number(double value) {
  return {fmt::format("{}", value), report::Tone::plain, value};
}

Cell number(const std::optional<double>& value) {
  return value ? number(*value) : Cell("");
}

std::string file_name(const std::string& path) {
  return printable(sys::file_name_of(path), 200);
}

std::string against_text(const std::optional<BenchComparison>& against) {
  if (!against) return std::string(report::kNoNumber);
  return report::ratio(against->ratio) + (against->within_spread ? " (within spread)" : "");
}

std::string head_of(const BenchResult& result) {
  std::string loads;
  for (const BenchResult::Load& load : result.loads) {
    loads += fmt::format("{}{} ({})", loads.empty() ? "" : ", ", report::seconds(load.seconds), load.isa);
  }
  return fmt::format(
      "{}: {}, {}; {}; loaded in {}; peak memory {}\n\n{}; steps of at most {} tokens; keys in {}, "
      "values in "
      "{}\n\n",
      file_name(result.model), result.architecture, human_bytes(result.file_bytes),
      result.pages == engine::Pages::huge
          ? fmt::format("{} of weights in pages of 2 MiB", human_bytes(result.huge_bytes))
          : "weights mapped",
      loads, human_bytes(result.peak_resident_bytes), processor_text(result.cpu, result.n_cores), result.n_batch,
      result.cache.keys->name, result.cache.values->name);
}

std::string operations_markdown(const BenchRow& row) {
  if (row.operations.empty()) return "";
  double whole = 0.0;
  for (const OperationRow& operation : row.operations) whole += operation.seconds;
  report::Table table{.columns = {{"operation", Align::left},
                                  {"count"},
                                  {"ms a step"},
                                  {"share"},
                                  {"% of limit"},
                                  {"limit", Align::left},
                                  {"GB/s"},
                                  {"GMAC/s"}},
                      .rows = {}};
  const auto n_steps = static_cast<double>(row.cost.n_steps);
  for (const OperationRow& operation : row.operations) {
    const bool is_counted = operation.cost.bytes > 0.0;
    const std::string none(report::kNoNumber);
    table.add({operation.name, fmt::format("{}", operation.n_operations),
               report::fixed(1e3 * operation.seconds / n_steps, 3),
               fmt::format("{} %", report::fixed(100.0 * operation.seconds / whole, 1)), percent_text(operation.judged),
               limit_text(operation.judged), is_counted ? report::fixed(operation.gigabytes_per_second(), 1) : none,
               is_counted ? report::fixed(operation.gigamacs_per_second(), 1) : none});
  }
  return fmt::format("\nWhere the time goes: {}, {}, {} {}, {} {} (the fastest of three further runs)\n\n",
                     test_name(row.test), row.test.isa, row.test.n_threads,
                     row.test.n_threads == 1 ? "thread" : "threads", row.cost.n_steps,
                     row.cost.n_steps == 1 ? "step" : "steps") +
         report::to_markdown(table);
}

}  // namespace

std::string speed_text(const stats::Summary& speed) {
  const int decimals = speed.median < 100.0 ? 2 : 1;
  return fmt::format("{} [{}, {}]", report::fixed(speed.median, decimals), report::fixed(speed.min, decimals),
                     report::fixed(speed.max, decimals));
}

std::string percent_text(const Judgement& judged) {
  return judged.percent ? report::fixed(*judged.percent, 1) : std::string(report::kNoNumber);
}

std::string limit_text(const Judgement& judged) {
  if (judged.limit.empty()) return std::string(report::kNoNumber);
  if (!judged.ratio_to_16_bit_sums) return judged.limit;
  return fmt::format("{} ({} of 16-bit sums)", judged.limit, report::ratio(*judged.ratio_to_16_bit_sums));
}

std::string processor_text(const std::string& cpu, int n_cores) {
  return fmt::format("{}, {} usable {}", printable(cpu, 100), n_cores, n_cores == 1 ? "core" : "cores");
}

std::string limits_markdown(std::span<const Limit> limits) {
  report::Table table{
      .columns = {{"limit of this machine", Align::left}, {"threads"}, {"value"}, {"unit", Align::left}}, .rows = {}};
  for (const Limit& limit : limits) {
    if (!limit.value) continue;
    table.add({limit.quantity, fmt::format("{}", limit.n_threads), report::fixed(*limit.value, 1),
               std::string(limit.unit())});
  }
  return table.rows.empty() ? "" : "\n" + report::to_markdown(table);
}

std::string to_markdown(const BenchResult& result) {
  report::Table table{.columns = {{"test", Align::left},
                                  {"isa", Align::left},
                                  {"threads"},
                                  {"tokens/s [min, max]"},
                                  {"% of limit"},
                                  {"limit", Align::left},
                                  {"GB/s"},
                                  {"GMAC/s"},
                                  {"MB/token"}},
                      .rows = {}};
  if (!result.against.empty()) table.columns.push_back({"against " + file_name(result.against)});
  const bool any_disturbed = std::ranges::any_of(result.rows, [](const BenchRow& row) { return row.disturbed > 0; });
  if (any_disturbed) table.columns.push_back({"disturbed"});
  for (const BenchRow& row : result.rows) {
    std::vector<Cell> cells{test_name(row.test),
                            row.test.isa,
                            fmt::format("{}", row.test.n_threads),
                            speed_text(row.speed),
                            percent_text(row.judged),
                            limit_text(row.judged),
                            report::fixed(row.gigabytes_per_second(), 1),
                            report::fixed(row.gigamacs_per_second(), 1),
                            report::significant(row.cost.bytes_per_token() * 1e-6, 4)};
    if (!result.against.empty()) cells.emplace_back(against_text(row.against));
    if (any_disturbed) cells.emplace_back(fmt::format("{} of {}", row.disturbed, row.rates.size()));
    table.add(std::move(cells));
  }
  std::string operations;
  for (const BenchRow& row : result.rows) operations += operations_markdown(row);
  return head_of(result) + report::to_markdown(table) + operations + limits_markdown(result.limits);
}

std::string to_csv(const BenchResult& result) {
  report::Table table;
  for (const char* name :
       {"n_prompt", "n_gen", "n_depth", "n_sequences", "n_threads", "isa", "tokens_per_second", "min", "max",
        "disturbed", "bytes_per_token", "gigabytes_per_second", "gigamacs_per_second", "percent_of_limit", "limit"}) {
    table.columns.push_back({name});
  }
  const bool compared = !result.against.empty();
  if (compared) {
    for (const char* name : {"ratio", "ratio_of_limit", "within_spread"}) table.columns.push_back({name});
  }
  for (const BenchRow& row : result.rows) {
    std::vector<Cell> cells;
    for (const std::int64_t count :
         {row.test.n_prompt, row.test.n_gen, row.test.n_depth, static_cast<std::int64_t>(row.test.n_sequences),
          static_cast<std::int64_t>(row.test.n_threads)}) {
      cells.emplace_back(fmt::format("{}", count));
    }
    cells.emplace_back(row.test.isa);
    for (const double value : {row.speed.median, row.speed.min, row.speed.max}) cells.push_back(number(value));
    cells.emplace_back(fmt::format("{}", row.disturbed));
    for (const double value : {row.cost.bytes_per_token(), row.gigabytes_per_second(), row.gigamacs_per_second()}) {
      cells.push_back(number(value));
    }
    cells.push_back(number(row.judged.percent));
    cells.emplace_back(row.judged.limit);
    if (compared) {
      const auto& against = row.against;
      cells.push_back(number(against ? std::optional(against->ratio) : std::nullopt));
      cells.push_back(number(against ? against->ratio_of_limit : std::nullopt));
      cells.emplace_back(!against ? "" : against->within_spread ? "true" : "false");
    }
    table.add(std::move(cells));
  }
  return report::to_csv(table);
}

}  // namespace tern::lab
