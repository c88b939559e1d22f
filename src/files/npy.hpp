// numpy's .npy files: written for float32 and int32 arrays of any shape, read for float32 little-endian C order.
// Source: the format description in numpy's documentation (version 1.0; 2.0 is read too).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "sys/atomic_file.hpp"

namespace tern::files {

/// Writes `values` [product of shape] in C order (last extent fastest). Errors: usage for a wrong count, io.
[[nodiscard]] Result<void> write_npy(const std::string& path, std::span<const std::int64_t> shape,
                                     std::span<const float> values, bool overwrite);
[[nodiscard]] Result<void> write_npy(const std::string& path, std::span<const std::int64_t> shape,
                                     std::span<const std::int32_t> values, bool overwrite);

/// A float32 file written piece by piece (logits row by row); commit() checks that all of it came.
class NpyWriter {
 public:
  [[nodiscard]] static Result<NpyWriter> create(const std::string& path, std::span<const std::int64_t> shape,
                                                bool overwrite);
  [[nodiscard]] Result<void> write(std::span<const float> values);
  [[nodiscard]] Result<void> commit();

 private:
  NpyWriter(sys::AtomicFile file, std::string path, std::uint64_t n_left)
      : file_(std::move(file)), path_(std::move(path)), n_left_(n_left) {}
  sys::AtomicFile file_;
  std::string path_;
  std::uint64_t n_left_;
};

struct NpyArray {
  std::vector<std::int64_t> shape;
  std::vector<float> values;
};

[[nodiscard]] Result<NpyArray> read_npy(const std::string& path);
[[nodiscard]] Result<NpyArray> parse_npy(std::span<const std::byte> bytes, std::string_view name);

}  // namespace tern::files
