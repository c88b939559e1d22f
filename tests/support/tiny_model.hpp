// A small random model written as GGUF from an architecture's own plan, so that every architecture of a list can be run
// in a test without any data. Two layers, hidden 256.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "base/random.hpp"
#include "files/gguf_writer.hpp"
#include "formats/all.hpp"
#include "models/all.hpp"
#include "models/vocabulary_gguf.hpp"
#include "tests/support/data.hpp"

namespace tern::test {

struct TinyModel {
  std::string architecture = "llama";
  std::string format = "F32";  // of the blocks' matrices
  std::string embedding = "F32";
  std::int64_t n_vocab = 320;
  std::uint64_t seed = 1;
  bool untied_head = false;
};

/// 256 byte tokens and as many padding tokens as the table has rows.
inline text::Vocabulary tiny_vocabulary(std::int64_t n_vocab) {
  text::Vocabulary v;
  v.kind = text::TokenizerKind::spm;
  v.pre = "default";
  v.tokens = {"<unk>", "<s>", "</s>"};
  v.types = {text::TokenType::unknown, text::TokenType::control, text::TokenType::control};
  for (int byte = 0; byte < 256; ++byte) {
    v.tokens.push_back(fmt::format("<0x{:02X}>", byte));
    v.types.push_back(text::TokenType::byte);
  }
  while (static_cast<std::int64_t>(v.tokens.size()) < n_vocab) {
    v.tokens.push_back(fmt::format("[PAD{}]", v.tokens.size()));
    v.types.push_back(text::TokenType::unused);
  }
  v.scores.assign(v.tokens.size(), 0.0F);
  v.unk = 0;
  v.bos = 1;
  v.eos = 2;
  v.add_bos = true;
  return v;
}

inline models::HyperParameters tiny_parameters(const models::Architecture& architecture, std::int64_t n_vocab) {
  models::HyperParameters p = architecture.defaults();
  p.architecture = std::string(architecture.name);
  p.n_vocab = n_vocab;
  p.n_ctx_train = 256;
  p.n_embd = 256;
  p.n_layers = 2;
  p.n_ff = 512;
  p.n_heads = 4;
  p.n_kv_heads = 2;
  p.head_dim = 64;
  p.n_rotary = 64;
  return p;
}

/// Values of one tensor of the plan: norms near one, ternary matrices where the format or the policy asks for them.
inline std::vector<float> tiny_values(const models::TensorSpec& spec, const formats::Format& format, bool ternary,
                                      Random& random) {
  std::vector<float> values(static_cast<std::size_t>(spec.shape.n_elements()));
  const float spread = 1.0F / std::sqrt(static_cast<float>(spec.shape.row_length()));
  for (float& v : values) {
    if (spec.role == models::TensorRole::norm) {
      v = 1.0F + 0.1F * static_cast<float>(random.normal());
    } else if (spec.role == models::TensorRole::rope_factors || spec.role == models::TensorRole::scale) {
      v = 1.0F + 0.5F * static_cast<float>(random.uniform());
    } else if (format.is_binary && spec.role == models::TensorRole::linear) {
      v = random.below(2) == 0 ? -0.0625F : 0.0625F;
    } else if (ternary && spec.role == models::TensorRole::linear) {
      v = static_cast<float>(static_cast<int>(random.below(3)) - 1) * 0.0625F;
    } else {
      v = spread * static_cast<float>(random.normal()) * (spec.role == models::TensorRole::embedding ? 8.0F : 1.0F);
    }
  }
  return values;
}

/// Writes the model and returns its path. Throws std::runtime_error with the library's message when it cannot.
inline std::string write_tiny_model(const TemporaryFolder& folder, const TinyModel& tiny,
                                    models::ArchitectureList architectures = models::all(),
                                    const std::string& name = "tiny") {
  const auto must_have = [](auto result) {
    if (!result) throw std::runtime_error(result.error().message);
    if constexpr (!std::is_void_v<typename decltype(result)::value_type>) return std::move(*result);
  };
  const models::Architecture* architecture = must_have(models::by_name(tiny.architecture, architectures));
  const models::HyperParameters parameters = tiny_parameters(*architecture, tiny.n_vocab);
  const formats::Format* format = must_have(formats::by_name(tiny.format));
  const formats::Format* embedding = must_have(formats::by_name(tiny.embedding));
  const bool ternary =
      format->is_ternary || parameters.linear_activation.mode == models::ActivationPolicy::Mode::per_token;
  const models::Plan plan = architecture->plan(parameters);

  files::GgufLayout layout;
  layout.metadata.set("general.architecture", std::string(architecture->name));
  models::write_hyper_parameters(parameters, layout.metadata);
  models::write_vocabulary(tiny_vocabulary(tiny.n_vocab), layout.metadata);
  std::vector<const models::TensorSpec*> written;
  for (const models::TensorSpec& spec : plan.tensors) {
    if (spec.role == models::TensorRole::head && !tiny.untied_head) continue;
    const formats::Format* chosen = spec.shape.is_vector()                    ? &formats::kF32
                                    : spec.role == models::TensorRole::linear ? format
                                                                              : embedding;
    must_have(layout.add_tensor(spec.name, spec.shape, *chosen));
    written.push_back(&spec);
  }
  const std::string path = folder.file(name + ".gguf");
  auto writer = must_have(files::GgufWriter::create(path, true, layout));
  Random random(tiny.seed);
  for (std::size_t i = 0; i < written.size(); ++i) {
    const auto& planned = layout.tensors()[i];
    const auto values = tiny_values(*written[i], *planned.format, ternary, random);
    std::vector<std::byte> bytes(planned.n_bytes);
    must_have(formats::encode_tensor(*planned.format, planned.name, planned.shape, values, bytes));
    must_have(writer.write_tensor(i, bytes));
  }
  must_have(writer.commit());
  return path;
}

}  // namespace tern::test
