// A checkpoint in, a GGUF file out: what will be done is decided first and can be looked at, then it is done.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "convert/source.hpp"
#include "convert/write_gguf.hpp"

namespace tern::convert {

struct ConvertOptions {
  std::string source;
  std::string outfile;
  const formats::Format* outtype = nullptr;  // null: auto, the source's own precision
  const formats::Format* table = nullptr;    // of embedding and head; null: as the outtype says
  std::string tokenizer;                     // path; "": beside the source
  std::optional<std::string> pre;
  std::string name;         // general.name; "": the folder's or the file's
  bool vocab_only = false;  // metadata and tokenizer, no tensors
  bool dry_run = false;     // unknown tensors are listed in the plan and not an error
  WriteOptions write;
};

/// One line of the mapping.
struct ConvertChoice {
  std::string source_name;
  std::string source_type;  // "BF16"
  std::string name;         // in GGUF
  Shape shape;
  const formats::Format* to = nullptr;
  std::uint64_t bytes = 0;
  std::string transform;  // "rows reordered", "unpacked", ... "": nothing
};

struct ConvertReport {
  WriteReport write;
  std::string architecture;
  std::size_t n_tensors = 0;
  std::int64_t n_parameters = 0;
};

/// What convert() will do, decided before a byte is written (--dry-run stops here). Keeps the source open.
class ConvertPlan {
 public:
  /// Notes (fallbacks, what was left out) go to the progress. Errors name file and tensor;
  /// tensors that mean nothing to the architecture are told as notes (up to kMaxToldTensors) and then refused.
  [[nodiscard]] static Result<ConvertPlan> make(const ConvertOptions& options, Progress& progress);

  /// Of a source already at hand; `options.source` is its name for messages, and where its tokenizer is looked for.
  [[nodiscard]] static Result<ConvertPlan> of(Source source, const ConvertOptions& options, Progress& progress);

  static constexpr std::size_t kMaxToldTensors = 20;

  [[nodiscard]] const std::vector<ConvertChoice>& choices() const { return choices_; }
  /// Empty but for a dry run.
  [[nodiscard]] const std::vector<UnknownTensor>& unknown() const { return source_.unknown; }
  [[nodiscard]] std::string_view architecture() const { return source_.architecture->name; }
  [[nodiscard]] std::int64_t n_parameters() const { return n_parameters_; }
  [[nodiscard]] std::uint64_t output_bytes() const { return output_bytes_; }
  /// What most weights of the blocks will be, for a file's name: "BF16".
  [[nodiscard]] std::string_view main_type() const;
  /// Errors: unsupported where tensors of the source mean nothing to the architecture (of a dry run alone).
  [[nodiscard]] Result<void> ready() const;
  /// Writes `options.outfile`.
  [[nodiscard]] Result<ConvertReport> run(const ConvertOptions& options, Progress& progress) const;

 private:
  ConvertPlan() = default;
  [[nodiscard]] Result<void> add_tensors(const ConvertOptions& options, Progress& progress);

  Source source_;
  std::string folder_;  // for messages
  std::vector<ConvertChoice> choices_;
  std::vector<TensorJob> jobs_;
  files::GgufLayout layout_;
  std::int64_t n_parameters_ = 0;
  std::uint64_t output_bytes_ = 0;
};

/// Plan and run.
[[nodiscard]] Result<ConvertReport> convert(const ConvertOptions& options, Progress& progress);

/// The size of a model as people say it, two digits at least: "260K", "1.5M", "7.2B".
[[nodiscard]] std::string size_label(std::int64_t n_parameters);

}  // namespace tern::convert
