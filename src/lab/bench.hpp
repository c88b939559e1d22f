// How fast a model runs on this machine, and how near that is to what the machine can do: every combination of prompt
// lengths, generations, depths, sequences, threads and instruction sets, each warmed up once, then repeated in turns,
// between two measurements of the machine's limits. Not a judgement of quality (sweep.hpp).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/progress.hpp"
#include "engine/kv_cache.hpp"
#include "engine/model.hpp"
#include "lab/bench_cost.hpp"
#include "lab/bench_limits.hpp"
#include "lab/bench_operations.hpp"
#include "lab/bench_plan.hpp"
#include "stats/summary.hpp"

namespace tern::lab {

struct BenchOptions {
  std::string model;
  BenchLists lists;  // isas: names; "" is the best this machine has (or TERN_ISA)
  int repetitions = 5;
  std::int64_t n_batch = 0;  // 0: the engine's own
  engine::CacheFormats cache = {};
  engine::Pages pages = engine::Pages::automatic;
  bool operations = false;             // where the time of each test goes
  MeasureLimit measure_limit = {};     // empty: no percentages
  std::uint64_t last_level_cache = 0;  // bytes; 0: not known
  std::string version;                 // of the program
};

/// A row beside the same row of an earlier run.
struct BenchComparison {
  double ratio = 0.0;                    // of the medians: above 1 is faster than before
  std::optional<double> ratio_of_limit;  // of the percentages: what is left when the machine's own speed is taken out
  bool within_spread = false;            // the ranges [min, max] overlap
};

struct BenchRow {
  BenchTest test;
  std::vector<double> rates;  // tokens per second of each repetition
  stats::Summary speed;       // of the rates
  int disturbed = 0;          // repetitions during which others had the processor, after all retries
  BenchCost cost;
  Judgement judged;
  std::optional<BenchComparison> against;
  std::vector<OperationRow> operations;  // of runs of their own; empty where they were not asked for

  [[nodiscard]] double seconds() const { return static_cast<double>(cost.n_tokens) / speed.median; }
  [[nodiscard]] double gigabytes_per_second() const { return cost.bytes / seconds() * 1e-9; }
  [[nodiscard]] double gigamacs_per_second() const { return cost.n_products() / seconds() * 1e-9; }
};

struct BenchResult {
  struct Load {
    std::string isa;
    double seconds = 0.0;
  };
  std::string version;
  std::string cpu;
  int n_cores = 0;
  std::string model;  // path
  std::string architecture;
  std::uint64_t file_bytes = 0;
  std::vector<Load> loads;
  /// Of the whole process with the first instruction set and the first number of threads, after all its tests ran.
  std::uint64_t peak_resident_bytes = 0;
  std::int64_t n_batch = 0;
  engine::CacheFormats cache;
  engine::Pages pages = engine::Pages::mapped;  // of the first instruction set's model
  std::uint64_t huge_bytes = 0;                 // of its weights, what really lies in 2 MiB pages
  std::vector<Limit> limits;
  std::vector<BenchRow> rows;
  std::string against;  // the file that was compared with; "" for none
};

/// Errors: those of engine::Model::load and of sessions; usage when there is nothing to measure; cancelled.
[[nodiscard]] Result<BenchResult> bench(const BenchOptions& options, Progress& progress);

/// Errors: internal for a row above 100 % of its limit. To be asked when the result was shown.
[[nodiscard]] Result<void> check(const BenchResult& result);

}  // namespace tern::lab
