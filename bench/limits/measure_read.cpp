// See measure_read.hpp. Every burst's sums are compared with the buffer's own.
#include "measure_read.hpp"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <optional>

#include "crew.hpp"
#include "race.hpp"

namespace limits {

namespace {

// What a thread reads in one burst from a buffer larger than the caches; of a cache, whatever fills a burst's time.
constexpr double kLeastBurst = 64 << 20, kMostBurst = 256 << 20, kMostCacheBurst = 4096.0 * (1 << 20);

/// "262144K", "2M" and plain bytes, as sysfs writes them.
std::size_t parse_size(const std::string& text) {
  std::size_t n = 0, i = 0;
  for (; i < text.size() && text[i] >= '0' && text[i] <= '9'; ++i) n = n * 10 + static_cast<std::size_t>(text[i] - '0');
  if (i < text.size() && text[i] == 'K') n <<= 10;
  if (i < text.size() && text[i] == 'M') n <<= 20;
  return n;
}

/// All last-level caches together: the largest one that the first processor sees, once for each set of sharers.
std::size_t cache_bytes() {
  std::size_t largest = 0;
  int sharers = 1;
  for (int i = 0; i < 8; ++i) {
    const std::string folder = "/sys/devices/system/cpu/cpu0/cache/index" + std::to_string(i);
    std::string size, map;
    if (!std::getline(std::ifstream(folder + "/size"), size)) break;
    std::getline(std::ifstream(folder + "/shared_cpu_map"), map);  // "00000000,0000000f"
    if (parse_size(size) < largest) continue;
    largest = parse_size(size);
    sharers = 0;
    for (const char c : map) {
      const bool digit = c >= '0' && c <= '9';
      if (digit || (c >= 'a' && c <= 'f'))
        sharers += std::popcount(static_cast<unsigned>(digit ? c - '0' : c - 'a' + 10));
    }
    sharers = std::max(sharers, 1);
  }
  const int n_cpus = std::max(1, static_cast<int>(::sysconf(_SC_NPROCESSORS_ONLN)));
  return largest * static_cast<std::size_t>(std::max(1, (n_cpus + sharers - 1) / sharers));
}

std::string percent(double share) {
  return std::to_string(std::lround(share * 100)) + " %";
}

/// Goes round and round in the region, every thread in its share, each burst from where the last one stopped.
class Walk {
 public:
  Walk(const Region& region, Crew& crew)
      : region_(region), crew_(crew), places_(static_cast<std::size_t>(crew.size())) {}

  /// Every thread reads the next n bytes, a multiple of kPageBytes. Seconds; nothing if a sum is wrong.
  std::optional<double> on(ReadLoop loop, std::size_t n) {
    std::atomic<bool> wrong = false;
    const double seconds = crew_.run([&](int thread) {
      std::size_t& at = places_[static_cast<std::size_t>(thread)].at;
      std::uint64_t sum = 0, known = 0;
      for (std::size_t left = n; left != 0;) {
        const std::size_t part = std::min(left, region_.share_bytes() - at);
        sum += loop(region_.share(thread) + at, part);
        known += region_.known_sum(thread, at, part);
        left -= part;
        at = (at + part) % region_.share_bytes();
      }
      if (sum != known) wrong = true;
    });
    return wrong ? std::nullopt : std::optional(seconds);
  }

 private:
  struct alignas(64) Place {
    std::size_t at = 0;
  };
  const Region& region_;
  Crew& crew_;
  std::vector<Place> places_;
};

}  // namespace

std::size_t default_buffer_bytes() {
  const std::size_t wanted = std::max(kMinBufferBytes, 4 * cache_bytes());
  return std::max(kMinBufferBytes, std::min(wanted, free_memory_bytes() / 3)) / kPageBytes * kPageBytes + kPageBytes;
}

std::vector<NamedReadLoop> read_loops(const Cpu& cpu) {
  std::vector<NamedReadLoop> all;
  const auto take = [&](ReadLoops loops) { all.insert(all.end(), loops.first, loops.first + loops.n); };
  take(plain_read_loops());
#if defined(__x86_64__)
  if (cpu.avx2) take(avx2_read_loops());
  if (cpu.avx512) take(avx512_read_loops());
#else
  static_cast<void>(cpu);
#endif
  return all;
}

std::expected<Measured, std::string> measure_read(Pages pages, const Cpu& cpu, int n_threads, const Options& options) {
  const std::size_t bytes = options.buffer_bytes == 0 ? default_buffer_bytes() : options.buffer_bytes;
  if (bytes < kMinBufferBytes && !options.allow_cache_sizes) {
    return std::unexpected("a buffer of " + std::to_string(bytes) + " bytes may sit in a cache; at least " +
                           std::to_string(kMinBufferBytes) + ", or say that a cache's speed is wanted");
  }
  if (const std::size_t free = free_memory_bytes(); free != 0 && bytes > free / 10 * 9) {
    return std::unexpected("a buffer of " + std::to_string(bytes) + " bytes does not fit into the free memory of " +
                           std::to_string(free) + " bytes; take a smaller one");
  }
  std::string folder = options.folder;
  if (folder.empty()) {
    std::error_code none;
    folder = std::filesystem::temp_directory_path(none).string();
    if (none) return std::unexpected("no temporary folder: " + none.message());
  }
  Crew crew(n_threads);
  const auto region = Region::make(pages, bytes, folder, crew);
  if (!region) return std::unexpected(region.error());

  Walk walk(*region, crew);
  const double most = bytes < kMinBufferBytes ? kMostCacheBurst : kMostBurst;
  const std::vector<NamedReadLoop> loops = read_loops(cpu);
  std::vector<Pace> paces(loops.size(), Pace(kLeastBurst, most));
  std::string wrong;
  std::vector<Runner> runners;
  for (std::size_t i = 0; i < loops.size(); ++i) {
    const auto burst = [&, i] {
      const auto n = static_cast<std::size_t>(paces[i].work()) / kPageBytes * kPageBytes;
      const auto seconds = walk.on(loops[i].sum, n);
      if (!seconds) {
        wrong = loops[i].name;
        return -1.0;
      }
      paces[i].learn(static_cast<double>(n), *seconds);
      return static_cast<double>(n) * n_threads / *seconds / 1e9;
    };
    runners.push_back({loops[i].name, burst});
  }
  std::vector<Attempt> attempts = race(runners, options.seconds);
  if (attempts.empty()) return std::unexpected("the loop '" + wrong + "' read wrong bytes");
  const double huge = region->in_huge_pages();
  std::string note = std::string(attempts[0].loop) + "; " + percent(huge) + " in 2 MiB pages";
  if (pages == Pages::kHuge && huge < 0.9 && bytes >= kMinBufferBytes) {
    note += ": the kernel did not give what was asked for";
  }
  return Measured{attempts[0].best, attempts[0].median, attempts[0].n_bursts, note, huge, attempts};
}

}  // namespace limits
