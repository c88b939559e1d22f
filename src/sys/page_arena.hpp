// Memory for weights in pages of 2 MiB, taken piece by piece and given back all at once (but for the last piece).
// Reading weights that lie in ordinary pages of 4 KiB costs bandwidth in address translation. Linux: anonymous memory
// that asks for "transparent huge pages"; whether the kernel could give them is asked afterwards.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace tern::sys {

class PageArena {
 public:
  PageArena() = default;
  ~PageArena();
  PageArena(PageArena&& other) noexcept;
  PageArena& operator=(PageArena&& other) noexcept;

  /// n_bytes of zeros that begin on a cache line, valid as long as the arena. Memory is used when it is first written.
  /// Throws std::bad_alloc.
  [[nodiscard]] std::byte* take(std::size_t n_bytes);
  /// Undoes the last take(), which returned `piece`.
  void give_back(std::byte* piece);

  [[nodiscard]] std::uint64_t taken_bytes() const { return taken_; }
  /// Bytes of the arena that lie in 2 MiB pages now, the rest of the last page included.
  [[nodiscard]] std::uint64_t huge_bytes() const;

  /// Whether the kernel gives 2 MiB pages to programs that ask for them.
  [[nodiscard]] static bool kernel_has_huge_pages();

 private:
  struct Chunk {
    std::byte* data;
    std::size_t n_bytes;
    std::size_t used;
  };
  std::vector<Chunk> chunks_;
  std::uint64_t taken_ = 0;
  std::optional<std::size_t> last_;  // bytes asked for by the last take(), until it is undone
};

}  // namespace tern::sys
