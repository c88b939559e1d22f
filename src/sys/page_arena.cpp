#include "sys/page_arena.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <new>
#include <string>
#include <utility>

#include "base/error.hpp"
#include "sys/host_settings.hpp"

namespace tern::sys {
namespace {

constexpr std::size_t kHugePage = std::size_t{2} << 20;
constexpr std::size_t kLine = 64;
// Of addresses, not of memory: what is never written costs nothing.
constexpr std::size_t kLeastChunk = std::size_t{256} << 20;

std::size_t rounded_up(std::size_t n, std::size_t to) {
  return (n + to - 1) / to * to;
}

}  // namespace

PageArena::~PageArena() {
  for (const Chunk& chunk : chunks_) ::munmap(chunk.data, chunk.n_bytes);
}

PageArena::PageArena(PageArena&& other) noexcept
    : chunks_(std::exchange(other.chunks_, {})),
      taken_(std::exchange(other.taken_, 0)),
      last_(std::exchange(other.last_, std::nullopt)) {}

PageArena& PageArena::operator=(PageArena&& other) noexcept {
  std::swap(chunks_, other.chunks_);
  std::swap(taken_, other.taken_);
  std::swap(last_, other.last_);
  return *this;
}

std::byte* PageArena::take(std::size_t n_bytes) {
  if (n_bytes > std::size_t{1} << 46) throw std::bad_alloc();
  const std::size_t needed = rounded_up(std::max<std::size_t>(n_bytes, 1), kLine);
  if (chunks_.empty() || chunks_.back().n_bytes - chunks_.back().used < needed) {
    chunks_.reserve(chunks_.size() + 1);
    const std::size_t wanted = std::max(rounded_up(needed, kHugePage), kLeastChunk);
    // A huge page more, so that the first one can begin where such pages do.
    void* mapped =
        ::mmap(nullptr, wanted + kHugePage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (mapped == MAP_FAILED) throw std::bad_alloc();
    auto* begin = static_cast<std::byte*>(mapped);
    const std::size_t before =
        rounded_up(reinterpret_cast<std::uintptr_t>(begin), kHugePage) - reinterpret_cast<std::uintptr_t>(begin);
    if (before > 0) ::munmap(begin, before);
    ::munmap(begin + before + wanted, kHugePage - before);
    ::madvise(begin + before, wanted, MADV_HUGEPAGE);  // refused where there are none: ordinary pages do as well
    chunks_.push_back({begin + before, wanted, 0});
  }
  Chunk& chunk = chunks_.back();
  std::byte* piece = chunk.data + chunk.used;
  chunk.used += needed;
  taken_ += n_bytes;
  last_ = n_bytes;
  return piece;
}

void PageArena::give_back(std::byte* piece) {
  TERN_CHECK(!chunks_.empty() && last_);
  Chunk& chunk = chunks_.back();
  const auto from = static_cast<std::size_t>(piece - chunk.data);
  TERN_CHECK(from < chunk.used && chunk.used - from == rounded_up(std::max<std::size_t>(*last_, 1), kLine));
  // Whole pages go back to the system, which gives zeros when they are written again; the rest of a page is cleared.
  const std::size_t pages_from = std::min(rounded_up(from, kHugePage), chunk.used);
  std::memset(piece, 0, pages_from - from);
  const std::size_t n_left = chunk.used - pages_from;
  if (n_left > 0 && ::madvise(chunk.data + pages_from, n_left, MADV_DONTNEED) != 0)
    std::memset(chunk.data + pages_from, 0, n_left);
  chunk.used = from;
  taken_ -= *last_;
  last_.reset();
}

std::uint64_t PageArena::huge_bytes() const {
  std::ifstream file("/proc/self/smaps");
  std::string line;
  std::uint64_t sum = 0;
  std::uint64_t ours = 0;  // bytes of the mapping that belong to the arena: the kernel joins neighbours
  while (std::getline(file, line)) {
    // "7f00-7f40 rw-p ..." begins a mapping, "AnonHugePages:   2048 kB" is a line of it.
    const std::size_t dash = line.find('-');
    if (dash != std::string::npos && line.find_first_not_of("0123456789abcdef") == dash) {
      const std::uint64_t begin = std::stoull(line.substr(0, dash), nullptr, 16);
      const std::uint64_t end = std::stoull(line.substr(dash + 1), nullptr, 16);
      ours = 0;
      for (const Chunk& chunk : chunks_) {
        const std::uint64_t at = reinterpret_cast<std::uintptr_t>(chunk.data);
        const std::uint64_t from = std::max(at, begin);
        const std::uint64_t to = std::min(at + rounded_up(chunk.used, kHugePage), end);
        if (from < to) ours += to - from;
      }
    } else if (ours > 0 && line.starts_with("AnonHugePages:")) {
      sum += std::min<std::uint64_t>(ours, std::stoull(line.substr(line.find(':') + 1)) * 1024);
    }
  }
  return sum;
}

bool PageArena::kernel_has_huge_pages() {
  const std::string mode = huge_page_mode();
  return mode == "always" || mode == "madvise";
}

}  // namespace tern::sys
