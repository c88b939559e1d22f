// What a benchmark measures: the combinations of the lists that it was given, each a test with a name. No clock, no
// model. The names are llama-bench's: pp is reading a prompt, tg generating.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.hpp"

namespace tern::lab {

/// One thing that is timed: either n_prompt or n_gen is above 0. Counts are for each sequence.
struct BenchTest {
  std::int64_t n_prompt = 0;
  std::int64_t n_gen = 0;
  std::int64_t n_depth = 0;  // positions that are in the context before the clock starts
  int n_sequences = 1;       // that run side by side
  int n_threads = 1;
  std::string isa;

  [[nodiscard]] bool generates() const { return n_gen > 0; }
  /// Positions that each sequence needs.
  [[nodiscard]] std::int64_t n_ctx() const { return n_depth + n_prompt + n_gen; }
  /// Tokens that are timed, over all sequences.
  [[nodiscard]] std::int64_t n_tokens() const { return (n_prompt + n_gen) * n_sequences; }

  bool operator==(const BenchTest&) const = default;
};

struct BenchLists {
  std::vector<std::int64_t> prompts;      // 0: none
  std::vector<std::int64_t> generations;  // 0: none
  std::vector<std::int64_t> depths{0};
  std::vector<int> sequences{1};
  std::vector<int> threads{1};
  std::vector<std::string> isas;
};

/// Every combination: instruction sets outermost, then threads, depths, sequences; prompts before generations.
[[nodiscard]] std::vector<BenchTest> plan_of(const BenchLists& lists);

/// The instruction sets that these names stand for, each once ("" is the best, "AVX2" is avx2). Errors: those of
/// kernels::choose.
[[nodiscard]] Result<std::vector<std::string>> distinct_isas(const std::vector<std::string>& names);

/// "pp512", "tg128", "tg32 @ d4096 x 4".
[[nodiscard]] std::string test_name(const BenchTest& test);

}  // namespace tern::lab
