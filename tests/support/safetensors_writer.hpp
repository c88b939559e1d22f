// Writes a small .safetensors file from named tensors, so that a test can make a checkpoint of any spelling.
#pragma once

#include <cstring>
#include <string>
#include <vector>

#include "base/half.hpp"
#include "files/json.hpp"
#include "sys/atomic_file.hpp"

namespace tern::test {

class SafetensorsWriter {
 public:
  using Extents = std::vector<std::int64_t>;

  void add(const std::string& name, const std::string& dtype, const Extents& shape, const std::string& bytes) {
    header_[name] = {{"dtype", dtype}, {"shape", shape}, {"data_offsets", {data_.size(), data_.size() + bytes.size()}}};
    data_ += bytes;
  }
  void add_f32(const std::string& name, const Extents& shape, const std::vector<float>& values) {
    std::string bytes(values.size() * 4, '\0');
    std::memcpy(bytes.data(), values.data(), bytes.size());
    add(name, "F32", shape, bytes);
  }
  void add_bf16(const std::string& name, const Extents& shape, const std::vector<float>& values) {
    std::string bytes(values.size() * 2, '\0');
    for (std::size_t i = 0; i < values.size(); ++i) {
      const std::uint16_t half = fp32_to_bf16(values[i]);
      std::memcpy(bytes.data() + 2 * i, &half, 2);
    }
    add(name, "BF16", shape, bytes);
  }
  /// Ternary signs [rows, k] (-1, 0, +1) four rows to a byte: byte row r holds rows r, r + rows/4, ... from the lowest
  /// bits.
  void add_packed(const std::string& name, std::int64_t rows, std::int64_t k, const std::vector<int>& signs) {
    std::string bytes(static_cast<std::size_t>(rows / 4 * k), '\0');
    for (std::int64_t row = 0; row < rows; ++row) {
      for (std::int64_t i = 0; i < k; ++i) {
        const int code = signs[static_cast<std::size_t>(row * k + i)] + 1;
        char& byte = bytes[static_cast<std::size_t>(row % (rows / 4) * k + i)];
        byte = static_cast<char>(static_cast<unsigned char>(byte) | code << (2 * (row / (rows / 4))));
      }
    }
    add(name, "U8", {rows / 4, k}, bytes);
  }

  void write(const std::string& path) const {
    std::string text = header_.dump();
    text.resize((text.size() + 7) / 8 * 8, ' ');
    std::string out(8, '\0');
    const std::uint64_t n = text.size();
    std::memcpy(out.data(), &n, 8);
    if (!sys::write_file(path, out + text + data_, true)) throw std::runtime_error("cannot write " + path);
  }

 private:
  nlohmann::json header_ = nlohmann::json::object();
  std::string data_;
};

}  // namespace tern::test
