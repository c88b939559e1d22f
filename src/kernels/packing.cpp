#include "kernels/packing.hpp"

#include <algorithm>
#include <utility>

namespace tern::kernels {

void for_parts(const Packing& packing, std::int64_t n, const std::function<void(std::int64_t, std::int64_t)>& body) {
  if (packing.pool == nullptr) {
    if (n > 0) body(0, n);
    return;
  }
  // A few parts for each thread, so that one that the system keeps waiting holds nobody up for long; how many is not
  // critical.
  const std::int64_t n_parts = std::int64_t{4} * packing.pool->n_threads();
  packing.pool->parallel_for(n, std::max<std::int64_t>(1, (n + n_parts - 1) / n_parts), body);
}

PackedMemory::PackedMemory(const Packing& packing, std::size_t n_bytes)
    : arena_(packing.arena),
      own_(arena_ == nullptr ? AlignedBuffer(n_bytes) : AlignedBuffer()),
      data_(arena_ == nullptr ? own_.data() : arena_->take(n_bytes)) {}

PackedMemory::~PackedMemory() {
  if (arena_ != nullptr && data_ != nullptr) arena_->give_back(data_);
}

AlignedBuffer PackedMemory::keep() {
  data_ = nullptr;
  return std::move(own_);
}

}  // namespace tern::kernels
