// Killed at any moment, a writer leaves the old file or the new one: 200 children are stopped with SIGKILL at random
// moments while they write a GGUF over an existing one, and the target is compared byte for byte each time.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "base/random.hpp"
#include "files/gguf_reader.hpp"
#include "files/gguf_writer.hpp"
#include "formats/all.hpp"
#include "sys/clock.hpp"
#include "tests/support/data.hpp"

namespace tern::files {
namespace {

constexpr int kKills = 200;
constexpr std::size_t kTensors = 16;
constexpr std::int64_t kRowLength = 4096;

std::string slurp(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

/// A file whose bytes all follow from `fill`.
Result<void> write_model(const std::string& path, char fill) {
  TERN_TRY(auto writer, GgufWriter::create(path, true));
  Metadata metadata;
  metadata.set("general.architecture", std::string(100, fill));
  TERN_TRY_DO(writer.set_metadata(std::move(metadata)));
  for (std::size_t i = 0; i < kTensors; ++i) {
    TERN_TRY_DO(writer.add_tensor(fmt::format("tensor.{}", i), matrix_shape(kRowLength, 8), formats::kF32));
  }
  const std::vector<std::byte> row(static_cast<std::size_t>(kRowLength) * 4, static_cast<std::byte>(fill));
  for (std::size_t i = 0; i < kTensors; ++i) {
    TERN_TRY_DO(writer.begin_tensor(i));
    for (int r = 0; r < 8; ++r) TERN_TRY_DO(writer.write(row));
    TERN_TRY_DO(writer.end_tensor());
  }
  return writer.commit();
}

/// Writes `fill` in a child killed after `microseconds` (never, if negative). True if the child ended by itself.
bool write_in_child(const std::string& path, char fill, std::int64_t microseconds) {
  int ready[2];
  if (::pipe(ready) != 0) return false;
  const pid_t child = ::fork();
  if (child == 0) {
    ::close(ready[0]);
    const char go = 1;
    if (::write(ready[1], &go, 1) != 1) ::_exit(2);
    ::_exit(write_model(path, fill) ? 0 : 1);
  }
  ::close(ready[1]);
  char go = 0;
  EXPECT_EQ(::read(ready[0], &go, 1), 1);  // the clock starts when the child does
  ::close(ready[0]);
  if (microseconds >= 0) {
    ::usleep(static_cast<useconds_t>(microseconds));
    ::kill(child, SIGKILL);
  }
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  if (WIFEXITED(status)) {
    EXPECT_EQ(WEXITSTATUS(status), 0);
    return true;
  }
  return false;
}

TEST(KilledWriter, LeavesTheOldFileOrTheNewOne) {
  const tern::test::TemporaryFolder folder;
  const std::string target = folder.file("model.gguf");
  ASSERT_TRUE(write_model(target, 'a'));
  const std::string old_a = slurp(target);
  const sys::Stopwatch watch;
  ASSERT_TRUE(write_in_child(target, 'b', -1));
  const double whole_seconds = watch.seconds();
  const std::string old_b = slurp(target);
  ASSERT_NE(old_a, old_b);

  Random random(20240229);
  std::string before = old_b;
  int n_killed = 0;
  int n_old = 0;
  for (int trial = 0; n_killed < kKills && trial < 20 * kKills; ++trial) {
    const char fill = before == old_a ? 'b' : 'a';
    const std::string& wanted = fill == 'a' ? old_a : old_b;
    const double moment = random.uniform() * 1.1 * whole_seconds * 1e6;
    const bool ended = write_in_child(target, fill, static_cast<std::int64_t>(moment));
    n_killed += ended ? 0 : 1;
    const std::string after = slurp(target);
    ASSERT_TRUE(after == before || after == wanted)
        << "trial " << trial << ", killed after " << moment << " us: " << after.size() << " bytes of neither file";
    if (ended) {
      ASSERT_TRUE(after == wanted);
    }
    n_old += after == before ? 1 : 0;
    ASSERT_TRUE(GgufFile::open(target));
    before = after;
    for (const auto& item : std::filesystem::directory_iterator(folder.path())) {  // what the killed ones left
      if (item.path() != target) std::filesystem::remove(item.path());
    }
  }
  EXPECT_EQ(n_killed, kKills);
  EXPECT_GT(n_old, kKills / 4) << "most kills should come before the rename, or the test shows nothing";
}

}  // namespace
}  // namespace tern::files
