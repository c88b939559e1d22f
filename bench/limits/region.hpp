// A buffer of one kind of page, filled with words whose sum over any run of pages is known, so that every reading of it
// can be checked. The filling is done by the threads that will read: on machines with several memories each has its own
// near.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <string>
#include <vector>

#include "crew.hpp"

namespace limits {

enum class Pages {
  kHuge,   // anonymous memory, 2 MiB pages asked for
  kSmall,  // anonymous memory, 4 KiB pages
  kFile,   // a file's pages, mapped where the kernel keeps them
};

constexpr std::size_t kPageBytes = 4096;

/// The sum of the little-endian 64-bit words of n bytes, the last one padded with zeros, modulo 2^64: what every read
/// loop returns. Plain C++, for any processor.
std::uint64_t plain_sum(const std::byte* data, std::size_t n);

class Region {
 public:
  /// One equal share of whole pages for each of crew's threads: bytes rounded down. folder: where the file goes.
  static std::expected<Region, std::string> make(Pages pages, std::size_t bytes, const std::string& folder, Crew& crew);
  ~Region();
  Region(Region&& other) noexcept;
  Region& operator=(Region&&) = delete;

  std::size_t share_bytes() const { return share_bytes_; }
  const std::byte* share(int thread) const { return data_ + static_cast<std::size_t>(thread) * share_bytes_; }
  /// Of n bytes of a share from `from` on, both multiples of kPageBytes.
  std::uint64_t known_sum(int thread, std::size_t from, std::size_t n) const;
  /// What the kernel says it mapped with 2 MiB pages, 0 to 1.
  double in_huge_pages() const;

 private:
  Region() = default;
  std::string map(Pages pages, const std::string& folder);
  bool fill(int thread);
  bool write(std::size_t offset, const std::uint64_t* words, std::size_t bytes);

  std::byte* whole_ = nullptr;  // with untouchable edges, which keep the kernel from joining it with its neighbours
  std::size_t whole_bytes_ = 0;
  std::byte* data_ = nullptr;
  std::size_t bytes_ = 0, share_bytes_ = 0;
  int file_ = -1;
  std::vector<std::vector<std::uint64_t>> sums_;  // of each share: [i] is the sum of its first i pages
};

/// What the system could still give to a program, from /proc/meminfo; 0 if it does not say.
std::size_t free_memory_bytes();

}  // namespace limits
