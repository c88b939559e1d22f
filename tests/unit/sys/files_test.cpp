// Mapped files and files written atomically: what is refused, and that a failure leaves neither a damaged target nor a
// temporary file behind.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <vector>

#include "sys/atomic_file.hpp"
#include "sys/mapped_file.hpp"
#include "tests/support/data.hpp"

namespace tern::sys {
namespace {

std::string content_of(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::size_t entries_of(const std::string& folder) {
  return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(folder), {}));
}

class Files : public testing::Test {
 protected:
  test::TemporaryFolder folder_;
};

TEST_F(Files, AWrittenFileHoldsItsBytesAndNothingElseIsLeft) {
  const std::string path = folder_.file("out");
  {
    auto file = AtomicFile::create(path, false);
    ASSERT_TRUE(file);
    ASSERT_TRUE(file->write("hello ").has_value());
    ASSERT_TRUE(file->write("world").has_value());
    EXPECT_EQ(file->position(), 11U);
    ASSERT_TRUE(file->write_at(6, std::as_bytes(std::span("tern!", 5))).has_value());
    EXPECT_EQ(file->position(), 11U);
    EXPECT_FALSE(exists(path)) << "the target must not appear before commit";
    ASSERT_TRUE(file->commit().has_value());
  }
  EXPECT_EQ(content_of(path), "hello tern!");
  EXPECT_EQ(entries_of(folder_.path()), 1U);
}

TEST_F(Files, WithoutCommitTheOldFileStaysAndTheTemporaryOneGoes) {
  const std::string path = folder_.file("out");
  ASSERT_TRUE(write_file(path, "old", false).has_value());
  {
    auto file = AtomicFile::create(path, true);
    ASSERT_TRUE(file);
    ASSERT_TRUE(file->write("half of the n").has_value());
    EXPECT_EQ(content_of(path), "old");
    EXPECT_EQ(entries_of(folder_.path()), 2U);
    AtomicFile moved = std::move(*file);
    EXPECT_EQ(moved.position(), 13U);
  }
  EXPECT_EQ(content_of(path), "old");
  EXPECT_EQ(entries_of(folder_.path()), 1U);
}

TEST_F(Files, AnExistingTargetIsReplacedOnlyWhenAskedFor) {
  const std::string path = folder_.file("out");
  ASSERT_TRUE(write_file(path, "old", false).has_value());
  const auto refused = write_file(path, "new", false);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::io);
  EXPECT_EQ(refused.error().message, path + ": exists already; use --force to overwrite it");
  EXPECT_EQ(content_of(path), "old");
  ASSERT_TRUE(write_file(path, "new", true).has_value());
  EXPECT_EQ(content_of(path), "new");
}

TEST_F(Files, FoldersDevicesPipesAndMissingFoldersAreNoTargets) {
  const auto folder = AtomicFile::create(folder_.path(), true);
  ASSERT_FALSE(folder);
  EXPECT_NE(folder.error().message.find("is a directory"), std::string::npos);
  const std::string pipe = folder_.file("pipe");
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  const auto refused = AtomicFile::create(pipe, true);
  ASSERT_FALSE(refused) << "renaming over a pipe or a device would replace it";
  EXPECT_NE(refused.error().message.find("is not a regular file"), std::string::npos);
  EXPECT_FALSE(AtomicFile::create("/dev/null", true));
  const auto nowhere = AtomicFile::create(folder_.file("no/such/folder"), false);
  ASSERT_FALSE(nowhere);
  EXPECT_NE(nowhere.error().message.find("cannot write in " + folder_.file("no/such")), std::string::npos)
      << nowhere.error().message;
  EXPECT_EQ(entries_of(folder_.path()), 1U);
}

// The nearest thing to a full disk that needs no privileges: a limit on how large a file may grow.
TEST_F(Files, WhenNoMoreFitsTheErrorCountsTheBytesAndNothingIsLeftBehind) {
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto old_handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit small{10000, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  Result<void> written;
  {
    auto file = AtomicFile::create(folder_.file("out"), false);
    if (file) {
      written = file->write(std::string(8000, 'x'));
      if (written) written = file->write(std::string(8000, 'y'));
    }
  }
  ::setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, old_handler);
  ASSERT_FALSE(written);
  EXPECT_NE(written.error().message.find("cannot write 6000 more bytes after 10000"), std::string::npos)
      << written.error().message;
  EXPECT_EQ(entries_of(folder_.path()), 0U);
}

