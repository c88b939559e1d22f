// The three ways to show a benchmark of one matrix product (bench_matmul.hpp).
#include <fmt/format.h>

#include <algorithm>

#include "lab/bench_json.hpp"
#include "lab/bench_matmul.hpp"
#include "lab/bench_report.hpp"
#include "report/number.hpp"
#include "report/table.hpp"

namespace tern::lab {

using Json = nlohmann::ordered_json;

Json to_json(const MatmulResult& result) {
  Json out{{"version", result.version},
           {"cpu", result.cpu},
           {"cores", result.n_cores},
           {"n_rows", result.shape.n_rows},
           {"n_cols", result.shape.n_cols},
           {"k", result.shape.k},
           {"limits", limits_json(result.limits)},
           {"rows", Json::array()}};
  for (const MatmulRow& row : result.rows) {
    out["rows"].push_back({{"type", row.type->name},
                           {"n_threads", row.n_threads},
                           {"isa", row.isa},
                           {"gigamacs_per_second", row.speed.median},
                           {"min", row.speed.min},
                           {"max", row.speed.max},
                           {"repetitions", row.rates},
                           {"disturbed", row.disturbed},
                           {"gigabytes_per_second", row.gigabytes_per_second},
                           {"ratio_to_f32", row.ratio_to_f32},
                           {"percent_of_limit", percent_json(row.judged)},
                           {"limit", limit_json(row.judged)},
                           {"ratio_to_16_bit_sums",
                            row.judged.ratio_to_16_bit_sums ? Json(*row.judged.ratio_to_16_bit_sums) : Json(nullptr)}});
  }
  return out;
}

std::string to_markdown(const MatmulResult& result) {
  report::Table table{.columns = {{"type", report::Align::left},
                                  {"isa", report::Align::left},
                                  {"threads"},
                                  {"GMAC/s [min, max]"},
                                  {"against F32"},
                                  {"% of limit"},
                                  {"limit", report::Align::left},
                                  {"GB/s"}},
                      .rows = {}};
  const bool any_disturbed = std::ranges::any_of(result.rows, [](const MatmulRow& row) { return row.disturbed > 0; });
  if (any_disturbed) table.columns.push_back({"disturbed"});
  for (const MatmulRow& row : result.rows) {
    std::vector<report::Cell> cells{std::string(row.type->name),      row.isa,
                                    fmt::format("{}", row.n_threads), speed_text(row.speed),
                                    report::ratio(row.ratio_to_f32),  percent_text(row.judged),
                                    limit_text(row.judged),           report::fixed(row.gigabytes_per_second, 1)};
    if (any_disturbed) cells.emplace_back(fmt::format("{} of {}", row.disturbed, row.rates.size()));
    table.add(std::move(cells));
  }
  return fmt::format("a weight of {} rows x {}, times {} {}\n\n{}\n\n", result.shape.n_rows, result.shape.k,
                     result.shape.n_cols, result.shape.n_cols == 1 ? "column" : "columns",
                     processor_text(result.cpu, result.n_cores)) +
         report::to_markdown(table) + limits_markdown(result.limits);
}

std::string to_csv(const MatmulResult& result) {
  report::Table table;
  for (const char* name : {"type", "n_threads", "isa", "gigamacs_per_second", "min", "max", "disturbed",
                           "gigabytes_per_second", "ratio_to_f32", "percent_of_limit", "limit"}) {
    table.columns.push_back({name});
  }
  const auto number = [](double value) { return report::Cell("", report::Tone::plain, value); };
  for (const MatmulRow& row : result.rows) {
    table.add({std::string(row.type->name), fmt::format("{}", row.n_threads), row.isa, number(row.speed.median),
               number(row.speed.min), number(row.speed.max), fmt::format("{}", row.disturbed),
               number(row.gigabytes_per_second), number(row.ratio_to_f32),
               row.judged.percent ? number(*row.judged.percent) : report::Cell(""), row.judged.limit});
  }
  return report::to_csv(table);
}

}  // namespace tern::lab
