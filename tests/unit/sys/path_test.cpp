// Paths cut into pieces as text, with the forms that are easy to get wrong: no slash, the root, slashes at the end.
#include "sys/path.hpp"

#include <gtest/gtest.h>

namespace tern::sys {
namespace {

TEST(Path, TheFolderIsAllBeforeTheLastSlash) {
  EXPECT_EQ(folder_of("a/b/c.gguf"), "a/b");
  EXPECT_EQ(folder_of("/a/b"), "/a");
  EXPECT_EQ(folder_of("../c"), "..");
  EXPECT_EQ(folder_of("a/b/"), "a/b");
}

TEST(Path, WithoutASlashTheFolderIsTheOneWeAreIn) {
  EXPECT_EQ(folder_of("c.gguf"), ".");
  EXPECT_EQ(folder_of(""), ".");
}

TEST(Path, TheFolderOfAFileAtTheRootIsTheRoot) {
  EXPECT_EQ(folder_of("/c.gguf"), "/");
  EXPECT_EQ(folder_of("/"), "/");
}

TEST(Path, TheFileNameIsAllBehindTheLastSlash) {
  EXPECT_EQ(file_name_of("a/b/c.gguf"), "c.gguf");
  EXPECT_EQ(file_name_of("c.gguf"), "c.gguf");
  EXPECT_EQ(file_name_of("/c"), "c");
  EXPECT_EQ(file_name_of("a/b/"), "");
  EXPECT_EQ(file_name_of(""), "");
}

TEST(Path, TheStemLosesTheLastEndingOnly) {
  EXPECT_EQ(stem_of("a.b/stories260K.bin"), "stories260K");
  EXPECT_EQ(stem_of("v1.5.bin"), "v1.5");
  EXPECT_EQ(stem_of("a.b/plain"), "plain");
  EXPECT_EQ(stem_of("a/.hidden"), ".hidden");
  EXPECT_EQ(stem_of("a/"), "");
}

TEST(Path, SlashesAtTheEndGoButTheRootStays) {
  EXPECT_EQ(without_final_slashes("a/b"), "a/b");
  EXPECT_EQ(without_final_slashes("a/b///"), "a/b");
  EXPECT_EQ(without_final_slashes("/"), "/");
  EXPECT_EQ(without_final_slashes("//"), "/");
  EXPECT_EQ(without_final_slashes(""), "");
}

TEST(Path, ATemporaryNamesWhatItWillBe) {
  EXPECT_EQ(written_as(temporary_of("a.tmp-x/b.gguf")), "a.tmp-x/b.gguf");
  EXPECT_NE(temporary_of("b"), "b");
  EXPECT_EQ(written_as("b.gguf.tmp-1"), "b.gguf");
  for (const char* other : {"b.gguf", "b.tmp-", "b.tmp-1a", "b.tmp-1.gguf", ""})
    EXPECT_EQ(written_as(other), "") << other;
}

}  // namespace
}  // namespace tern::sys
