// How fast one quantised matrix product is beside the same product in F32: no model, a random weight of every format,
// through ops::Matrix as the engine does it, the rounding of the input included. The idea: each product reads another
// copy of its weight, so that weights come from memory as they do in a model, and not from the cache.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/progress.hpp"
#include "formats/format.hpp"
#include "lab/bench_limits.hpp"
#include "stats/summary.hpp"

namespace tern::lab {

/// A weight of n_rows rows of k values, times n_cols columns.
struct MatmulShape {
  std::int64_t n_rows = 0;
  std::int64_t n_cols = 0;
  std::int64_t k = 0;
};
/// "4096x1x4096": rows, columns, length. Errors: usage.
[[nodiscard]] Result<MatmulShape> parse_matmul_shape(std::string_view text);

struct MatmulOptions {
  MatmulShape shape;
  std::vector<const formats::Format*> types;  // F32 is added in front where it is not named
  std::vector<int> threads;
  std::vector<std::string> isas;  // "" is the best
  int repetitions = 5;
  MeasureLimit measure_limit = {};
  std::uint64_t last_level_cache = 0;
  std::string version;
};

struct MatmulRow {
  const formats::Format* type = nullptr;
  std::string isa;
  int n_threads = 1;
  std::vector<double> rates;  // GMAC/s of each repetition
  stats::Summary speed;
  int disturbed = 0;
  double gigabytes_per_second = 0.0;  // of weights
  double ratio_to_f32 = 0.0;          // same threads, same instruction set
  Judgement judged;
};

struct MatmulResult {
  std::string version;
  std::string cpu;
  int n_cores = 0;
  MatmulShape shape;
  std::vector<Limit> limits;
  std::vector<MatmulRow> rows;
};

/// Errors: usage for a shape that a format cannot have; out_of_memory; cancelled; those of kernels::choose.
[[nodiscard]] Result<MatmulResult> bench_matmul(const MatmulOptions& options, Progress& progress);
/// Errors: internal for a row above 100 % of its limit.
[[nodiscard]] Result<void> check(const MatmulResult& result);

[[nodiscard]] nlohmann::ordered_json to_json(const MatmulResult& result);
[[nodiscard]] std::string to_markdown(const MatmulResult& result);
[[nodiscard]] std::string to_csv(const MatmulResult& result);

}  // namespace tern::lab
