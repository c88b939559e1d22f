// The one list: a new quantity is a line here and the function that measures it.
#include "quantities.hpp"

#include <cmath>
#include <new>
#include <system_error>

#include "measure_arithmetic.hpp"
#include "measure_read.hpp"

namespace limits {

namespace {

constexpr int kMaxThreads = 4096;

constexpr Entry kTable[] = {
    {"read_huge", "read, anonymous memory, 2 MiB pages", "GB/s", Isa::kAny, measure_read<Pages::kHuge>},
    {"read_small", "read, anonymous memory, 4 KiB pages", "GB/s", Isa::kAny, measure_read<Pages::kSmall>},
    {"read_file", "read, a file mapped from the page cache", "GB/s", Isa::kAny, measure_read<Pages::kFile>},
#if defined(__x86_64__)
    {"maddubs16", "vpmaddubsw + vpaddw (16-bit sums)", "GMAC/s", Isa::kAvx2, measure_arithmetic<kMaddubs16>},
    {"maddubs32", "vpmaddubsw + vpmaddwd + vpaddd (32-bit sums)", "GMAC/s", Isa::kAvx2, measure_arithmetic<kMaddubs32>},
    {"lookup8", "vpshufb + vpaddb (byte look-ups)", "G/s", Isa::kAvx2, measure_arithmetic<kLookup8>},
    {"lookup16", "vpshufb + vpaddw (byte look-ups)", "G/s", Isa::kAvx2, measure_arithmetic<kLookup16>},
    {"add16_l1", "vpaddw, 32-byte vectors from the first cache", "G/s", Isa::kAvx2, measure_arithmetic<kAdd16L1>},
    {"fma_avx2", "vfmadd231ps, 32-byte vectors (f32)", "GMAC/s", Isa::kAvx2, measure_arithmetic<kFmaAvx2>},
    {"vnni_avx", "vpdpbusd, 32-byte vectors (VEX)", "GMAC/s", Isa::kAvxVnni, measure_arithmetic<kVnniAvx>},
    {"vnni_avx512", "vpdpbusd, 64-byte vectors (EVEX)", "GMAC/s", Isa::kAvx512Vnni, measure_arithmetic<kVnniAvx512>},
    {"fma_avx512", "vfmadd231ps, 64-byte vectors (f32)", "GMAC/s", Isa::kAvx512, measure_arithmetic<kFmaAvx512>},
    {"amx_int8", "tdpbusd, tiles of 16 x 64 bytes", "GMAC/s", Isa::kAmxInt8, measure_arithmetic<kAmx>},
#endif
};

}  // namespace

std::span<const Entry> table() {
  return kTable;
}

std::vector<Quantity> quantities() {
  const Cpu cpu = detect_cpu();
  std::vector<Quantity> all;
  for (const Entry& e : kTable) all.push_back({e.id, e.name, e.unit, name(e.needs), cpu.has(e.needs)});
  return all;
}

std::expected<Measured, std::string> measure_on(const Cpu& cpu, std::string_view id, int n_threads,
                                                const Options& options) {
  const auto refuse = [&](std::string why) { return std::unexpected(std::string(id) + ": " + std::move(why)); };
  const Entry* entry = nullptr;
  for (const Entry& e : kTable) {
    if (e.id == id) entry = &e;
  }
  if (entry == nullptr) {
    std::string known;
    for (const Entry& e : kTable) known += (known.empty() ? "" : ", ") + std::string(e.id);
    return refuse("no such quantity; there are " + known);
  }
  if (n_threads < 1 || n_threads > kMaxThreads) {
    return refuse("cannot measure with " + std::to_string(n_threads) + " threads; 1 to " + std::to_string(kMaxThreads));
  }
  if (!std::isfinite(options.seconds) || options.seconds <= 0) return refuse("the seconds to measure must be above 0");
  if (!cpu.has(entry->needs)) {
    return refuse("not measured: this machine has no " + std::string(name(entry->needs)) +
                  " (the processor, or the system that runs on it)");
  }
  try {
    auto measured = entry->measure(cpu, n_threads, options);
    if (!measured) return refuse(std::move(measured.error()));
    return measured;
  } catch (const std::system_error& e) {
    return refuse("cannot start " + std::to_string(n_threads) + " threads: " + e.what());
  } catch (const std::bad_alloc&) {
    return refuse("out of memory");
  }
}

std::expected<Measured, std::string> measure(std::string_view id, int n_threads, const Options& options) {
  return measure_on(detect_cpu(), id, n_threads, options);
}

}  // namespace limits
