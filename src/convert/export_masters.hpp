// Float masters for transformers' online class (AutoBitLinear, quantization_mode online), which rounds them itself:
// w -> clamp(round(w / m), -1, 1) * m with m = mean |w|. A model may have been trained by another rule for the scale
// (rounded to fp16, say): then the class would compute another scale and, near half a scale, other codes. Here masters
// are made to fit: all of a matrix are multiplied by one factor near 1, so that their mean is the model's scale, and
// the few that would round to another code are put just beside the border. Masters that fit are left as they are.
#pragma once

#include <cstdint>

#include "base/error.hpp"
#include "convert/source.hpp"
#include "files/stored_tensor.hpp"

namespace tern::convert {

struct MastersFit {
  bool as_they_are = true;
  double factor = 1.0;       // what all are multiplied with
  float scale = 0.0F;        // the model's
  float class_scale = 0.0F;  // what the class will find: the same, but for masters in 16 bits
  double scale_error = 0.0;  // its relative difference, after storing
  std::int64_t n_moved = 0;  // put beside the border
};

/// Reads `masters` and `read` of a ternary tensor (a few passes). `dtype`: what they will be stored as; its
/// rounding is part of what has to fit. Errors: unsupported where the tensor has no masters, or the model rounds them
/// to what the online class does not (binary, scales of groups, another rule altogether).
[[nodiscard]] Result<MastersFit> fit_masters(const SourceTensor& tensor, files::Dtype dtype);

/// The masters to store, in GGUF's order.
[[nodiscard]] quant::RowReader fitted_masters(const SourceTensor& tensor, const MastersFit& fit, files::Dtype dtype);

}  // namespace tern::convert
