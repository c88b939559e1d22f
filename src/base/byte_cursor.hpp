// A reader over a span of little-endian bytes that knows how many are left and never reads past them.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <type_traits>

#include "base/error.hpp"

namespace tern {

static_assert(std::endian::native == std::endian::little, "file formats of this field are little-endian");

class ByteCursor {
 public:
  explicit ByteCursor(std::span<const std::byte> bytes) : bytes_(bytes) {}

  [[nodiscard]] std::size_t position() const { return position_; }
  [[nodiscard]] std::size_t remaining() const { return bytes_.size() - position_; }

  /// Reads one trivially copyable value; `what` names the field in the error.
  template <typename T>
    requires std::is_trivially_copyable_v<T>
  [[nodiscard]] Result<T> read(std::string_view what) {
    if (sizeof(T) > remaining()) return short_of(what, sizeof(T));
    T value;
    std::memcpy(&value, bytes_.data() + position_, sizeof(T));
    position_ += sizeof(T);
    return value;
  }

  /// Borrows `n_bytes` bytes; the span lives as long as the underlying bytes.
  [[nodiscard]] Result<std::span<const std::byte>> take(std::uint64_t n_bytes, std::string_view what) {
    if (n_bytes > remaining()) return short_of(what, n_bytes);
    const auto taken = bytes_.subspan(position_, static_cast<std::size_t>(n_bytes));
    position_ += static_cast<std::size_t>(n_bytes);
    return taken;
  }

 private:
  [[nodiscard]] std::unexpected<Error> short_of(std::string_view what, std::uint64_t wanted) const {
    return fail(ErrorCode::bad_input, "truncated: {} needs {} bytes at byte {}, only {} are left", what, wanted,
                position_, remaining());
  }

  std::span<const std::byte> bytes_;
  std::size_t position_ = 0;
};

inline std::string_view as_text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace tern
