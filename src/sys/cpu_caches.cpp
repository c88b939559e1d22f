// The caches as Linux lists them: a folder index0, index1, ... for each, with one short text a property.
// Source: Documentation/ABI/testing/sysfs-devices-system-cpu.
#include <algorithm>
#include <charconv>
#include <fstream>

#include "base/checked.hpp"
#include "sys/cpu.hpp"

namespace tern::sys {
namespace {

std::string first_word(const std::string& path) {
  std::ifstream file(path);
  std::string word;
  file >> word;
  return word;
}

// "48K", "8M", "512": 0 for what is no size.
std::uint64_t size_of(const std::string& text) {
  std::uint64_t n = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), n);
  if (error != std::errc{}) return 0;
  const std::string_view unit(stop, text.data() + text.size());
  const std::uint64_t factor = unit.empty() ? 1 : unit == "K" ? 1024 : unit == "M" ? 1024 * 1024 : 0;
  return checked_mul(n, factor).value_or(0);
}

}  // namespace

std::vector<Cache> caches(const std::string& folder) {
  constexpr int kMostCaches = 16;
  std::vector<Cache> all;
  for (int i = 0; i < kMostCaches; ++i) {
    const std::string one = folder + "/index" + std::to_string(i) + "/";
    const std::string level = first_word(one + "level");
    if (level.size() != 1 || level[0] < '1' || level[0] > '9') break;
    all.push_back(
        {.level = level[0] - '0', .type = first_word(one + "type"), .n_bytes = size_of(first_word(one + "size"))});
  }
  return all;
}

std::uint64_t last_level_cache_bytes(std::span<const Cache> all) {
  const Cache* last = nullptr;
  for (const Cache& cache : all) {
    if (cache.type == "Instruction") continue;
    if (last == nullptr || cache.level > last->level) last = &cache;
  }
  return last == nullptr ? 0 : last->n_bytes;
}

}  // namespace tern::sys
