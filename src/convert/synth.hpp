// A model with random weights in the shape of a real one, so that speed can be measured without a download. It says
// nothing sensible, but its numbers are sane: every value stays of the size that norms make it, logits have a deviation
// of about one, and ternary matrices have a third of zeros and one scale, as trained ones do. Written as a stream: the
// memory in hand does not depend on the model's size.
#pragma once

#include <cstdint>
#include <string>

#include "convert/convert.hpp"
#include "convert/synth_shapes.hpp"

namespace tern::convert {

struct SynthOptions {
  SynthShape shape;
  std::string outfile;
  const formats::Format* type = nullptr;   // of the blocks' matrices; null: F16, or for BitNet architectures I2_S (Q2_0
                                           // for rows that I2_S does not fit)
  const formats::Format* table = nullptr;  // of embedding and head; null: F16
  std::uint64_t seed = 1;
  WriteOptions write = {};
};

/// The same options give the same bytes on every machine and for any number of threads. Errors: usage for a shape that
/// cannot be, a type that does not fit its rows, or a ternary one for the embedding; io, exists, out_of_space.
[[nodiscard]] Result<ConvertReport> synth(const SynthOptions& options, Progress& progress);

}  // namespace tern::convert
