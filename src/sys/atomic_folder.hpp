// Writes a folder of files so that its name holds either what was there or all of the new files: they are made in a
// temporary folder beside the target, and one rename puts it in place. Where a folder stands there already, the two
// change names in one step (Linux: renameat2 with RENAME_EXCHANGE) and the old one is removed afterwards.
// Not for trees: files alone.
#pragma once

#include <string>
#include <string_view>

#include "base/error.hpp"

namespace tern::sys {

/// Whether AtomicFolder::create would begin with `path`. Errors: io for what is no folder; for one that holds anything
/// unless `overwrite`; and always for one with folders in it, or without a file named `mark`: what gets removed must be
/// a folder of the kind that is written.
[[nodiscard]] Result<void> may_write_folder(const std::string& path, std::string_view mark, bool overwrite);

class AtomicFolder {
 public:
  AtomicFolder(AtomicFolder&& other) noexcept;
  AtomicFolder& operator=(AtomicFolder&&) = delete;
  AtomicFolder(const AtomicFolder&) = delete;
  AtomicFolder& operator=(const AtomicFolder&) = delete;
  /// Removes the temporary folder unless commit() succeeded.
  ~AtomicFolder();

  /// Makes the temporary folder. Errors: those of may_write_folder; io where it cannot be made.
  [[nodiscard]] static Result<AtomicFolder> create(const std::string& path, std::string_view mark, bool overwrite);

  /// Where to write the file of that name until commit().
  [[nodiscard]] std::string file(std::string_view name) const;
  /// Puts the folder in place. The files in it were synced by who wrote them (AtomicFile does).
  [[nodiscard]] Result<void> commit();

 private:
  AtomicFolder() = default;
  std::string path_;
  std::string temporary_;
  std::string mark_;
  bool overwrite_ = false;
};

}  // namespace tern::sys
