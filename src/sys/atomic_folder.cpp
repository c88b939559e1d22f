#include "sys/atomic_folder.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <utility>

#include "sys/path.hpp"

namespace tern::sys {
namespace {

namespace fs = std::filesystem;

void sync_folder(const std::string& path) {
  const int folder = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) return;
  ::fsync(folder);
  ::close(folder);
}

bool is_there(const std::string& path) {
  struct stat info{};
  return ::lstat(path.c_str(), &info) == 0;
}

}  // namespace

Result<void> may_write_folder(const std::string& path, std::string_view mark, bool overwrite) {
  if (!is_there(path)) return {};
  std::error_code error;
  if (fs::is_symlink(path, error) || !fs::is_directory(path, error))
    return fail(ErrorCode::io, "{}: is no folder, expected a name for one", path);
  bool is_empty = true;
  bool has_mark = false;
  for (fs::directory_iterator at(path, error), end; !error && at != end; at.increment(error)) {
    is_empty = false;
    has_mark = has_mark || at->path().filename() == mark;
    if (at->is_directory(error)) {
      return fail(ErrorCode::io, "{}: holds the folder {}: it will not be replaced, name another", path,
                  at->path().filename().string());
    }
  }
  if (error) return fail(ErrorCode::io, "{}: cannot list: {}", path, error.message());
  if (is_empty) return {};
  if (!overwrite) return fail(ErrorCode::io, "{}: exists already; use --force to overwrite it", path);
  if (!has_mark) {
    return fail(ErrorCode::io, "{}: holds files but no {}: it will not be replaced, name another", path, mark);
  }
  return {};
}

AtomicFolder::AtomicFolder(AtomicFolder&& other) noexcept
    : path_(std::move(other.path_)),
      temporary_(std::exchange(other.temporary_, {})),
      mark_(std::move(other.mark_)),
      overwrite_(other.overwrite_) {}

AtomicFolder::~AtomicFolder() {
  std::error_code ignored;
  if (!temporary_.empty()) fs::remove_all(temporary_, ignored);
}

Result<AtomicFolder> AtomicFolder::create(const std::string& path, std::string_view mark, bool overwrite) {
  AtomicFolder folder;
  folder.path_ = without_final_slashes(path);
  folder.mark_ = mark;
  folder.overwrite_ = overwrite;
  TERN_TRY_DO(may_write_folder(folder.path_, mark, overwrite));
  const std::string temporary = temporary_of(folder.path_);
  std::error_code ignored;
  fs::remove_all(temporary, ignored);  // of a process of that number that was killed
  if (::mkdir(temporary.c_str(), 0755) != 0) {
    return fail(ErrorCode::io, "{}: cannot make a folder in {}: {}", path, folder_of(folder.path_),
                std::strerror(errno));
  }
  folder.temporary_ = temporary;
  return folder;
}

std::string AtomicFolder::file(std::string_view name) const {
  return fmt::format("{}/{}", temporary_, name);
}

Result<void> AtomicFolder::commit() {
  TERN_TRY_DO(may_write_folder(path_, mark_, overwrite_));  // again: a long work lies between
  sync_folder(temporary_);
  if (!is_there(path_)) {
    if (::rename(temporary_.c_str(), path_.c_str()) != 0)
      return fail(ErrorCode::io, "{}: cannot rename {} into place: {}", path_, temporary_, std::strerror(errno));
    temporary_.clear();
  } else if (::renameat2(AT_FDCWD, temporary_.c_str(), AT_FDCWD, path_.c_str(), RENAME_EXCHANGE) != 0) {
    // A file system without exchange: for a moment the name holds nothing, but the old folder stands beside it.
    const std::string old = fmt::format("{}.old-{}", path_, ::getpid());
    if (::rename(path_.c_str(), old.c_str()) != 0)
      return fail(ErrorCode::io, "{}: cannot move it aside: {}", path_, std::strerror(errno));
    if (::rename(temporary_.c_str(), path_.c_str()) != 0) {
      const int why = errno;
      const bool is_back = ::rename(old.c_str(), path_.c_str()) == 0;
      return fail(ErrorCode::io, "{}: cannot rename {} into place: {}{}", path_, temporary_, std::strerror(why),
                  is_back ? "" : "; the old folder is " + old);
    }
    temporary_ = old;
  }
  sync_folder(folder_of(path_));
  // What stands under the temporary name now is the old folder.
  std::error_code ignored;
  if (!temporary_.empty()) fs::remove_all(temporary_, ignored);
  temporary_.clear();
  return {};
}

}  // namespace tern::sys
