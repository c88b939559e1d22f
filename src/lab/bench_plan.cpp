// Implementation of bench_plan.hpp.
#include "lab/bench_plan.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "kernels/kernels.hpp"

namespace tern::lab {

std::vector<BenchTest> plan_of(const BenchLists& lists) {
  std::vector<BenchTest> tests;
  for (const std::string& isa : lists.isas) {
    for (const int n_threads : lists.threads) {
      for (const std::int64_t n_depth : lists.depths) {
        for (const int n_sequences : lists.sequences) {
          const auto add = [&](std::int64_t n_prompt, std::int64_t n_gen) {
            if (n_prompt + n_gen > 0) tests.push_back({n_prompt, n_gen, n_depth, n_sequences, n_threads, isa});
          };
          for (const std::int64_t n_prompt : lists.prompts) add(n_prompt, 0);
          for (const std::int64_t n_gen : lists.generations) add(0, n_gen);
        }
      }
    }
  }
  return tests;
}

Result<std::vector<std::string>> distinct_isas(const std::vector<std::string>& names) {
  std::vector<std::string> once;
  for (const std::string& name : names) {
    TERN_TRY(const kernels::Kernels chosen, kernels::choose(name));
    if (std::ranges::find(once, chosen.isa) == once.end()) once.emplace_back(chosen.isa);
  }
  return once;
}

std::string test_name(const BenchTest& test) {
  std::string name = test.generates() ? fmt::format("tg{}", test.n_gen) : fmt::format("pp{}", test.n_prompt);
  if (test.n_depth > 0) name += fmt::format(" @ d{}", test.n_depth);
  if (test.n_sequences > 1) name += fmt::format(" x {}", test.n_sequences);
  return name;
}

}  // namespace tern::lab
