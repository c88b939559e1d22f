// A split model that is written over an older one and killed at any moment: the old parts, the new ones, or a model
// that is refused because its first part is missing; never a mixture that opens. And a full disk leaves no part at all.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "base/random.hpp"
#include "files/gguf_reader.hpp"
#include "files/gguf_set_writer.hpp"
#include "formats/all.hpp"
#include "sys/clock.hpp"
#include "tests/support/data.hpp"

namespace tern::files {
namespace {

constexpr int kKills = 60;
constexpr std::size_t kParts = 8;

/// A model of eight parts whose bytes all follow from `fill`.
Result<void> write_set(const std::string& prefix, char fill) {
  GgufLayout whole;
  whole.metadata.set("general.architecture", std::string(20, fill));
  for (std::size_t i = 0; i < kParts; ++i) {
    TERN_TRY_DO(whole.add_tensor(fmt::format("t{}", i), vector_shape(16384), formats::kF32));
  }
  TERN_TRY(auto parts, split_layout(whole, std::vector<std::size_t>(kParts, 1), prefix));
  TERN_TRY(GgufSetWriter writer, GgufSetWriter::create(std::move(parts), true));
  const std::vector<std::byte> bytes(16384 * 4, static_cast<std::byte>(fill));
  for (std::size_t i = 0; i < kParts; ++i) {
    TERN_TRY_DO(writer.begin_tensor(i));
    TERN_TRY_DO(writer.write(bytes));
    TERN_TRY_DO(writer.end_tensor());
  }
  return writer.commit();
}

/// The letter the model is filled with; '-' if it is refused for its missing first part; '?' for everything else.
char filled_with(const std::string& prefix) {
  const auto file = GgufFile::open(split_path(prefix, kParts - 1, kParts));
  if (!file) return file.error().message.find("part 1 of 8 is missing") != std::string::npos ? '-' : '?';
  const char fill = file->architecture().front();
  for (const GgufTensor& tensor : file->tensors()) {
    for (const std::byte b : file->bytes(tensor)) {
      if (b != static_cast<std::byte>(fill)) return '?';
    }
  }
  return fill;
}

/// True if the child ended by itself.
bool write_in_child(const std::string& prefix, char fill, std::int64_t microseconds) {
  int ready[2];
  if (::pipe(ready) != 0) return false;
  const pid_t child = ::fork();
  if (child == 0) {
    if (::write(ready[1], "x", 1) != 1) ::_exit(2);
    ::_exit(write_set(prefix, fill) ? 0 : 1);
  }
  char go = 0;
  EXPECT_EQ(::read(ready[0], &go, 1), 1);
  ::close(ready[0]);
  ::close(ready[1]);
  ::usleep(static_cast<useconds_t>(microseconds));
  ::kill(child, SIGKILL);
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  return WIFEXITED(status);
}

TEST(KilledSplit, LeavesTheOldModelTheNewOneOrOneThatIsRefused) {
  const tern::test::TemporaryFolder folder;
  const std::string prefix = folder.file("m");
  ASSERT_TRUE(write_set(prefix, 'a'));
  const sys::Stopwatch watch;
  ASSERT_TRUE(write_set(prefix, 'b'));
  const double whole_seconds = watch.seconds();
  ASSERT_EQ(filled_with(prefix), 'b');
  Random random(20261121);
  char before = 'b';
  int n_killed = 0;
  int n_old = 0;
  for (int trial = 0; n_killed < kKills && trial < 20 * kKills; ++trial) {
    const char fill = before == 'a' ? 'b' : 'a';
    const bool ended =
        write_in_child(prefix, fill, static_cast<std::int64_t>(random.uniform() * 1.1 * whole_seconds * 1e6));
    n_killed += ended ? 0 : 1;
    const char after = filled_with(prefix);
    ASSERT_TRUE(after == fill || (!ended && (after == before || after == '-'))) << "trial " << trial << ": " << after;
    n_old += after == before ? 1 : 0;
    for (const auto& item : std::filesystem::directory_iterator(folder.path())) {
      if (item.path().extension() != ".gguf") std::filesystem::remove(item.path());
    }
    if (after == '-') {
      ASSERT_TRUE(write_set(prefix, fill));
    }
    before = after == '-' ? fill : after;
  }
  EXPECT_EQ(n_killed, kKills);
  EXPECT_GT(n_old, kKills / 8) << "many kills should come before the renames, or the test shows nothing";
}

TEST(FullDisk, LeavesNoPart) {
  const tern::test::TemporaryFolder folder;
  const pid_t child = ::fork();
  if (child == 0) {  // a file that may not grow beyond a part's half stands for the disk that is full
    ::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{32768, 32768};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    const auto done = write_set(folder.file("m"), 'a');
    ::_exit(!done && done.error().message.find("cannot write") != std::string::npos ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

}  // namespace
}  // namespace tern::files
