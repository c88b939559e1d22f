#include "files/zip.hpp"

#include <algorithm>
#include <optional>

#include "base/byte_cursor.hpp"
#include "base/checked.hpp"
#include "base/words.hpp"

namespace tern::files {
namespace {

using Bytes = std::span<const std::byte>;

constexpr std::string_view kLocalHeader = "PK\x03\x04";
constexpr std::string_view kDirectoryEntry = "PK\x01\x02";
constexpr std::string_view kEnd = "PK\x05\x06";
constexpr std::string_view kEnd64 = "PK\x06\x06";
constexpr std::string_view kEnd64Locator = "PK\x06\x07";
constexpr std::size_t kLocalHeaderBytes = 30;
constexpr std::size_t kDirectoryEntryBytes = 46;
constexpr std::size_t kEndBytes = 22;
constexpr std::size_t kLocatorBytes = 20;
constexpr std::size_t kMaxComment = 65535;
constexpr std::uint16_t kExtra64 = 1;

struct End {
  std::uint64_t n_entries = 0;
  std::uint64_t directory_offset = 0;
  std::uint64_t directory_bytes = 0;
  std::uint64_t position = 0;  // of the end record; the directory lies before it
};

bool has_signature(Bytes bytes, std::uint64_t at, std::string_view signature) {
  return at <= bytes.size() && as_text(bytes.subspan(static_cast<std::size_t>(at))).starts_with(signature);
}

/// The end record: the last one whose comment ends with the file.
std::optional<std::size_t> find_end(Bytes bytes) {
  if (bytes.size() < kEndBytes) return std::nullopt;
  const std::size_t last = bytes.size() - kEndBytes;
  for (std::size_t back = 0; back <= std::min(last, kMaxComment); ++back) {
    const std::size_t at = last - back;
    if (!has_signature(bytes, at, kEnd)) continue;
    const auto length = std::to_integer<std::size_t>(bytes[at + 20]) | std::to_integer<std::size_t>(bytes[at + 21])
                                                                           << 8;
    if (length == back) return at;
  }
  return std::nullopt;
}

Result<End> read_end64(Bytes bytes, std::size_t locator) {
  ByteCursor at(bytes.subspan(locator + 4, kLocatorBytes - 4));
  TERN_TRY(const auto disk, at.read<std::uint32_t>("the ZIP64 locator"));
  TERN_TRY(const auto position, at.read<std::uint64_t>("the ZIP64 locator"));
  TERN_TRY(const auto n_disks, at.read<std::uint32_t>("the ZIP64 locator"));
  if (disk != 0 || n_disks > 1) return fail(ErrorCode::unsupported, "is one part of an archive in several files");
  if (position > locator || !has_signature(bytes, position, kEnd64)) {
    return fail(ErrorCode::bad_input, "the ZIP64 end record should be at byte {}, but is not", position);
  }
  ByteCursor cursor(bytes.subspan(static_cast<std::size_t>(position), static_cast<std::size_t>(locator - position)));
  struct Fixed {
    std::uint32_t signature, size_low, size_high;
    std::uint16_t made_by, needed;
    std::uint32_t disk, directory_disk;
  };
  TERN_TRY(const auto fixed, cursor.read<Fixed>("the ZIP64 end record"));
  End end{.position = position};
  TERN_TRY(const auto n_here, cursor.read<std::uint64_t>("the ZIP64 end record"));
  TERN_TRY(end.n_entries, cursor.read<std::uint64_t>("the ZIP64 end record"));
  TERN_TRY(end.directory_bytes, cursor.read<std::uint64_t>("the ZIP64 end record"));
  TERN_TRY(end.directory_offset, cursor.read<std::uint64_t>("the ZIP64 end record"));
  if (fixed.disk != 0 || fixed.directory_disk != 0 || n_here != end.n_entries) {
    return fail(ErrorCode::unsupported, "is one part of an archive in several files");
  }
  return end;
}

Result<End> read_end(Bytes bytes) {
  const auto found = find_end(bytes);
  if (!found) {
    return fail(ErrorCode::bad_input,
                "truncated: the ZIP archive has no end record: the file is incomplete, get it again");
  }
  ByteCursor cursor(bytes.subspan(*found + 4));
  struct Fixed {
    std::uint16_t disk, directory_disk, n_here, n_entries;
    std::uint32_t directory_bytes, directory_offset;
  };
  TERN_TRY(const auto fixed, cursor.read<Fixed>("the ZIP end record"));
  End end{fixed.n_entries, fixed.directory_offset, fixed.directory_bytes, *found};
  const bool needs_64 =
      fixed.n_entries == 0xffff || fixed.directory_bytes == 0xffffffff || fixed.directory_offset == 0xffffffff;
  if (*found >= kLocatorBytes && has_signature(bytes, *found - kLocatorBytes, kEnd64Locator)) {
    TERN_TRY(const End end64, read_end64(bytes, *found - kLocatorBytes));
    // The old record either says the same or that it cannot say.
    const auto agrees = [](std::uint64_t old, std::uint64_t limit, std::uint64_t value) {
      return old == limit || old == value;
    };
    if (!agrees(end.n_entries, 0xffff, end64.n_entries) ||
        !agrees(end.directory_bytes, 0xffffffff, end64.directory_bytes) ||
        !agrees(end.directory_offset, 0xffffffff, end64.directory_offset)) {
      return fail(ErrorCode::bad_input, "the ZIP and ZIP64 end records contradict each other");
    }
    end = end64;
  } else if (needs_64) {
    return fail(ErrorCode::bad_input, "the ZIP end record refers to a ZIP64 record that is not there");
  } else if (fixed.disk != 0 || fixed.directory_disk != 0 || fixed.n_here != fixed.n_entries) {
    return fail(ErrorCode::unsupported, "is one part of an archive in several files");
  }
  const auto directory_end = checked_add(end.directory_offset, end.directory_bytes);
  if (!directory_end || *directory_end > end.position) {
    return fail(ErrorCode::bad_input,
                "the ZIP directory ({} bytes at byte {}) does not lie before its end record at {}", end.directory_bytes,
                end.directory_offset, end.position);
  }
  if (end.n_entries > end.directory_bytes / kDirectoryEntryBytes) {
    return fail(ErrorCode::bad_input, "{} ZIP entries announced in a directory of {} bytes", end.n_entries,
                end.directory_bytes);
  }
  return end;
}

struct DirectoryEntry {
  std::string_view name;
  std::uint16_t flags = 0;
  std::uint16_t method = 0;
  std::uint64_t stored_bytes = 0;
  std::uint64_t full_bytes = 0;
  std::uint64_t offset = 0;
};

/// Sizes and offset that did not fit in 32 bits stand in an extra field, in a fixed order.
Result<void> read_extra64(Bytes extra, DirectoryEntry& entry) {
  ByteCursor cursor(extra);
  while (cursor.remaining() >= 4) {
    TERN_TRY(const auto id, cursor.read<std::uint16_t>("an extra field"));
    TERN_TRY(const auto n_bytes, cursor.read<std::uint16_t>("an extra field"));
    TERN_TRY(const Bytes body, cursor.take(n_bytes, "an extra field"));
    if (id != kExtra64) continue;
    ByteCursor values(body);
    for (std::uint64_t* field : {&entry.full_bytes, &entry.stored_bytes, &entry.offset}) {
      if (*field != 0xffffffff) continue;
      TERN_TRY(*field, values.read<std::uint64_t>("the ZIP64 extra field"));
    }
    return {};
  }
  return fail(ErrorCode::bad_input, "refers to a ZIP64 extra field that is not there");
}

/// "archive/data/0", and nothing that leads out of a folder: nothing is unpacked here, but no honest writer makes it.
bool is_plain_name(std::string_view name) {
  if (name.empty() || name.front() == '/' || name.find('\\') != name.npos || name.find('\0') != name.npos) return false;
  std::size_t begin = 0;
  for (;;) {
    const auto slash = name.find('/', begin);
    if (name.substr(begin, slash - begin) == "..") return false;
    if (slash == name.npos) return true;
    begin = slash + 1;
  }
}

Result<DirectoryEntry> read_entry(ByteCursor& cursor) {
  struct Fixed {
    std::uint16_t made_by, needed, flags, method, time, date;
    std::uint32_t checksum, stored_bytes, full_bytes;
    std::uint16_t name_bytes, extra_bytes, comment_bytes, disk, internal;
  };
  constexpr std::size_t kFixedBytes = 34;  // the struct's end is padded
  static_assert(sizeof(Fixed) == kFixedBytes + 2);
  TERN_TRY(const Bytes signature, cursor.take(4, "a ZIP directory entry"));
  if (as_text(signature) != kDirectoryEntry) {
    return fail(ErrorCode::bad_input, "the ZIP directory holds something that is not an entry");
  }
  TERN_TRY(const Bytes head, cursor.take(kFixedBytes, "a ZIP directory entry"));
  Fixed fixed{};
  std::ranges::copy(head, std::as_writable_bytes(std::span(&fixed, 1)).begin());
  TERN_TRY_DO(cursor.take(4, "a ZIP directory entry"));  // external attributes
  TERN_TRY(const auto offset, cursor.read<std::uint32_t>("a ZIP directory entry"));
  TERN_TRY(const Bytes name, cursor.take(fixed.name_bytes, "the name of a ZIP entry"));
  TERN_TRY(const Bytes extra, cursor.take(fixed.extra_bytes, "the extra field of a ZIP entry"));
  TERN_TRY_DO(cursor.take(fixed.comment_bytes, "the comment of a ZIP entry"));
  DirectoryEntry entry{as_text(name), fixed.flags, fixed.method, fixed.stored_bytes, fixed.full_bytes, offset};
  const auto says = [&](Result<void> result) -> Result<void> {
    if (result) return result;
    return in_context(fmt::format("ZIP entry {}", printable(entry.name)), std::move(result).error());
  };
  if (!is_plain_name(entry.name)) {
    return fail(ErrorCode::bad_input, "ZIP entry \"{}\", expected a plain name such as archive/data.pkl",
                printable(entry.name));
  }
  if (fixed.stored_bytes == 0xffffffff || fixed.full_bytes == 0xffffffff || offset == 0xffffffff) {
    TERN_TRY_DO(says(read_extra64(extra, entry)));
  }
  if ((entry.flags & 1) != 0) TERN_TRY_DO(says(fail(ErrorCode::unsupported, "is encrypted")));
  if (entry.method != 0) {
    TERN_TRY_DO(
        says(fail(ErrorCode::unsupported,
                  "is compressed (method {}); torch.save stores as it is, and Tern reads nothing else", entry.method)));
  }
  if (entry.stored_bytes != entry.full_bytes) {
    TERN_TRY_DO(says(
        fail(ErrorCode::bad_input, "is stored in {} bytes but said to be {}", entry.stored_bytes, entry.full_bytes)));
  }
  return entry;
}

/// Where an entry's bytes begin: behind its own header, whose name must be the directory's.
Result<std::uint64_t> data_offset(Bytes bytes, const DirectoryEntry& entry, std::uint64_t limit) {
  if (entry.offset > limit || limit - entry.offset < kLocalHeaderBytes ||
      !has_signature(bytes, entry.offset, kLocalHeader)) {
    return fail(ErrorCode::bad_input, "should begin at byte {}, but does not", entry.offset);
  }
  ByteCursor cursor(
      bytes.subspan(static_cast<std::size_t>(entry.offset), static_cast<std::size_t>(limit - entry.offset)));
  TERN_TRY_DO(cursor.take(8, "its header"));
  TERN_TRY(const auto method, cursor.read<std::uint16_t>("its header"));
  TERN_TRY_DO(cursor.take(16, "its header"));
  TERN_TRY(const auto name_bytes, cursor.read<std::uint16_t>("its header"));
  TERN_TRY(const auto extra_bytes, cursor.read<std::uint16_t>("its header"));
  TERN_TRY(const Bytes name, cursor.take(name_bytes, "its name"));
  TERN_TRY_DO(cursor.take(extra_bytes, "its extra field"));
  if (as_text(name) != entry.name || method != entry.method) {
    return fail(ErrorCode::bad_input, "has a header of its own that names \"{}\" (method {})", printable(as_text(name)),
                method);
  }
  if (entry.stored_bytes > cursor.remaining()) {
    return fail(ErrorCode::bad_input, "truncated: needs {} bytes at byte {}, only {} are left before the directory",
                entry.stored_bytes, entry.offset + cursor.position(), cursor.remaining());
  }
  return entry.offset + cursor.position();
}

}  // namespace

Result<ZipDirectory> ZipDirectory::parse(Bytes bytes) {
  TERN_TRY(const End end, read_end(bytes));
  ZipDirectory directory;
  ByteCursor cursor(
      bytes.subspan(static_cast<std::size_t>(end.directory_offset), static_cast<std::size_t>(end.directory_bytes)));
  struct Place {
    std::uint64_t begin, end;
    std::string_view name;
  };
  std::vector<Place> places;
  for (std::uint64_t i = 0; i < end.n_entries; ++i) {
    TERN_TRY(const DirectoryEntry entry, read_entry(cursor));
    const auto begin = data_offset(bytes, entry, end.directory_offset);
    if (!begin) return in_context(fmt::format("ZIP entry {}", printable(entry.name)), begin.error());
    if (!directory.places_.emplace(entry.name, directory.entries_.size()).second) {
      return fail(ErrorCode::bad_input, "ZIP entry {} is there twice, expected once", printable(entry.name));
    }
    directory.entries_.push_back(
        {entry.name, bytes.subspan(static_cast<std::size_t>(*begin), static_cast<std::size_t>(entry.stored_bytes))});
    places.push_back({entry.offset, *begin + entry.stored_bytes, entry.name});
  }
  if (cursor.remaining() != 0) {
    return fail(ErrorCode::bad_input, "the ZIP directory goes on for {} bytes after the {} entries announced",
                cursor.remaining(), end.n_entries);
  }
  std::ranges::sort(places, {}, &Place::begin);
  for (std::size_t i = 1; i < places.size(); ++i) {
    if (places[i].begin < places[i - 1].end) {
      return fail(ErrorCode::bad_input, "ZIP entries {} and {} overlap", printable(places[i - 1].name),
                  printable(places[i].name));
    }
  }
  return directory;
}

const ZipEntry* ZipDirectory::find(std::string_view name) const {
  const auto place = places_.find(name);
  return place == places_.end() ? nullptr : &entries_[place->second];
}

}  // namespace tern::files
