// An owning byte buffer aligned to a cache line, for packed weights, activations and KV pages.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <new>
#include <span>

namespace tern {

class AlignedBuffer {
 public:
  static constexpr std::size_t kAlignment = 64;

  AlignedBuffer() = default;
  /// Allocates `n_bytes` of zeros; throws std::bad_alloc (sizes are checked by the caller against the machine).
  explicit AlignedBuffer(std::size_t n_bytes) : n_bytes_(n_bytes) {
    if (n_bytes == 0) return;
    const std::size_t rounded = (n_bytes + kAlignment - 1) / kAlignment * kAlignment;
    data_.reset(static_cast<std::byte*>(::operator new(rounded, std::align_val_t{kAlignment})));
    std::fill_n(data_.get(), rounded, std::byte{0});
  }

  [[nodiscard]] std::byte* data() { return data_.get(); }
  [[nodiscard]] const std::byte* data() const { return data_.get(); }
  [[nodiscard]] std::size_t size() const { return n_bytes_; }
  [[nodiscard]] std::span<std::byte> bytes() { return {data_.get(), n_bytes_}; }
  [[nodiscard]] std::span<const std::byte> bytes() const { return {data_.get(), n_bytes_}; }
  template <typename T>
  [[nodiscard]] T* as() {
    return reinterpret_cast<T*>(data_.get());
  }
  template <typename T>
  [[nodiscard]] const T* as() const {
    return reinterpret_cast<const T*>(data_.get());
  }

 private:
  struct Release {
    void operator()(std::byte* p) const { ::operator delete(p, std::align_val_t{kAlignment}); }
  };
  std::unique_ptr<std::byte, Release> data_;
  std::size_t n_bytes_ = 0;
};

}  // namespace tern
