// Seconds of a prefill and of a generation through the engine, and of loading the model; no sampling and no text, so
// that the figures are the engine's alone. One repetition runs for every line on standard input (or --repetitions of
// them), so that a script can take turns with another program. One JSON object a line. Usage: tern_bench_engine MODEL
// [--prefill P] [--generate N] [--threads T] [--isa NAME] [--repetitions R]
#include <fmt/format.h>
#include <time.h>

#include <cstdlib>
#include <iostream>
#include <string>
#include <string_view>

#include "engine/session.hpp"
#include "sys/clock.hpp"
#include "sys/memory.hpp"

namespace {

struct Arguments {
  std::string model;
  std::string isa;
  std::int64_t n_prefill = 512;
  std::int64_t n_generate = 64;
  int n_threads = 1;
  int n_repetitions = 0;  // 0: one for every line of standard input
};

bool parse(int argc, char** argv, Arguments& out) {
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (!word.starts_with("--")) {
      out.model = word;
      continue;
    }
    if (i + 1 == argc) return false;
    const char* value = argv[++i];
    if (word == "--prefill") {
      out.n_prefill = std::atoll(value);
    } else if (word == "--generate") {
      out.n_generate = std::atoll(value);
    } else if (word == "--threads") {
      out.n_threads = std::atoi(value);
    } else if (word == "--repetitions") {
      out.n_repetitions = std::atoi(value);
    } else if (word == "--isa") {
      out.isa = value;
    } else {
      return false;
    }
  }
  return !out.model.empty() && out.n_prefill >= 0 && out.n_generate >= 0 && out.n_prefill + out.n_generate > 0;
}

[[noreturn]] void stop(const tern::Error& error) {
  fmt::print(stderr, "tern_bench_engine: {}\n", error.message);
  std::exit(1);
}

/// Time of all threads of this process: with one thread, what the wall clock would show on an idle machine.
double cpu_seconds() {
  timespec now{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

// The ids are arbitrary but the same for every program: what is computed does not depend on them.
std::int32_t token_at(std::int64_t position, std::int64_t n_vocab) {
  return static_cast<std::int32_t>((position * 7919 + 13) % n_vocab);
}

}  // namespace

int main(int argc, char** argv) {
  Arguments arguments;
  if (!parse(argc, argv, arguments)) {
    fmt::print(
        stderr,
        "usage: tern_bench_engine MODEL [--prefill P] [--generate N] [--threads T] [--isa NAME] [--repetitions R]\n");
    return 2;
  }
  const tern::sys::Stopwatch since_start;
  auto model = tern::engine::Model::load(arguments.model, {.isa = arguments.isa, .n_threads = arguments.n_threads});
  if (!model) stop(model.error());
  auto session = tern::engine::Session::make(
      *model, {.n_threads = arguments.n_threads, .n_ctx = arguments.n_prefill + arguments.n_generate});
  if (!session) stop(session.error());
  fmt::print("{{\"load_seconds\": {:.6f}, \"isa\": \"{}\"}}\n", since_start.seconds(), (*model)->kernels().isa);
  std::fflush(stdout);

  const std::int64_t n_vocab = (*model)->parameters().n_vocab;
  std::vector<tern::engine::BatchItem> prompt;
  for (std::int64_t i = 0; i < arguments.n_prefill; ++i) {
    prompt.push_back({token_at(i, n_vocab), static_cast<std::int32_t>(i), 0, i + 1 == arguments.n_prefill});
  }
  std::string line;
  for (int i = 0;
       arguments.n_repetitions > 0 ? i < arguments.n_repetitions : static_cast<bool>(std::getline(std::cin, line));
       ++i) {
    (*session)->truncate(0, 0);
    tern::sys::Stopwatch clock;
    double cpu_start = cpu_seconds();
    if (!prompt.empty()) {
      if (auto done = (*session)->decode(prompt); !done) stop(done.error());
    }
    const double prefill = clock.seconds();
    const double prefill_cpu = cpu_seconds() - cpu_start;
    clock.restart();
    cpu_start = cpu_seconds();
    for (std::int64_t t = arguments.n_prefill; t < arguments.n_prefill + arguments.n_generate; ++t) {
      const tern::engine::BatchItem item{token_at(t, n_vocab), static_cast<std::int32_t>(t), 0, true};
      if (auto done = (*session)->decode(std::span(&item, 1)); !done) stop(done.error());
    }
    fmt::print(
        "{{\"prefill_seconds\": {:.6f}, \"generate_seconds\": {:.6f}, \"prefill_cpu_seconds\": {:.6f}, "
        "\"generate_cpu_seconds\": {:.6f}, \"peak_bytes\": {}}}\n",
        prefill, clock.seconds(), prefill_cpu, cpu_seconds() - cpu_start, tern::sys::memory_use().peak_resident);
    std::fflush(stdout);
  }
  return 0;
}