TEST_F(Files, AFullDiskHasItsOwnErrorCode) {
  // /dev/full answers every write with "no space left"; a link makes it the temporary file.
  if (!exists("/dev/full")) GTEST_SKIP() << "SKIPPED: needs /dev/full";
  const std::string path = folder_.file("out");
  std::filesystem::create_symlink("/dev/full", fmt::format("{}.tmp-{}", path, ::getpid()));
  const auto written = write_file(path, "text", false);
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().code, ErrorCode::out_of_space);
  EXPECT_NE(written.error().message.find("cannot write 4 more bytes after 0: No space left"), std::string::npos)
      << written.error().message;
  EXPECT_EQ(entries_of(folder_.path()), 0U);
  EXPECT_TRUE(exists("/dev/full"));
}

TEST_F(Files, AMappedFileShowsItsBytesAndSurvivesMoves) {
  const std::string path = folder_.file("in");
  std::string text(100000, 'a');
  text[99999] = 'z';
  ASSERT_TRUE(write_file(path, text, false).has_value());
  auto opened = MappedFile::open(path);
  ASSERT_TRUE(opened);
  MappedFile file = std::move(*opened);
  EXPECT_EQ(opened->bytes().size(), 0U);
  MappedFile other;
  other = std::move(file);
  ASSERT_EQ(other.bytes().size(), 100000U);
  other.release(other.bytes().subspan(1, 99000));  // pages come back when they are read again
  other.release(other.bytes());
  EXPECT_EQ(static_cast<char>(other.bytes().front()), 'a');
  EXPECT_EQ(static_cast<char>(other.bytes().back()), 'z');
  EXPECT_EQ(other.path(), path);
}

TEST_F(Files, BytesOfAnotherPlaceAreNotReleased) {
  const std::string path = folder_.file("in");
  ASSERT_TRUE(write_file(path, std::string(100000, 'a'), false).has_value());
  const auto file = MappedFile::open(path);
  ASSERT_TRUE(file);
  std::vector<std::byte> elsewhere(100000, std::byte{7});  // letting go of these pages would turn them to zeros
  file->release(elsewhere);
  MappedFile().release(elsewhere);
  EXPECT_EQ(std::ranges::count(elsewhere, std::byte{7}), 100000);
}

TEST_F(Files, AnEmptyFileIsEmptyAndNoError) {
  const std::string path = folder_.file("empty");
  ASSERT_TRUE(write_file(path, "", false).has_value());
  const auto file = MappedFile::open(path);
  ASSERT_TRUE(file);
  EXPECT_TRUE(file->bytes().empty());
  EXPECT_EQ(read_text_file(path).value(), "");
}

TEST_F(Files, WhatCannotBeMappedIsNamed) {
  const auto missing = MappedFile::open(folder_.file("none"));
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, ErrorCode::not_found);
  EXPECT_EQ(missing.error().message, folder_.file("none") + ": no such file");
  const auto folder = MappedFile::open(folder_.path());
  ASSERT_FALSE(folder);
  EXPECT_EQ(folder.error().code, ErrorCode::bad_input);
  EXPECT_NE(folder.error().message.find("is a directory, expected a regular file"), std::string::npos);
  const std::string pipe = folder_.file("pipe");
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  const auto waited = MappedFile::open(pipe);  // a pipe without a writer: must be refused at once, not waited for
  ASSERT_FALSE(waited);
  EXPECT_NE(waited.error().message.find("not a regular file"), std::string::npos);
  EXPECT_FALSE(MappedFile::open("/dev/zero"));
}

TEST_F(Files, ATextLongerThanTheLimitIsRefused) {
  const std::string path = folder_.file("text");
  ASSERT_TRUE(write_file(path, "12345", false).has_value());
  EXPECT_EQ(read_text_file(path, 5).value(), "12345");
  const auto refused = read_text_file(path, 4);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message, path + ": 5 bytes, expected at most 4");
}

TEST_F(Files, FoldersAndFilesAreToldApart) {
  EXPECT_TRUE(is_directory(folder_.path()));
  EXPECT_TRUE(exists(folder_.path()));
  EXPECT_FALSE(exists(folder_.file("none")));
  EXPECT_FALSE(is_directory(folder_.file("none")));
}

}  // namespace
}  // namespace tern::sys
