#include "sys/atomic_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "sys/path.hpp"

namespace tern::sys {
namespace {

ErrorCode code_of(int error) {
  return error == ENOSPC || error == EDQUOT ? ErrorCode::out_of_space : ErrorCode::io;
}

}  // namespace

AtomicFile::AtomicFile(AtomicFile&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)),
      position_(other.position_),
      path_(std::move(other.path_)),
      temporary_(std::exchange(other.temporary_, {})) {}

AtomicFile::~AtomicFile() {
  if (fd_ >= 0) ::close(fd_);
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

Result<void> may_write(const std::string& path, bool overwrite) {
  struct stat info{};
  const bool is_there = ::stat(path.c_str(), &info) == 0;
  if (is_there && !S_ISREG(info.st_mode)) {  // renaming over a device would replace it
    return fail(ErrorCode::io, "{}: is {}, expected a file name to write", path,
                S_ISDIR(info.st_mode) ? "a directory" : "not a regular file");
  }
  if (!overwrite && is_there) {
    return fail(ErrorCode::io, "{}: exists already; use --force to overwrite it", path);
  }
  return {};
}

Result<AtomicFile> AtomicFile::create(const std::string& path, bool overwrite) {
  TERN_TRY_DO(may_write(path, overwrite));
  AtomicFile file;
  file.path_ = path;
  file.temporary_ = temporary_of(path);
  file.fd_ = ::open(file.temporary_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (file.fd_ < 0) {
    file.temporary_.clear();
    return fail(ErrorCode::io, "{}: cannot write in {}: {}", path, folder_of(path), std::strerror(errno));
  }
  return file;
}

Result<void> AtomicFile::write(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd_, bytes.data(), bytes.size());
    if (n < 0) {
      if (errno == EINTR) continue;
      return fail(code_of(errno), "{}: cannot write {} more bytes after {}: {}", path_, bytes.size(), position_,
                  std::strerror(errno));
    }
    position_ += static_cast<std::uint64_t>(n);
    bytes = bytes.subspan(static_cast<std::size_t>(n));
  }
  return {};
}

Result<void> AtomicFile::write(std::string_view text) {
  return write(std::as_bytes(std::span(text)));
}

Result<void> AtomicFile::write_at(std::uint64_t offset, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::pwrite(fd_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (n < 0) {
      if (errno == EINTR) continue;
      return fail(code_of(errno), "{}: cannot rewrite {} bytes at {}: {}", path_, bytes.size(), offset,
                  std::strerror(errno));
    }
    offset += static_cast<std::uint64_t>(n);
    bytes = bytes.subspan(static_cast<std::size_t>(n));
  }
  return {};
}

Result<void> AtomicFile::commit() {
  TERN_TRY_DO(seal());
  return publish();
}

Result<void> AtomicFile::seal() {
  if (::fsync(fd_) != 0) return fail(code_of(errno), "{}: cannot sync: {}", path_, std::strerror(errno));
  const int closed = ::close(std::exchange(fd_, -1));
  if (closed != 0) return fail(ErrorCode::io, "{}: cannot close: {}", path_, std::strerror(errno));
  return {};
}

Result<void> AtomicFile::publish() {
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) {
    return fail(ErrorCode::io, "{}: cannot rename {} into place: {}", path_, temporary_, std::strerror(errno));
  }
  temporary_.clear();
  const int folder = ::open(folder_of(path_).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder >= 0) {
    ::fsync(folder);
    ::close(folder);
  }
  return {};
}

Result<void> write_file(const std::string& path, std::string_view content, bool overwrite) {
  TERN_TRY(AtomicFile file, AtomicFile::create(path, overwrite));
  TERN_TRY_DO(file.write(content));
  return file.commit();
}

}  // namespace tern::sys
