// Which tensors a Hugging Face folder gets from a Source: their names from the architecture's table, their stored form,
// and who writes their bytes. Decided before a byte is written.
#pragma once

#include <functional>
#include <vector>

#include "base/error.hpp"
#include "convert/source.hpp"
#include "files/safetensors_writer.hpp"
#include "models/hf_config.hpp"

namespace tern::convert {

struct ExportTensor {
  files::SafetensorsTensor stored;
  std::function<Result<void>(const quant::ByteSink& sink)> write;
};

struct ExportTensors {
  std::vector<ExportTensor> tensors;  // in the reference library's order
  // Of the masters spelling.
  std::int64_t n_fitted = 0;       // tensors whose masters had to be made to fit
  std::int64_t n_moved = 0;        // masters that were put beside a border
  double largest_factor = 0;       // |factor - 1|
  double largest_scale_error = 0;  // relative, of what transformers will find
};

/// `storage`: how the ternary linears are spelled, none for plain floats. `source` must outlive the result; ternary
/// tensors are read here (for their scale, or to fit their masters), which `advance` is told and may end by false.
/// Errors: unsupported for what has no place in such a folder, naming the tensor; cancelled.
[[nodiscard]] Result<ExportTensors> export_tensors(const Source& source, models::BitNetStorage storage,
                                                   files::Dtype dtype,
                                                   const std::function<bool(std::string_view name)>& advance);

}  // namespace tern::convert
