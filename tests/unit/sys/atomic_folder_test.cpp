// A folder appears whole or not at all, and what is no folder of its kind is never replaced.
#include "sys/atomic_folder.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "sys/atomic_file.hpp"
#include "tests/support/data.hpp"

namespace tern::sys {
namespace {

namespace fs = std::filesystem;

std::string slurp(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

std::ptrdiff_t n_entries(const std::string& path) {
  return std::distance(fs::directory_iterator(path), fs::directory_iterator());
}

TEST(AtomicFolder, IsThereOnlyAfterCommit) {
  const test::TemporaryFolder folder;
  const std::string target = folder.file("model");
  {
    auto made = AtomicFolder::create(target + "/", "mark", false);
    ASSERT_TRUE(made) << made.error().message;
    ASSERT_TRUE(write_file(made->file("mark"), "1", false));
    EXPECT_FALSE(fs::exists(target));
  }
  EXPECT_EQ(n_entries(folder.path()), 0);  // left without commit: nothing stays
  auto made = AtomicFolder::create(target, "mark", false);
  ASSERT_TRUE(made);
  ASSERT_TRUE(write_file(made->file("mark"), "2", false));
  ASSERT_TRUE(made->commit());
  EXPECT_EQ(slurp(target + "/mark"), "2");
  EXPECT_EQ(n_entries(folder.path()), 1);
}

TEST(AtomicFolder, ReplacesAFolderOfItsKindWhenAsked) {
  const test::TemporaryFolder folder;
  const std::string target = folder.file("model");
  fs::create_directory(target);
  ASSERT_TRUE(AtomicFolder::create(target, "mark", false));  // an empty folder is as good as none
  ASSERT_TRUE(write_file(target + "/mark", "old", false));
  ASSERT_TRUE(write_file(target + "/rest", "old", false));
  const auto refused = AtomicFolder::create(target, "mark", false);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("--force"), std::string::npos);
  auto made = AtomicFolder::create(target, "mark", true);
  ASSERT_TRUE(made);
  ASSERT_TRUE(write_file(made->file("mark"), "new", false));
  EXPECT_EQ(slurp(target + "/mark"), "old");
  ASSERT_TRUE(made->commit());
  EXPECT_EQ(slurp(target + "/mark"), "new");
  EXPECT_FALSE(fs::exists(target + "/rest"));
  EXPECT_EQ(n_entries(folder.path()), 1);
}

TEST(AtomicFolder, NeverReplacesWhatIsSomethingElse) {
  const test::TemporaryFolder folder;
  const auto refused = [&](const std::string& name) {
    const auto made = AtomicFolder::create(folder.file(name), "mark", true);
    return !made && made.error().message.starts_with(folder.file(name));
  };
  ASSERT_TRUE(write_file(folder.file("file"), "x", false));
  EXPECT_TRUE(refused("file"));
  fs::create_directory(folder.file("photographs"));
  ASSERT_TRUE(write_file(folder.file("photographs/1.jpg"), "x", false));
  EXPECT_TRUE(refused("photographs"));  // files, but not the mark
  fs::create_directory(folder.file("home"));
  fs::create_directory(folder.file("home/letters"));
  ASSERT_TRUE(write_file(folder.file("home/mark"), "x", false));
  EXPECT_TRUE(refused("home"));  // the mark, but folders as well
  fs::create_directory_symlink(folder.file("home"), folder.file("link"));
  EXPECT_TRUE(refused("link"));
  EXPECT_TRUE(refused("not/there"));
  EXPECT_EQ(n_entries(folder.path()), 4);
}

TEST(AtomicFolder, LooksAgainBeforeItReplaces) {
  const test::TemporaryFolder folder;
  const std::string target = folder.file("model");
  auto made = AtomicFolder::create(target, "mark", false);
  ASSERT_TRUE(made);
  fs::create_directory(target);  // somebody else was faster
  ASSERT_TRUE(write_file(target + "/mark", "theirs", false));
  EXPECT_FALSE(made->commit());
  EXPECT_EQ(slurp(target + "/mark"), "theirs");
}

}  // namespace
}  // namespace tern::sys
