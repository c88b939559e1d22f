// Settings read from files as /sys has them, and from files that hold something else.
#include "sys/host_settings.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "tests/support/data.hpp"

namespace tern::sys {
namespace {

class Settings : public testing::Test {
 protected:
  void write(const std::string& path, const std::string& text) {
    const std::string file = folder_.file("sys/" + path);
    std::filesystem::create_directories(std::filesystem::path(file).parent_path());
    std::ofstream(file) << text;
  }
  [[nodiscard]] HostSettings read() const { return host_settings(folder_.file("")); }

  test::TemporaryFolder folder_;
};

TEST_F(Settings, AreReadAsLinuxWritesThem) {
  write("devices/system/cpu/online", "0-3,6,8-9\n");
  write("kernel/mm/transparent_hugepage/enabled", "always [madvise] never\n");
  write("devices/system/cpu/cpu0/cpufreq/scaling_governor", "powersave\n");
  EXPECT_EQ(read().online_cores, 7);
  EXPECT_EQ(read().huge_pages, "madvise");
  EXPECT_EQ(read().governor, "powersave");
}

TEST_F(Settings, WhatIsMissingOrStrangeIsNotKnown) {
  EXPECT_EQ(read().online_cores, 0);
  EXPECT_EQ(read().huge_pages, "");
  EXPECT_EQ(read().governor, "");
  for (const std::string online : {"x", "3-1", "0-", "0-3-5", "-1", "0,,1", "0-99999999999"}) {
    write("devices/system/cpu/online", online + "\n");
    EXPECT_EQ(read().online_cores, 0) << online;
  }
  write("kernel/mm/transparent_hugepage/enabled", "] always [\n");
  EXPECT_EQ(read().huge_pages, "");
}

}  // namespace
}  // namespace tern::sys
