// Speed of every matmul kernel of the chosen instruction set, one thread: GB/s of weights for one column and GMAC/s for
// a few and for 128 columns, on two shapes of a 2-billion-parameter BitNet. Weights of one column are too many for the
// caches (--mib sets how many, default 256), so that GB/s compares with the machine's streaming read, which is printed
// first. Usage: tern_bench_kernels [name filter] [--mib N]; TERN_ISA chooses the set. The best of five runs is printed.
#include <sys/mman.h>
#include <time.h>

#include <cstdlib>
#include <cstring>
#include <functional>
#include <span>
#include <string_view>

#include "kernels/ternary_panels.hpp"
#include "tests/support/kernel_cases.hpp"

namespace {

using tern::AlignedBuffer;
using namespace tern::kernels;

/// Time this thread has run: a busy machine takes turns, and a turn away is not the kernel's.
double seconds() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

template <class Work>
double best_of_five(Work work) {
  double best = 1e9;
  for (int i = 0; i < 5; ++i) {
    const double start = seconds();
    work();
    best = std::min(best, seconds() - start);
  }
  return best;
}

struct Case {
  std::string name;
  std::int64_t row_bytes, k;
  // Runs n_rows rows at w against n_cols columns.
  std::function<void(const std::byte* w, std::int64_t n_rows, std::int64_t n_cols)> run;
  std::int64_t slice = 64;  // rows a task of the thread pool might take
};

void measure(const Case& c, std::span<const std::byte> pool) {
  const std::int64_t n_stream = static_cast<std::int64_t>(pool.size()) / c.row_bytes / c.slice * c.slice;
  const std::int64_t slice = c.slice;
  const double one = best_of_five([&] {
    for (std::int64_t r = 0; r + slice <= n_stream; r += slice) c.run(pool.data() + r * c.row_bytes, slice, 1);
  });
  const double gb = static_cast<double>(n_stream / slice * slice * c.row_bytes) / one / 1e9;
  const std::int64_t n_rows = 640 / slice * slice;
  const double l2 = best_of_five([&] {
    for (int i = 0; i < 20; ++i) c.run(pool.data(), slice, 1);
  });
  const double l2_gb = 20.0 * static_cast<double>(slice * c.row_bytes) / l2 / 1e9;
  fmt::print("{:8} k={:<5} 1 column: {:6.2f} GB/s streamed, {:6.2f} GB/s from cache | GMAC/s of columns", c.name, c.k,
             gb, l2_gb);
  for (const std::int64_t n_cols : {2, 3, 4, 5, 6, 8, 128}) {
    const double some = best_of_five([&] {
      for (std::int64_t r = 0; r < n_rows; r += slice) c.run(pool.data() + r * c.row_bytes, slice, n_cols);
    });
    fmt::print(" {}: {:.1f}", n_cols, static_cast<double>(n_rows * c.k * n_cols) / some / 1e9);
  }
  fmt::print("\n");
  std::fflush(stdout);
}

/// Ternary weights by columns, for one column of the input when about a share of it is not zero: GB/s as if all were
/// read.
void measure_panels(const Kernels& kernels, std::int64_t k, std::span<const float> x, std::span<std::byte> pool) {
  constexpr std::int64_t kColumns = 128;
  tern::Random random(4);
  for (std::byte& b : pool) b = static_cast<std::byte>(random.next() & 0xaa);
  AlignedBuffer codes(static_cast<std::size_t>(kColumns * k));
  std::vector<std::int32_t> sums(kColumns);
  for (std::int64_t c = 0; c < kColumns; ++c) {
    kernels.table.quantize_token(x.data() + c * k, k, codes.as<std::int8_t>() + c * k,
                                 &sums[static_cast<std::size_t>(c)]);
  }
  std::vector<std::int32_t> out(static_cast<std::size_t>(kTernaryPanel * kColumns));
  for (const double share : {0.15, 0.3, 1.0}) {
    std::vector<std::int8_t> some(codes.as<std::int8_t>(), codes.as<std::int8_t>() + k);
    for (std::int8_t& code : some) code = random.uniform() < share ? code : std::int8_t{0};
    TakenColumns taken;
    taken.take(some.data(), k);
    measure(Case{fmt::format("{:.0f} %", 100.0 * share), k / 4, k,
                 [&](const std::byte* w, std::int64_t /*n_rows*/, std::int64_t n_cols) {
                   const auto* panel = reinterpret_cast<const std::uint8_t*>(w);
                   if (n_cols == 1) {
                     kernels.table.ternary_taken({.w = panel,
                                                  .next = panel + ternary_panel_bytes(k),
                                                  .taken = taken.columns(),
                                                  .codes = taken.codes(),
                                                  .n_taken = taken.size(),
                                                  .x_sum = 0,
                                                  .y = out.data()});
                     return;
                   }
                   kernels.table.ternary_panel({.w = panel,
                                                .k = k,
                                                .x = codes.as<std::int8_t>(),
                                                .x_stride = static_cast<std::size_t>(k),
                                                .x_sums = sums.data(),
                                                .n_cols = n_cols,
                                                .y = out.data(),
                                                .y_stride = kTernaryPanel});
                 },
                 kTernaryPanel},
            pool);
  }
}

}  // namespace

