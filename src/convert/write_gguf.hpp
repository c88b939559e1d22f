// Writes a GGUF file tensor by tensor from row readers: the one loop behind convert and quantize. Sizes are known
// before the first byte; memory in hand is a few megabytes; the target appears whole or not at all.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/progress.hpp"
#include "files/gguf_layout.hpp"
#include "files/gguf_split.hpp"
#include "quant/encode_stream.hpp"

namespace tern::convert {

struct TensorJob {
  std::string name;
  Shape shape;
  const formats::Format* format = nullptr;  // what it will be
  quant::RowReader read;                    // values to encode, or
  std::span<const std::byte> copy;          // bytes that are taken as they are (format unchanged)
  bool measure = false;                     // report the rounding error (a ternary scale that becomes fp16)
  std::function<void()> done;               // called when the tensor is written (releases mapped pages); may be empty
};

struct WriteOptions {
  bool overwrite = false;
  int n_threads = 1;
};

struct WriteReport {
  std::uint64_t file_bytes = 0;
  double seconds = 0.0;
  double worst_relative_error = 0.0;  // of the tensors with `measure`: root of the relative squared error
  std::string worst_tensor;           // "" if none was measured
};

/// The layout of such a file, for its size and for writing. Sets general.file_type and general.quantization_version.
[[nodiscard]] Result<files::GgufLayout> plan_layout(files::Metadata metadata, const std::vector<TensorJob>& jobs);

/// What rounding to a ternary format did, in a line for a person: how much the scale lost, or that the weights were not
/// ternary.
/// "" when nothing was measured.
[[nodiscard]] std::string ternary_note(const WriteReport& report);

/// Into one file: a set of one.
[[nodiscard]] Result<WriteReport> write_gguf(const std::string& path, files::GgufLayout layout,
                                             const std::vector<TensorJob>& jobs, const WriteOptions& options,
                                             Progress& progress);

/// Into the parts of a model; their layouts together hold the jobs' tensors in order.
[[nodiscard]] Result<WriteReport> write_gguf_parts(std::vector<files::PlannedPart> parts,
                                                   const std::vector<TensorJob>& jobs, const WriteOptions& options,
                                                   Progress& progress);

}  // namespace tern::convert
