// A checkpoint of another ecosystem, seen as the tensors a GGUF file will hold: names, shapes and roles from the plan,
// and a reader that gives any rows as floats. Row orders, packings and scale conventions of the ecosystem end here.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/progress.hpp"
#include "formats/format.hpp"
#include "models/all.hpp"
#include "quant/encode_stream.hpp"
#include "text/vocabulary.hpp"

namespace tern::convert {

struct SourceTensor {
  std::string name;  // in GGUF
  Shape shape;
  models::TensorRole role;
  /// The format that keeps the source's precision (F32, F16, BF16; I2_S for ternary matrices).
  const formats::Format* natural = nullptr;
  bool is_ternary = false;
  quant::RowReader read;
  /// Of a ternary matrix: the floats that `read` rounds, where the source has them; else empty.
  quant::RowReader masters = {};
  // Where it comes from, for people.
  std::string source_name;
  std::string_view source_type;     // "BF16"
  std::string_view transform = {};  // what happens to the values beside their new type: "rows reordered"; "": nothing
};

struct UnknownTensor {
  std::string name;
  std::string shape;      // as stored
  std::string_view type;  // "BF16"
};

/// What a checkpoint has to say. Reading a tensor may touch the mapped files behind it, which the object keeps open.
struct Source {
  const models::Architecture* architecture = nullptr;
  models::HyperParameters parameters;
  /// The rule that rope_freqs.weight was made by, where the source spells one.
  std::optional<models::Llama3Rope> llama3_rope = {};
  std::vector<SourceTensor> tensors;  // in the order of the plan
  std::vector<std::string> notes;     // lines for a person: what was left out or guessed
  /// Tensors that no line of the architecture's table names: the model is another one than the plan describes.
  std::vector<UnknownTensor> unknown;
  std::string name;                                 // general.name
  std::optional<text::Vocabulary> vocabulary = {};  // where the source brings it along
  std::shared_ptr<const void> keep_open;            // the files
};

/// Opens a llama2.c file, a safetensors or PyTorch file or a folder of them. The kind is told by content.
[[nodiscard]] Result<Source> open_source(const std::string& path);

/// The two kinds.
[[nodiscard]] Result<Source> open_hugging_face(const std::string& path);
[[nodiscard]] Result<Source> open_llama2c(const std::string& path);

}  // namespace tern::convert
