#include "train/run/run_folder.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

#include "sys/path.hpp"
#include "train/data/data_manifest.hpp"
#include "train/data/tokenizer_copy.hpp"
#include "train/run/checkpoint.hpp"

namespace tern::train {
namespace {

namespace fs = std::filesystem;

// Empty; its name says what the folder is, and it is what is locked.
constexpr std::string_view kMark = ".tern-run";
// Beside checkpoints.
constexpr std::array<std::string_view, 4> kWritten{"log.jsonl", "report.html", "recipe.json", kLatestModelName};

std::string mark_of(const std::string& path) {
  return fmt::format("{}/{}", path, kMark);
}

Result<void> may_begin(const std::string& path) {
  const std::vector<std::string> old = CheckpointFolder(path).list();
  if (!old.empty()) {
    return fail(ErrorCode::usage, "{}: holds a run already ({}); go on with --resume, or choose another folder", path,
                sys::file_name_of(old.front()));
  }
  std::error_code error;
  if (fs::exists(path + "/" + std::string(kManifestName), error)) {
    return fail(ErrorCode::usage, "{}: holds a data set; choose another folder for the run", path);
  }
  if (fs::exists(path, error) && !fs::is_directory(path, error)) {
    return fail(ErrorCode::usage, "{}: is a file, expected a folder for the run", path);
  }
  if (fs::exists(path, error) && !fs::is_empty(path, error) && !fs::exists(mark_of(path), error)) {
    return fail(ErrorCode::usage, "{}: holds files, but no run; choose another folder", path);
  }
  return {};
}

/// Of a file that runs write, while it is not whole yet.
bool is_half_written(std::string_view name) {
  const std::string_view whole = sys::written_as(name);
  return is_checkpoint_name(whole) || std::ranges::find(kWritten, whole) != kWritten.end();
}

/// What a run that was killed while it wrote left behind. Requires the lock.
void remove_leftovers(const std::string& path) {
  std::error_code error;
  std::vector<fs::path> leftovers;
  for (fs::directory_iterator item(path, error); !error && item != fs::directory_iterator(); item.increment(error)) {
    if (is_half_written(item->path().filename().string())) leftovers.push_back(item->path());
  }
  for (const fs::path& leftover : leftovers) fs::remove(leftover, error);
}

}  // namespace

RunFolder::RunFolder(RunFolder&& other) noexcept
    : path_(std::move(other.path_)), is_new_(other.is_new_), fd_(std::exchange(other.fd_, -1)) {}

RunFolder::~RunFolder() {
  if (fd_ >= 0) ::close(fd_);
}

Result<RunFolder> RunFolder::begin(const std::string& path) {
  TERN_TRY_DO(may_begin(path));
  RunFolder folder(path);
  std::error_code error;
  folder.is_new_ = fs::create_directories(sys::without_final_slashes(path), error);
  if (error) return fail(ErrorCode::io, "{}: cannot be made: {}", path, error.message());
  TERN_TRY_DO(folder.lock());
  // Of a run that never came to a checkpoint; it may have had another tokenizer.
  for (const std::string_view name : kWritten) fs::remove(fmt::format("{}/{}", path, name), error);
  for (const std::string& name : tokenizer_file_names()) fs::remove(fmt::format("{}/{}", path, name), error);
  return folder;
}

Result<RunFolder> RunFolder::go_on(const std::string& path) {
  RunFolder folder(path);
  TERN_TRY_DO(folder.lock());
  return folder;
}

Result<void> RunFolder::lock() {
  fd_ = ::open(mark_of(path_).c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (fd_ < 0) return fail(ErrorCode::io, "{}: cannot be written: {}", mark_of(path_), std::strerror(errno));
  if (::flock(fd_, LOCK_EX | LOCK_NB) == 0) {
    remove_leftovers(path_);
    return {};
  }
  return fail(ErrorCode::usage, "{}: another tern train is writing there; wait for it, or choose another folder",
              path_);
}

void RunFolder::take_back() {
  if (!is_new_) return;
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

}  // namespace tern::train
