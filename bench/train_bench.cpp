// One optimiser step of the reference shape (3.7 million parameters, 32 sequences of 256 tokens) in float and with
// quantised weights, and the peak of OpenBLAS on the step's own shapes in the same process, all taking turns. One
// repetition runs for every line on standard input (or --repetitions of them), so that a script can take turns with
// another program. One JSON object a line.
// Usage: tern_bench_train [--threads T] [--repetitions R] [--microbatch M] [--matmul float32|openblas|onednn|bfloat16]
#include <fmt/format.h>

#include <cstdlib>
#include <iostream>
#include <string>
#include <string_view>

#include "base/random.hpp"
#include "models/all.hpp"
#include "sys/clock.hpp"
#include "train/run/gemm_peak.hpp"
#include "train/run/presets.hpp"
#include "train/trainer.hpp"

namespace {

using namespace tern;
using namespace tern::train;

constexpr std::int64_t kVocabulary = 2048;

[[noreturn]] void stop(const Error& error) {
  fmt::print(stderr, "tern_bench_train: {}\n", error.message);
  std::exit(1);
}

template <class T>
T or_stop(Result<T> result) {
  if (!result) stop(result.error());
  return std::move(*result);
}

struct Subject {
  std::string name;
  Recipe recipe;
  std::unique_ptr<Trainer> trainer;
};

Subject subject(std::string name, const Recipe& recipe, const linalg::Blas& blas, int n_threads) {
  const auto kernels = or_stop(kernels::choose());
  const auto parameters = or_stop(hyper_parameters_of(recipe, kVocabulary));
  TrainerOptions options;
  options.quantizer = or_stop(quantizer_of(recipe));
  options.optimizer = optimizer_of(recipe);
  options.size = {recipe.context, recipe.microbatch};
  options.n_threads = n_threads;
  const models::Architecture* architecture = or_stop(models::by_name(recipe.architecture));
  auto trainer = or_stop(Trainer::make(architecture->plan(parameters), usual_tensors(true), options, blas, kernels));
  initialise(trainer->parameters(), 1, first_weights_of(recipe));
  trainer->begin(1.0, true);
  return {std::move(name), recipe, std::move(trainer)};
}

void repetition(std::vector<Subject>& subjects, const std::string& kernels, const linalg::Blas& openblas,
                Random& random) {
  std::string line;
  for (Subject& s : subjects) {
    std::vector<std::int32_t> tokens(static_cast<std::size_t>(s.recipe.batch * (s.recipe.context + 1)));
    for (auto& token : tokens) token = static_cast<std::int32_t>(random.below(kVocabulary));
    const double peak =
        measure_gemm_peak(s.trainer->plan(), s.trainer->network().size(), openblas, s.trainer->pool(), 0.3);
    const sys::Stopwatch watch;
    s.trainer->step(tokens, 1e-4, 0.1, 1.0);
    const double speed = static_cast<double>(s.recipe.batch * s.recipe.context) / watch.seconds();
    line += fmt::format(R"({}"{}": {{"tokens_per_second": {:.1f}, "share_of_peak": {:.4f}, "peak_gflops": {:.1f}}})",
                        line.empty() ? "" : ", ", s.name, speed, speed * s.trainer->network().flops_per_token() / peak,
                        peak / 1e9);
  }
  fmt::print("{{\"kernels\": \"{}\", {}}}\n", kernels, line);
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  int n_threads = 2;
  int n_repetitions = 0;
  std::int64_t microbatch = 8;
  Recipe products;
  for (int i = 1; i < argc; i += 2) {
    const std::string_view word = argv[i];
    const char* value = i + 1 < argc ? argv[i + 1] : "";
    if (word == "--threads" && std::atoi(value) > 0) {
      n_threads = std::atoi(value);
    } else if (word == "--repetitions" && std::atoi(value) > 0) {
      n_repetitions = std::atoi(value);
    } else if (word == "--microbatch" && std::atoll(value) > 0) {
      microbatch = std::atoll(value);
    } else if (word == "--matmul") {
      products.matmul = value;
    } else {
      stop({ErrorCode::usage, fmt::format("\"{} {}\" is no option with a value", word, value)});
    }
  }
  const auto blas = or_stop(linalg::Blas::load(or_stop(matmul_of(products))));
  const auto openblas = or_stop(linalg::Blas::load(linalg::Matmul::openblas));
  Recipe llama = or_stop(preset_by_name("llama"));
  Recipe ternary = or_stop(preset_by_name("bitnet-b1.58"));
  llama.microbatch = ternary.microbatch = microbatch;
  Recipe same_in_float = ternary;
  same_in_float.weights = same_in_float.activations = "none";
  std::vector<Subject> subjects;
  subjects.push_back(subject("llama_float", llama, blas, n_threads));
  subjects.push_back(subject("bitnet_float", same_in_float, blas, n_threads));
  subjects.push_back(subject("bitnet_ternary", ternary, blas, n_threads));
  Random random(1);
  std::string ignored;
  for (int i = 0; n_repetitions == 0 ? static_cast<bool>(std::getline(std::cin, ignored)) : i < n_repetitions; ++i) {
    repetition(subjects, blas.kernels(), openblas, random);
  }
}
