// Writes a file so that its name holds either the old bytes or all of the new ones, whatever happens in between:
// a temporary file beside the target, fsync, rename, fsync of the folder.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace tern::sys {

/// Whether AtomicFile::create would begin with `path`, for commands that compute long before they write. Errors: io for
/// what is no regular file, and for an existing one unless `overwrite`.
[[nodiscard]] Result<void> may_write(const std::string& path, bool overwrite);

class AtomicFile {
 public:
  AtomicFile(AtomicFile&& other) noexcept;
  AtomicFile& operator=(AtomicFile&&) = delete;
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;
  /// Removes the temporary file unless commit() succeeded.
  ~AtomicFile();

  /// Starts writing. Refuses an existing target unless `overwrite`; refuses what is no regular file.
  [[nodiscard]] static Result<AtomicFile> create(const std::string& path, bool overwrite);

  /// Appends bytes (buffered by the kernel only). Errors: io (a full disk names the bytes that were missing).
  [[nodiscard]] Result<void> write(std::span<const std::byte> bytes);
  [[nodiscard]] Result<void> write(std::string_view text);
  /// Overwrites bytes already written, at an absolute offset.
  [[nodiscard]] Result<void> write_at(std::uint64_t offset, std::span<const std::byte> bytes);
  [[nodiscard]] std::uint64_t position() const { return position_; }
  /// Syncs and renames into place: seal() and publish().
  [[nodiscard]] Result<void> commit();
  /// Syncs and closes; the temporary file is whole. For several files that shall appear together: all are sealed before
  /// the first is published. Nothing is written afterwards.
  [[nodiscard]] Result<void> seal();
  /// Renames what was sealed into place.
  [[nodiscard]] Result<void> publish();

 private:
  AtomicFile() = default;
  int fd_ = -1;
  std::uint64_t position_ = 0;
  std::string path_;
  std::string temporary_;
};

/// The whole of a small file in one call.
[[nodiscard]] Result<void> write_file(const std::string& path, std::string_view content, bool overwrite);

}  // namespace tern::sys
