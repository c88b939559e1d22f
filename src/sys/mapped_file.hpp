// A read-only memory-mapped file. The bytes live as long as the object; moving it keeps them in place.
// A file that shrinks while mapped would raise SIGBUS: Tern treats model files as immutable while open.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "base/error.hpp"

namespace tern::sys {

class MappedFile {
 public:
  MappedFile() = default;
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  ~MappedFile();

  /// Maps a regular file. Errors: not_found (missing), bad_input (a directory, a device), io.
  [[nodiscard]] static Result<MappedFile> open(const std::string& path);

  [[nodiscard]] std::span<const std::byte> bytes() const { return {data_, n_bytes_}; }
  [[nodiscard]] const std::string& path() const { return path_; }
  /// Tells the kernel these bytes are not needed soon, so a streaming reader's resident memory stays small. Nothing for
  /// bytes that are not of this file.
  void release(std::span<const std::byte> bytes) const;

 private:
  const std::byte* data_ = nullptr;
  std::size_t n_bytes_ = 0;
  std::string path_;
};

/// Reads a whole small text file (a prompt, a config). Errors as MappedFile::open; refuses more than max_bytes.
[[nodiscard]] Result<std::string> read_text_file(const std::string& path, std::size_t max_bytes = std::size_t{1} << 32);

[[nodiscard]] bool is_directory(const std::string& path);
[[nodiscard]] bool exists(const std::string& path);
/// Whether both paths lead to one file that is there.
[[nodiscard]] bool same_file(const std::string& a, const std::string& b);

}  // namespace tern::sys
