#include "sys/host_settings.hpp"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <string_view>

namespace tern::sys {
namespace {

std::string first_line(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

/// The word in brackets of "always [madvise] never".
std::string chosen_word(const std::string& line) {
  const std::size_t open = line.find('[');
  const std::size_t close = line.find(']');
  if (open == std::string::npos || close == std::string::npos || close < open) return {};
  return line.substr(open + 1, close - open - 1);
}

/// How many numbers "0-3,6" holds; 0 for anything else.
int count_of_ranges(std::string_view list) {
  int count = 0;
  while (!list.empty()) {
    const std::string_view range = list.substr(0, list.find(','));
    list.remove_prefix(std::min(range.size() + 1, list.size()));
    int first = 0;
    const auto [end, error] = std::from_chars(range.data(), range.data() + range.size(), first);
    if (error != std::errc{}) return 0;
    int last = first;
    if (end != range.data() + range.size()) {
      if (*end != '-') return 0;
      const auto rest = std::from_chars(end + 1, range.data() + range.size(), last);
      if (rest.ec != std::errc{} || rest.ptr != range.data() + range.size()) return 0;
    }
    if (first < 0 || last < first || last > 1 << 20) return 0;
    count += last - first + 1;
  }
  return count;
}

}  // namespace

std::string huge_page_mode(const std::string& root) {
  return chosen_word(first_line(root + "/sys/kernel/mm/transparent_hugepage/enabled"));
}

HostSettings host_settings(const std::string& root) {
  return {.online_cores = count_of_ranges(first_line(root + "/sys/devices/system/cpu/online")),
          .huge_pages = huge_page_mode(root),
          .governor = first_line(root + "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")};
}

}  // namespace tern::sys
