// A GGUF file as a list that a test can change before it becomes bytes: drop a tensor, give it another shape, spoil a
// key. Smaller than tiny_model.hpp's (hidden 64, one layer) and never on disk.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "files/gguf_layout.hpp"
#include "files/gguf_reader.hpp"
#include "models/model_file.hpp"
#include "tests/support/tiny_model.hpp"

namespace tern::test {

struct GgufImage {
  struct Tensor {
    std::string name;
    Shape shape;
    const formats::Format* format;
    std::vector<float> values;
  };
  files::Metadata metadata;
  std::vector<Tensor> tensors;

  [[nodiscard]] Tensor& tensor(std::string_view name) {
    const auto found = std::ranges::find(tensors, name, &Tensor::name);
    if (found == tensors.end()) throw std::runtime_error("no tensor " + std::string(name));
    return *found;
  }
  void drop(std::string_view name) {
    std::erase_if(tensors, [&](const Tensor& t) { return t.name == name; });
  }

  /// The whole file. Values that a format refuses (NaN) are written for F32 as they are.
  [[nodiscard]] std::string bytes() const {
    files::GgufLayout layout;
    layout.metadata = metadata;
    for (const Tensor& t : tensors) {
      if (!layout.add_tensor(t.name, t.shape, *t.format)) throw std::runtime_error("cannot lay out " + t.name);
    }
    std::string out = layout.header().value();
    for (std::size_t i = 0; i < tensors.size(); ++i) {
      const Tensor& t = tensors[i];
      std::string body(layout.tensors()[i].n_bytes, '\0');
      const auto done =
          formats::encode_tensor(*t.format, t.name, t.shape, t.values, std::as_writable_bytes(std::span(body)));
      if (!done && t.format == &formats::kF32)
        std::memcpy(body.data(), t.values.data(), body.size());
      else if (!done)
        throw std::runtime_error(done.error().message);
      body.resize((body.size() + 31) / 32 * 32, '\0');
      out += body;
    }
    return out;
  }
};

inline models::HyperParameters small_parameters(const models::Architecture& architecture) {
  models::HyperParameters p = tiny_parameters(architecture, 259);
  p.n_ctx_train = 64;
  p.n_embd = 64;
  p.n_layers = 1;
  p.n_ff = 96;
  p.n_heads = 4;
  p.n_kv_heads = 2;
  p.head_dim = 16;
  p.n_rotary = 16;
  return p;
}

/// Random weights for every tensor of the plan but an own head, which is tied.
inline GgufImage image_of(const models::Architecture& architecture, const models::HyperParameters& parameters,
                          const formats::Format& format = formats::kF32, std::uint64_t seed = 1) {
  GgufImage image;
  image.metadata.set("general.architecture", std::string(architecture.name));
  models::write_hyper_parameters(parameters, image.metadata);
  models::write_vocabulary(tiny_vocabulary(parameters.n_vocab), image.metadata);
  Random random(seed);
  const bool ternary =
      format.is_ternary || parameters.linear_activation.mode == models::ActivationPolicy::Mode::per_token;
  for (const models::TensorSpec& spec : architecture.plan(parameters).tensors) {
    if (spec.role == models::TensorRole::head) continue;
    const bool is_linear = spec.role == models::TensorRole::linear;
    image.tensors.push_back({spec.name, spec.shape, is_linear ? &format : &formats::kF32,
                             tiny_values(spec, is_linear ? format : formats::kF32, ternary, random)});
  }
  return image;
}

inline GgufImage small_image(std::string_view architecture = "llama", const formats::Format& format = formats::kF32) {
  const models::Architecture* known = models::by_name(architecture).value();
  return image_of(*known, small_parameters(*known), format);
}

/// Parses and binds; `bytes` must outlive the result.
inline Result<models::ModelFile> bound(const std::string& bytes) {
  TERN_TRY(files::GgufFile file, files::GgufFile::parse(std::as_bytes(std::span(bytes)), "image.gguf"));
  return models::ModelFile::bind(std::move(file));
}

}  // namespace tern::test
