// A GGUF file in, the same model in other formats out.
#pragma once

#include <string>
#include <vector>

#include "convert/type_rules.hpp"
#include "convert/write_gguf.hpp"
#include "files/gguf_reader.hpp"

namespace tern::convert {

struct QuantizeOptions {
  std::string input;
  std::string output;
  TypeWishes wishes;
  bool allow_requantize = false;
  WriteOptions write;
};

struct QuantizeChoice {
  std::string name;
  Shape shape;
  const formats::Format* from = nullptr;
  const formats::Format* to = nullptr;
  std::uint64_t bytes_from = 0;
  std::uint64_t bytes_to = 0;
};

/// What quantize() will do, decided before a byte is written (--dry-run stops here). Keeps the input open.
class QuantizePlan {
 public:
  /// Errors: a tensor that is quantised already and would be rounded again without allow_requantize (a ternary tensor
  /// that goes to a ternary format is translated, not rounded again, and always allowed); unsupported types by tensor.
  [[nodiscard]] static Result<QuantizePlan> make(const QuantizeOptions& options, Progress& progress);

  [[nodiscard]] const std::vector<QuantizeChoice>& choices() const { return choices_; }
  [[nodiscard]] std::uint64_t input_bytes() const { return file_->file_bytes(); }
  [[nodiscard]] std::uint64_t output_bytes() const { return output_bytes_; }
  [[nodiscard]] Result<WriteReport> run(const QuantizeOptions& options, Progress& progress) const;

 private:
  QuantizePlan() = default;
  std::shared_ptr<const files::GgufFile> file_;
  std::vector<QuantizeChoice> choices_;
  std::vector<TensorJob> jobs_;
  files::GgufLayout layout_;
  std::uint64_t output_bytes_ = 0;
};

}  // namespace tern::convert
