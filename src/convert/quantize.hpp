// A GGUF file in, the same model in other formats out.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "convert/metadata_override.hpp"
#include "convert/type_choice.hpp"
#include "convert/write_gguf.hpp"
#include "files/gguf_reader.hpp"

namespace tern::convert {

struct QuantizeOptions {
  std::string input;
  std::string output;
  TypeWishes wishes;
  std::vector<MetadataOverride> overrides;
  bool allow_requantize = false;
  bool keep_split =
      false;  // a model in parts becomes one in parts: OUTPUT-0000I-of-0000N.gguf, without output's ".gguf"
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
  /// that goes to a ternary format is translated, not rounded again, and always allowed); unsupported types by tensor;
  /// wishes that contradict a copy; overrides that do not fit the file.
  [[nodiscard]] static Result<QuantizePlan> make(const QuantizeOptions& options, Progress& progress);

  [[nodiscard]] const std::vector<QuantizeChoice>& choices() const { return choices_; }
  [[nodiscard]] const files::GgufFile& input() const { return *file_; }
  [[nodiscard]] std::uint64_t input_bytes() const { return file_->file_bytes(); }
  /// The files that run() will write: the output, or with keep_split its parts.
  [[nodiscard]] std::vector<std::string> outputs() const;
  [[nodiscard]] std::uint64_t output_bytes() const { return output_bytes_; }
  /// Why run() would refuse: the tensors that the mixture leaves to an importance matrix. A dry run may go on.
  [[nodiscard]] Result<void> ready() const;
  [[nodiscard]] Result<WriteReport> run(const QuantizeOptions& options, Progress& progress) const;

 private:
  QuantizePlan() = default;
  std::shared_ptr<const files::GgufFile> file_;
  std::vector<QuantizeChoice> choices_;
  std::vector<TensorJob> jobs_;
  std::vector<files::PlannedPart> parts_;  // one for a whole file
  std::uint64_t output_bytes_ = 0;
  std::optional<Error> not_ready_;
};

}  // namespace tern::convert
