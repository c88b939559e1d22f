// Speed of every format's encoder, one thread, in MB/s (time of that thread) of float32 input: normal weights of sigma
// 0.02 in rows of 4096. One repetition of one format runs for every line "FORMAT" on standard input, so that a script
// can take turns with another program; without input, `--all` runs every format five times. One JSON object a line.
// I2_S holds ternary values only and is given them. Usage: tern_bench_quantize [--mib N] [--all]
#include <fmt/format.h>
#include <time.h>

#include <cmath>
#include <cstdlib>
#include <iostream>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.hpp"
#include "formats/all.hpp"

namespace {

/// Time this thread has run: on a busy machine the wall clock measures the others.
double thread_seconds() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

constexpr std::int64_t kRow = 4096;

void run_once(const tern::formats::Format& format, const std::vector<float>& values) {
  const auto n_rows = std::ssize(values) / kRow;
  const float scale = 0.02F;
  std::vector<float> ternary;
  const float* source = values.data();
  if (format.tensor_scale != nullptr) {
    for (const float v : values) ternary.push_back(v > 0.01F ? scale : v < -0.01F ? -scale : 0.0F);
    source = ternary.data();
  }
  std::vector<std::byte> out(static_cast<std::size_t>(format.row_bytes(kRow) * n_rows));
  const double start = thread_seconds();
  for (std::int64_t r = 0; r < n_rows; ++r) {
    const auto issue = format.encode_row(source + r * kRow, kRow, scale, out.data() + r * format.row_bytes(kRow));
    if (issue) {
      fmt::print(stderr, "tern_bench_quantize: {} refused a row\n", format.name);
      std::exit(1);
    }
  }
  const double seconds = thread_seconds() - start;
  fmt::print("{{\"format\": \"{}\", \"mb_per_second\": {:.2f}}}\n", format.name,
             static_cast<double>(n_rows * kRow * 4) / seconds / 1e6);
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  std::int64_t mib = 16;
  bool all = false;
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word == "--mib" && i + 1 < argc) mib = std::atoll(argv[++i]);
    if (word == "--all") all = true;
  }
  std::vector<float> values(static_cast<std::size_t>(std::max<std::int64_t>(1, mib)) * 262144);
  tern::Random random(20261121);
  for (float& v : values) v = static_cast<float>(random.normal() * 0.02);
  if (all) {
    for (int i = 0; i < 5; ++i) {
      for (const auto* format : tern::formats::kAll) run_once(*format, values);
    }
    return 0;
  }
  std::string line;
  while (std::getline(std::cin, line)) {
    auto format = tern::formats::by_name(line);
    if (!format) {
      fmt::print(stderr, "tern_bench_quantize: {}\n", format.error().message);
      return 1;
    }
    run_once(**format, values);
  }
  return 0;
}
