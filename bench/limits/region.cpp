// Mapping, filling and asking the kernel what it did: /proc/self/smaps (see the kernel's
// Documentation/filesystems/proc.rst).
#include "region.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>

namespace limits {

namespace {

constexpr std::size_t kHugeBytes = 2 << 20;
constexpr std::size_t kWordsPerPage = kPageBytes / 8;
constexpr std::uint64_t kStride = 0x9E3779B97F4A7C15;  // odd: no word comes twice, none but the first is 0

std::string reason() {
  return std::error_code(errno, std::generic_category()).message();
}

/// The number in "AnonHugePages:    2048 kB", in bytes, if the line has that key.
std::optional<std::size_t> kilobytes(std::string_view line, std::string_view key) {
  if (!line.starts_with(key) || line.size() <= key.size() || line[key.size()] != ':') return std::nullopt;
  const std::size_t digits = line.find_first_of("0123456789");
  std::size_t n = 0;
  if (digits == line.npos) return std::nullopt;
  if (std::from_chars(line.data() + digits, line.data() + line.size(), n).ec != std::errc{}) return std::nullopt;
  return n * 1024;
}

/// n bytes, 1 to 8, as a little-endian word.
std::uint64_t word_at(const std::byte* data, std::size_t n) {
  std::uint64_t word = 0;
  std::memcpy(&word, data, n);
  if constexpr (std::endian::native == std::endian::big) word = __builtin_bswap64(word);
  return word;
}

}  // namespace

std::uint64_t plain_sum(const std::byte* data, std::size_t n) {
  std::uint64_t sums[4] = {};  // four, so that one addition need not wait for the last
  std::size_t i = 0;
  for (; i + 32 <= n; i += 32) {
    for (std::size_t j = 0; j < 4; ++j) sums[j] += word_at(data + i + 8 * j, 8);
  }
  for (; i < n; i += 8) sums[0] += word_at(data + i, std::min<std::size_t>(8, n - i));
  return sums[0] + sums[1] + sums[2] + sums[3];
}

Region::Region(Region&& other) noexcept
    : whole_(std::exchange(other.whole_, nullptr)),
      whole_bytes_(other.whole_bytes_),
      data_(other.data_),
      bytes_(other.bytes_),
      share_bytes_(other.share_bytes_),
      file_(std::exchange(other.file_, -1)),
      sums_(std::move(other.sums_)) {}

Region::~Region() {
  if (whole_ != nullptr) ::munmap(whole_, whole_bytes_);
  if (file_ >= 0) ::close(file_);
}

std::expected<Region, std::string> Region::make(Pages pages, std::size_t bytes, const std::string& folder, Crew& crew) {
  Region region;
  const auto n_shares = static_cast<std::size_t>(crew.size());
  region.share_bytes_ = bytes / n_shares / kPageBytes * kPageBytes;
  region.bytes_ = region.share_bytes_ * n_shares;
  if (region.share_bytes_ == 0) {
    return std::unexpected("a buffer of " + std::to_string(bytes) + " bytes is less than a page of " +
                           std::to_string(kPageBytes) + " bytes for each of " + std::to_string(n_shares) + " threads");
  }
  if (std::string error = region.map(pages, folder); !error.empty()) return std::unexpected(std::move(error));
  region.sums_.assign(n_shares, std::vector<std::uint64_t>(region.share_bytes_ / kPageBytes + 1));
  std::atomic<bool> written = true, right = true;
  crew.run([&](int thread) {
    if (!region.fill(thread)) {
      written = false;
    } else if (plain_sum(region.share(thread), region.share_bytes_) !=
               region.known_sum(thread, 0, region.share_bytes_)) {
      right = false;
    }
  });
  if (!written) {
    return std::unexpected("cannot write a file of " + std::to_string(region.bytes_) + " bytes to " + folder +
                           "; name a folder with more room");
  }
  if (!right) return std::unexpected("the memory does not hold what was written to it");
  return region;
}

std::string Region::map(Pages pages, const std::string& folder) {
  whole_bytes_ = (bytes_ + kHugeBytes - 1) / kHugeBytes * kHugeBytes + 3 * kHugeBytes;
  void* whole = ::mmap(nullptr, whole_bytes_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (whole == MAP_FAILED) return "cannot map " + std::to_string(bytes_) + " bytes: " + reason();
  whole_ = static_cast<std::byte*>(whole);
  const auto address = reinterpret_cast<std::uintptr_t>(whole_);
  data_ = whole_ + (kHugeBytes - address % kHugeBytes) % kHugeBytes + kHugeBytes;
  if (pages == Pages::kFile) {
    std::string path = (std::filesystem::path(folder) / "limits-XXXXXX").string();
    file_ = ::mkostemp(path.data(), O_CLOEXEC);
    if (file_ < 0) return "cannot create a file in " + folder + ": " + reason();
    ::unlink(path.c_str());
    if (::ftruncate(file_, static_cast<off_t>(bytes_)) != 0) return "cannot size a file in " + folder + ": " + reason();
    if (::mmap(data_, bytes_, PROT_READ, MAP_SHARED | MAP_FIXED, file_, 0) == MAP_FAILED) {
      return "cannot map a file in " + folder + ": " + reason();
    }
    return {};
  }
  if (::mprotect(data_, bytes_, PROT_READ | PROT_WRITE) != 0) {
    return "cannot get " + std::to_string(bytes_) + " bytes of memory: " + reason();
  }
  // A kernel without such pages refuses; in_huge_pages() says what came of it either way.
  ::madvise(data_, bytes_, pages == Pages::kHuge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
  return {};
}

bool Region::fill(int thread) {
  std::vector<std::uint64_t>& sums = sums_[static_cast<std::size_t>(thread)];
  const std::size_t first = static_cast<std::size_t>(thread) * share_bytes_;
  std::uint64_t word = first / 8 * kStride;
  std::uint64_t page[kWordsPerPage];
  for (std::size_t i = 0; i + 1 < sums.size(); ++i) {
    std::uint64_t sum = 0;
    for (std::uint64_t& w : page) {
      sum += word;
      w = word;
      if constexpr (std::endian::native == std::endian::big) w = __builtin_bswap64(w);
      word += kStride;
    }
    sums[i + 1] = sums[i] + sum;
    if (!write(first + i * kPageBytes, page, kPageBytes)) return false;
  }
  return true;
}

bool Region::write(std::size_t offset, const std::uint64_t* words, std::size_t bytes) {
  if (file_ < 0) {
    std::memcpy(data_ + offset, words, bytes);
    return true;
  }
  return ::pwrite(file_, words, bytes, static_cast<off_t>(offset)) == static_cast<ssize_t>(bytes);
}

std::uint64_t Region::known_sum(int thread, std::size_t from, std::size_t n) const {
  const std::vector<std::uint64_t>& sums = sums_[static_cast<std::size_t>(thread)];
  return sums[(from + n) / kPageBytes] - sums[from / kPageBytes];
}

double Region::in_huge_pages() const {
  std::ifstream smaps("/proc/self/smaps");
  const auto begin = reinterpret_cast<std::uintptr_t>(data_);
  std::size_t huge = 0;
  bool inside = false;
  for (std::string line; std::getline(smaps, line);) {
    std::uintptr_t from = 0, to = 0;
    const char* end = line.data() + line.size();
    const auto start = std::from_chars(line.data(), end, from, 16);
    if (start.ec == std::errc{} && start.ptr != end && *start.ptr == '-') {  // "7f2c00000000-7f2c40000000 rw-p ..."
      if (std::from_chars(start.ptr + 1, end, to, 16).ec == std::errc{}) inside = from >= begin && to <= begin + bytes_;
    } else if (inside) {
      for (const char* key : {"AnonHugePages", "ShmemPmdMapped", "FilePmdMapped"}) {
        huge += kilobytes(line, key).value_or(0);
      }
    }
  }
  return std::min(1.0, static_cast<double>(huge) / static_cast<double>(bytes_));
}

std::size_t free_memory_bytes() {
  std::ifstream meminfo("/proc/meminfo");
  for (std::string line; std::getline(meminfo, line);) {
    if (const auto n = kilobytes(line, "MemAvailable")) return *n;
  }
  return 0;
}

}  // namespace limits
