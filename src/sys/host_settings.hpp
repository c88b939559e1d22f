// Settings of the machine that decide how fast a program may be, and that its owner can change. Linux, from /sys.
#pragma once

#include <string>

namespace tern::sys {

struct HostSettings {
  int online_cores = 0;    // of the machine, whether this process may use them or not; 0: not known
  std::string huge_pages;  // transparent huge pages: "always", "madvise", "never"; "" where the kernel has none
  std::string governor;    // of the first core's clock: "performance", "powersave", ...; "" where it is not ours to see
};

/// HostSettings::huge_pages alone. `root` stands in front of /sys, for tests.
[[nodiscard]] std::string huge_page_mode(const std::string& root = "");

[[nodiscard]] HostSettings host_settings(const std::string& root = "");

}  // namespace tern::sys