int main(int argc, char** argv) {
  std::string_view filter;
  std::size_t mib = 256;
  for (int i = 1; i < argc; ++i) {
    if (std::strcmp(argv[i], "--mib") == 0 && i + 1 < argc) {
      mib = static_cast<std::size_t>(std::atoi(argv[++i]));
    } else {
      filter = argv[i];
    }
  }
  const auto chosen = choose();
  if (!chosen) {
    fmt::print(stderr, "{}\n", chosen.error().message);
    return 1;
  }
  const Kernels& kernels = *chosen;
  fmt::print("{}, set {}, one thread\n", tern::sys::cpu_name(), kernels.isa);

  // 2 MiB pages, as the engine's packed weights have: with 4 KiB pages a third of the bandwidth goes.
  constexpr std::size_t kHugePage = std::size_t{2} << 20;
  const std::size_t n_bytes = (mib << 20) / kHugePage * kHugePage;
  void* mapped = ::mmap(nullptr, n_bytes + kHugePage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapped == MAP_FAILED) {
    fmt::print(stderr, "no memory for {} MiB\n", mib);
    return 1;
  }
  const std::size_t skip = kHugePage - reinterpret_cast<std::uintptr_t>(mapped) % kHugePage;
  const std::span<std::byte> pool(static_cast<std::byte*>(mapped) + skip, n_bytes);
  ::madvise(pool.data(), pool.size(), MADV_HUGEPAGE);
  std::memset(pool.data(), 1, pool.size());
  volatile std::uint64_t sink = 0;
  const double read = best_of_five([&] {
    std::uint64_t sums[8] = {};
    const auto* words = reinterpret_cast<const std::uint64_t*>(pool.data());
    for (std::size_t i = 0; i + 8 <= pool.size() / 8; i += 8) {
      __builtin_prefetch(words + i + 512);
      for (std::size_t j = 0; j < 8; ++j) sums[j] += words[i + j];
    }
    for (const std::uint64_t s : sums) sink = sink + s;
  });
  fmt::print("streaming read of {} MiB: {:.1f} GB/s\n", mib, static_cast<double>(pool.size()) / read / 1e9);

  for (const std::int64_t k : {std::int64_t{2560}, std::int64_t{6912}}) {
    std::vector<float> x = tern::test::normal_values(128 * k, 1);
    std::vector<float> y(64 * 128);
    for (const auto& bound : kernels.matmuls) {
      if (!filter.empty() && bound.weight->name != filter) continue;
      if (k % bound.weight->block_values != 0) continue;
      const AlignedBuffer rows = tern::test::encoded_rows(*bound.weight, 64, k, 2);
      for (std::size_t at = 0; at < pool.size(); at += rows.size()) {
        std::memcpy(pool.data() + at, rows.data(), std::min(rows.size(), pool.size() - at));
      }
      const auto columns = tern::test::make_columns(kernels.table, bound.activation, x, 128, k);
      const std::int64_t row_bytes = bound.weight->row_bytes(k);
      measure({std::string(bound.weight->name), row_bytes, k,
               [&](const std::byte* w, std::int64_t n_rows, std::int64_t n_cols) {
                 bound.run({.w = w,
                            .w_row_bytes = static_cast<std::size_t>(row_bytes),
                            .n_rows = n_rows,
                            .x = columns.bytes.data(),
                            .x_col_bytes = columns.col_bytes,
                            .n_cols = n_cols,
                            .k = k,
                            .y = y.data(),
                            .y_stride = 64});
               }},
              pool);
    }
    if (filter.empty() || filter == "ternary") {
      tern::Random random(3);
      for (std::byte& b : pool) b = static_cast<std::byte>(random.next() & 0xaa);
      AlignedBuffer codes(static_cast<std::size_t>(128 * k));
      std::vector<std::int32_t> sums(128);
      for (std::int64_t c = 0; c < 128; ++c) {
        kernels.table.quantize_token(x.data() + c * k, k, codes.as<std::int8_t>() + c * k,
                                     &sums[static_cast<std::size_t>(c)]);
      }
      std::vector<std::int32_t> out(64 * 128);
      measure({"ternary", k / 4, k,
               [&](const std::byte* w, std::int64_t n_rows, std::int64_t n_cols) {
                 kernels.table.ternary({.w = reinterpret_cast<const std::uint8_t*>(w),
                                        .n_rows = n_rows,
                                        .x = codes.as<std::int8_t>(),
                                        .x_sums = sums.data(),
                                        .n_cols = n_cols,
                                        .k_padded = k,
                                        .y = out.data(),
                                        .y_stride = 64});
               }},
              pool);
    }
    if (filter.empty() || filter == "panels") measure_panels(kernels, k, x, pool);
  }
  return 0;
}
