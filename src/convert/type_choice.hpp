// Which format each tensor of a model gets: the rules of a mixture (mixtures.hpp) and the user's wishes applied to a
// list of names and shapes. No file is read or written here.
//
// Rules may ask for a tensor's place among its kind, so the tensors are walked in the order of their layers and a
// tensor that the user gave a format is not counted, as llama_model_quantize does it.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "convert/mixtures.hpp"
#include "convert/tensor_types.hpp"
#include "files/metadata.hpp"

namespace tern::convert {

struct TypeWishes {
  const Mixture* mixture = nullptr;
  const formats::Format* token_embedding = nullptr;  // null: by the rules
  const formats::Format* output = nullptr;           // null: by the rules
  bool pure = false;          // no rules: every matrix, embedding and head included, in the mixture's format
  bool leave_output = false;  // the head's table stays as it is
  std::vector<TensorType> tensor_types;
};

/// What rules ask of a model. Numbers that a file does not say, or says absurdly, are 0.
struct ModelFacts {
  std::string architecture;
  std::int64_t n_layers = 0;
  std::int64_t n_heads = 0;     // of the first layer
  std::int64_t n_kv_heads = 0;  // of the first layer
  std::int64_t n_experts = 0;
};
[[nodiscard]] ModelFacts model_facts(const files::Metadata& metadata);

struct TensorInfo {
  std::string_view name;
  Shape shape;
  const formats::Format* format;  // that it has
};

struct TypeChoice {
  const formats::Format* wished = nullptr;  // null: stays as it is
  const formats::Format* taken = nullptr;   // fits the rows; wished or its fallback, or the format it has
  bool needs_importance = false;            // the mixture may not leave this tensor in its format
};

enum class Walk : std::uint8_t { by_layer, as_given };

/// One choice a tensor, in the order given. Errors: usage for a regular expression that runs away.
[[nodiscard]] Result<std::vector<TypeChoice>> choose_types(const TypeWishes& wishes, const ModelFacts& facts,
                                                           std::span<const TensorInfo> tensors,
                                                           Walk walk = Walk::by_layer);

}  // namespace tern::convert
