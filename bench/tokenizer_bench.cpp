// Speed of a tokenizer on a whole text, one thread, in MB/s (time of that thread), and seconds to build it. One
// repetition for every line on standard input, so that a script can take turns with another program. One JSON object a
// line. Usage: tern_bench_tokenizer TOKENIZER TEXT      (TOKENIZER: anything `tern tokenize` reads)
#include <fmt/format.h>
#include <time.h>

#include <iostream>
#include <string>

#include "models/tokenizer_source.hpp"
#include "sys/mapped_file.hpp"
#include "text/tokenizer.hpp"

namespace {

/// Time this thread has run: on a busy machine the wall clock measures the others.
double thread_seconds() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

[[noreturn]] void stop(const tern::Error& error) {
  fmt::print(stderr, "tern_bench_tokenizer: {}\n", error.message);
  std::exit(1);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    fmt::print(stderr, "usage: tern_bench_tokenizer TOKENIZER TEXT\n");
    return 2;
  }
  double start = thread_seconds();
  std::vector<std::string> warnings;
  auto vocabulary = tern::models::read_tokenizer(argv[1], std::nullopt, warnings);
  if (!vocabulary) stop(vocabulary.error());
  auto tokenizer = tern::text::Tokenizer::make(std::move(*vocabulary));
  if (!tokenizer) stop(tokenizer.error());
  fmt::print("{{\"build_seconds\": {:.6f}}}\n", thread_seconds() - start);
  std::fflush(stdout);
  auto file = tern::sys::MappedFile::open(argv[2]);
  if (!file) stop(file.error());
  const auto bytes = file->bytes();
  const std::string text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  std::string line;
  while (std::getline(std::cin, line)) {
    start = thread_seconds();
    auto ids = tokenizer->encode(text);
    const double seconds = thread_seconds() - start;
    if (!ids) stop(ids.error());
    fmt::print("{{\"n_ids\": {}, \"mb_per_second\": {:.3f}}}\n", ids->size(),
               static_cast<double>(text.size()) / seconds / 1e6);
    std::fflush(stdout);
  }
  return 0;
}
