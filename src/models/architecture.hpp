// What an architecture is: a record in its own file, listed in models/all.hpp (or passed in by a caller: a test adds
// one).
#pragma once

#include <span>
#include <string_view>

#include "models/hf_config.hpp"
#include "models/hf_config_writer.hpp"
#include "models/hyper_parameters.hpp"
#include "models/plan.hpp"

namespace tern::models {

/// One tensor's name in other ecosystems. "{}" is the layer's number. A GGUF name may stand in several lines: the first
/// source name that exists is taken. An empty name: that ecosystem does not have the tensor.
struct TensorName {
  /// Rotary embeddings pair (i, i + d/2) in Hugging Face checkpoints. GGUF files of some architectures expect (2i, 2i +
  /// 1): for those convert reorders the rows of each head.
  enum class Rows : unsigned char { as_stored, paired_query, paired_key };
  std::string_view gguf;
  std::string_view hugging_face;
  Rows rows = Rows::as_stored;    // of the Hugging Face tensor
  std::string_view llama2c = {};  // names of files::Llama2cFile, whose rotary pairs are adjacent already
  float plus = 0.0F;  // added to each element of the Hugging Face tensor: gemma stores a norm's gain minus 1
};

struct Architecture {
  std::string_view name;  // general.architecture
  std::string_view summary;
  HyperParameters (*defaults)();  // what is implied where a key is silent
  Plan (*plan)(const HyperParameters& parameters);
  std::span<const std::string_view> hugging_face_classes;
  /// Among architectures of the same class: does this one describe that checkpoint? Null: always.
  bool (*describes)(const HfConfig& config);
  std::span<const TensorName> tensor_names;
  /// Reads config.json of these classes. Null: read_decoder_config (models/hf_config.hpp).
  Result<void> (*read_config)(const HfJson& config, HfConfig& out) = nullptr;
  /// Writes config.json in the spelling of transformers' class for it, its name included. Null: it has none.
  Result<void> (*write_config)(const HfModel& model, HfJsonWriter& out) = nullptr;
};

/// Where to look architectures up; all() of models/all.hpp unless a caller brings its own.
using ArchitectureList = std::span<const Architecture* const>;

}  // namespace tern::models
