// A made-up benchmark: two rows, one of each kind.
#pragma once

#include "lab/bench.hpp"

namespace tern::test {

inline lab::BenchRow bench_row(const lab::BenchTest& test, const std::vector<double>& rates) {
  lab::BenchRow row;
  row.test = test;
  row.rates = rates;
  row.speed = stats::summarise(rates);
  row.cost.n_tokens = test.n_tokens();
  row.cost.n_steps = 1;
  row.cost.bytes = 1e6 * static_cast<double>(test.n_tokens());
  row.cost.products = {{.peak = "maddubs16", .n = 4e6 * static_cast<double>(test.n_tokens())}};
  return row;
}

inline lab::BenchResult bench_result() {
  lab::BenchResult result;
  result.version = "tern 0";
  result.cpu = "Some Processor";
  result.n_cores = 2;
  result.model = "folder/model.gguf";
  result.architecture = "bitnet";
  result.file_bytes = 1'200'000'000;
  result.loads = {{.isa = "avx2", .seconds = 0.5}};
  result.peak_resident_bytes = 1'300'000'000;
  result.n_batch = 256;
  result.limits = {{.quantity = "read_huge", .n_threads = 2, .value = 20.0},
                   {.quantity = "maddubs16", .n_threads = 2, .value = std::nullopt}};
  result.rows.push_back(bench_row({.n_prompt = 128, .n_threads = 2, .isa = "avx2"}, {200.0, 210.0, 190.0}));
  result.rows.push_back(
      bench_row({.n_gen = 32, .n_depth = 64, .n_sequences = 2, .n_threads = 2, .isa = "avx2"}, {25.0, 24.0, 26.0}));
  result.rows[1].judged = {.percent = 80.0, .limit = "read_huge", .from_cache = false};
  result.rows[1].disturbed = 1;
  return result;
}

}  // namespace tern::test
