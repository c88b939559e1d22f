// The list of caches from folders as Linux writes them, and from ones that make no sense.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "sys/cpu.hpp"
#include "tests/support/data.hpp"

namespace tern::sys {
namespace {

void add(const test::TemporaryFolder& folder, int index, const std::string& level, const std::string& type,
         const std::string& size) {
  const std::string one = folder.file("index" + std::to_string(index));
  std::filesystem::create_directory(one);
  std::ofstream(one + "/level") << level << "\n";
  std::ofstream(one + "/type") << type << "\n";
  std::ofstream(one + "/size") << size << "\n";
}

TEST(Caches, AreReadAsTheSystemListsThem) {
  const test::TemporaryFolder folder;
  add(folder, 0, "1", "Data", "48K");
  add(folder, 1, "1", "Instruction", "32K");
  add(folder, 2, "2", "Unified", "2M");
  add(folder, 3, "3", "Unified", "32768K");
  const std::vector<Cache> all = caches(folder.path());
  ASSERT_EQ(all.size(), 4U);
  EXPECT_EQ(all[0].level, 1);
  EXPECT_EQ(all[0].type, "Data");
  EXPECT_EQ(all[0].n_bytes, 48U * 1024);
  EXPECT_EQ(all[2].n_bytes, 2U * 1024 * 1024);
  EXPECT_EQ(last_level_cache_bytes(all), 32768U * 1024);
}

TEST(Caches, TheLastLevelIsOneThatHoldsData) {
  EXPECT_EQ(last_level_cache_bytes({}), 0U);
  const std::vector<Cache> code{{.level = 1, .type = "Instruction", .n_bytes = 7}};
  EXPECT_EQ(last_level_cache_bytes(code), 0U);
  const std::vector<Cache> two{{.level = 2, .type = "Unified", .n_bytes = 9},
                               {.level = 1, .type = "Data", .n_bytes = 5}};
  EXPECT_EQ(last_level_cache_bytes(two), 9U);
}

TEST(Caches, WhatMakesNoSenseHasNoSize) {
  const test::TemporaryFolder folder;
  EXPECT_TRUE(caches(folder.file("missing")).empty());
  add(folder, 0, "1", "Data", "many");
  add(folder, 1, "2", "Unified", "99999999999999999999K");
  add(folder, 2, "3", "Unified", "18446744073709551615M");
  add(folder, 3, "three", "Unified", "1K");
  const std::vector<Cache> all = caches(folder.path());
  ASSERT_EQ(all.size(), 3U);
  for (const Cache& cache : all) EXPECT_EQ(cache.n_bytes, 0U);
}

}  // namespace
}  // namespace tern::sys
