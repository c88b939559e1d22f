// Writes a PyTorch checkpoint as torch.save does (pickle protocol 2 in a ZIP archive), with all tensors as views of one
// bf16 storage whose bytes the file leaves as a hole: a large model that costs no disk.
#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace tern::test {

struct TorchTensor {
  std::string name;
  std::vector<std::int64_t> shape;
};

class TorchWriter {
 public:
  /// The file's values are zeros but for `first_values`.
  static void write(const std::string& path, const std::vector<TorchTensor>& tensors,
                    const std::vector<std::uint16_t>& first_values) {
    std::int64_t total = 0;
    for (const TorchTensor& tensor : tensors) total += count(tensor);
    std::string pickle = "\x80\x02}(";
    std::int64_t offset = 0;
    for (const TorchTensor& tensor : tensors) {
      pickle += text(tensor.name) + "ctorch._utils\n_rebuild_tensor_v2\n((" + text("storage") +
                "ctorch\nBFloat16Storage\n" + text("0") + text("cpu") + number(total) + "tQ" + number(offset) + "(";
      std::string strides = "(";
      std::int64_t stride = count(tensor);
      for (const std::int64_t extent : tensor.shape) {
        pickle += number(extent);
        strides += number(stride /= extent);
      }
      pickle += "t" + strides + "t\x89" + "ccollections\nOrderedDict\n)RtR";
      offset += count(tensor);
    }
    pickle += "u.";

    const auto n_bytes = static_cast<std::uint32_t>(total * 2);
    const std::string head = local_header("archive/data.pkl", static_cast<std::uint32_t>(pickle.size())) + pickle;
    const std::string storage = local_header("archive/data/0", n_bytes);
    std::ofstream out(path, std::ios::binary);
    out << head << storage;
    out.write(reinterpret_cast<const char*>(first_values.data()),
              static_cast<std::streamsize>(first_values.size() * sizeof(std::uint16_t)));
    out.close();
    const auto directory_at = static_cast<std::uint32_t>(head.size() + storage.size()) + n_bytes;
    std::filesystem::resize_file(path, directory_at);
    const std::string directory = entry("archive/data.pkl", static_cast<std::uint32_t>(pickle.size()), 0) +
                                  entry("archive/data/0", n_bytes, static_cast<std::uint32_t>(head.size()));
    std::ofstream(path, std::ios::binary | std::ios::app)
        << directory << std::string("PK\x05\x06\0\0\0\0\x02\0\x02\0", 12)
        << word(static_cast<std::uint32_t>(directory.size())) << word(directory_at) << std::string(2, '\0');
  }

 private:
  static std::int64_t count(const TorchTensor& tensor) {
    std::int64_t n = 1;
    for (const std::int64_t extent : tensor.shape) n *= extent;
    return n;
  }
  static std::string word(std::uint32_t value, int n_bytes = 4) {
    std::string out;
    for (int i = 0; i < n_bytes; ++i) out += static_cast<char>(value >> (8 * i));
    return out;
  }
  static std::string number(std::int64_t value) { return "J" + word(static_cast<std::uint32_t>(value)); }
  static std::string text(const std::string& value) {
    return "X" + word(static_cast<std::uint32_t>(value.size())) + value;
  }
  // What a local header and a directory entry have in common: from the version needed to the length of the extra field.
  static std::string common(const std::string& name, std::uint32_t n_bytes) {
    return std::string(14, '\0') + word(n_bytes) + word(n_bytes) + word(static_cast<std::uint32_t>(name.size()), 2) +
           std::string(2, '\0');
  }
  static std::string local_header(const std::string& name, std::uint32_t n_bytes) {
    return "PK\x03\x04" + common(name, n_bytes) + name;
  }
  static std::string entry(const std::string& name, std::uint32_t n_bytes, std::uint32_t offset) {
    return "PK\x01\x02" + word(0, 2) + common(name, n_bytes) + std::string(10, '\0') + word(offset) + name;
  }
};

}  // namespace tern::test
