// The directory of a ZIP archive whose entries are stored as they are: names, and where the bytes lie. It unpacks
// nothing: a compressed or encrypted entry is refused by name, so that no archive can grow when read, and entries may
// not overlap. ZIP64 is understood. The checksums are not looked at: programs that write such archives may leave them
// out. Source: PKWARE's APPNOTE 6.3, sections 4.3 and 4.5.3.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"

namespace tern::files {

struct ZipEntry {
  std::string_view name;  // a view of the archive's bytes
  std::span<const std::byte> bytes;
};

class ZipDirectory {
 public:
  /// Over borrowed bytes, which must outlive the object. Errors: bad_input for what does not fit together (offsets,
  /// counts, names, overlaps), unsupported for compression, encryption and archives in several parts.
  [[nodiscard]] static Result<ZipDirectory> parse(std::span<const std::byte> bytes);

  /// In the order of the directory.
  [[nodiscard]] std::span<const ZipEntry> entries() const { return entries_; }
  /// Null when absent.
  [[nodiscard]] const ZipEntry* find(std::string_view name) const;

 private:
  ZipDirectory() = default;
  std::vector<ZipEntry> entries_;
  std::map<std::string_view, std::size_t> places_;
};

}  // namespace tern::files
