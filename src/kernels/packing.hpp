// Who packs weights when a model is loaded, and where the packed ones go.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>

#include "sys/page_arena.hpp"
#include "sys/thread_pool.hpp"
#include "tensor/aligned_buffer.hpp"

namespace tern::kernels {

struct Packing {
  sys::ThreadPool* pool = nullptr;  // null: the calling thread alone
  sys::PageArena* arena = nullptr;  // null: packed weights have memory of their own
};

/// Calls body(begin, end) for parts of [0, n), from any of the pool's threads; what it writes must not depend on them.
void for_parts(const Packing& packing, std::int64_t n, const std::function<void(std::int64_t, std::int64_t)>& body);

/// Memory for packed weights: zeros, on a cache line. Given back unless it is kept.
class PackedMemory {
 public:
  /// Throws std::bad_alloc.
  PackedMemory(const Packing& packing, std::size_t n_bytes);
  ~PackedMemory();
  PackedMemory(const PackedMemory&) = delete;
  PackedMemory& operator=(const PackedMemory&) = delete;

  [[nodiscard]] std::uint8_t* data() const { return reinterpret_cast<std::uint8_t*>(data_); }
  /// From now on the bytes belong to the arena (then the buffer is empty) or to the buffer.
  [[nodiscard]] AlignedBuffer keep();

 private:
  sys::PageArena* arena_;
  AlignedBuffer own_;
  std::byte* data_;
};

}  // namespace tern::kernels
