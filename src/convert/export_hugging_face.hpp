// The way out to Hugging Face: a Source as a folder that transformers loads and that computes the same logits:
// config.json, model.safetensors, generation_config.json and the tokenizer's files. The folder appears whole or not at
// all: it is written under a temporary name beside its own and renamed when every file is on disk.
//
// A model that rounds its activations to int8 (BitNet) has three spellings; all others are plain floats:
//   masters          transformers ternarises float masters itself. They are the source's own where its rounding gives
//                    the model's codes and scale; else made to fit (export_masters.hpp), by parts in ten thousand.
//   packed_multiply  2 bits a weight, and the exact scale. No biases: transformers would scale them too.
//   packed_divide    2 bits a weight, and the scale's inverse in float32, which loses its last bit now and then.
// What no class of transformers computes is refused by name: float weights under rounded activations, scales of groups,
// 4-bit activations, pooling.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/progress.hpp"
#include "convert/source.hpp"
#include "files/stored_tensor.hpp"
#include "models/hf_config.hpp"

namespace tern::convert {

struct HuggingFaceOptions {
  std::string folder = {};
  /// Of a model with int8 activations; of others it does not count. Not none.
  models::BitNetStorage spelling = models::BitNetStorage::packed_multiply;
  files::Dtype dtype = files::Dtype::f32;  // of float tensors: F32, F16 or BF16. Scales are F32 always
  std::string tokenizer = {};              // a folder or a file; "": no tokenizer files, and no ids of BOS and EOS
  bool overwrite = false;
};

struct HuggingFaceReport {
  models::BitNetStorage spelling = models::BitNetStorage::none;  // none: plain floats
  std::size_t n_tensors = 0;
  std::uint64_t file_bytes = 0;         // of model.safetensors
  std::vector<std::string> files;       // names in the folder
  std::vector<std::string> notes;       // lines for a person
  std::int64_t n_fitted_tensors = 0;    // masters that are not the source's own
  std::int64_t n_moved_masters = 0;     // of them, put to the other side of a rounding border
  double largest_fitting_factor = 0.0;  // |factor - 1| of the tensor that was changed most
  double largest_scale_error = 0.0;     // how far a scale that transformers finds in them is from the model's, relative
};

/// "masters", "packed_multiply", "packed_divide", both ways.
[[nodiscard]] Result<models::BitNetStorage> spelling_by_name(std::string_view name);
[[nodiscard]] std::string_view spelling_name(models::BitNetStorage spelling);

/// Errors: unsupported for what cannot be said in such a folder, naming it and what to do instead; usage for options
/// that cannot be asked; io where the folder exists and not `overwrite`, or holds what is no such model; cancelled.
[[nodiscard]] Result<HuggingFaceReport> write_hugging_face(const Source& source, const HuggingFaceOptions& options,
                                                           Progress& progress);

}  // namespace tern::convert
