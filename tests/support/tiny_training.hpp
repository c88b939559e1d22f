// Tiny models in training: shapes that train in milliseconds, parameters that make every gradient matter, batches of
// random tokens, and the same numbers for the reference in double precision.
#pragma once

#include <cmath>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "base/random.hpp"
#include "kernels/kernels.hpp"
#include "models/all.hpp"
#include "tests/support/steps_in_double.hpp"
#include "train/trainer.hpp"

namespace tern::test {

inline constexpr std::int64_t kTrainingVocabulary = 29;

/// `width` of the residual stream: 32, or a multiple of 128 where groups of 128 must fit.
inline models::HyperParameters training_shape(const models::Architecture& architecture, std::int64_t width = 32) {
  models::HyperParameters p = architecture.defaults();
  p.architecture = std::string(architecture.name);
  p.n_vocab = kTrainingVocabulary;
  p.n_ctx_train = 16;
  p.n_embd = width;
  p.n_ff = width == 32 ? 48 : width;
  p.n_layers = 2;
  p.n_heads = 4;
  p.n_kv_heads = 2;
  p.head_dim = p.n_rotary = width / 4;
  return p;
}

inline models::Plan training_plan(std::string_view architecture = "llama", std::int64_t width = 32) {
  const auto found = models::by_name(architecture);
  if (!found) throw std::runtime_error(found.error().message);
  return (*found)->plan(training_shape(**found, width));
}

/// Everything a model may have but what is not trained: factors of positions and of outputs.
inline bool all_that_is_trained(const models::TensorSpec& spec) {
  return spec.role != models::TensorRole::scale && spec.role != models::TensorRole::rope_factors;
}
/// The same with the head tied to the embedding.
inline bool all_but_a_head(const models::TensorSpec& spec) {
  return all_that_is_trained(spec) && spec.role != models::TensorRole::head;
}

/// Matrices of spread 1 / sqrt(inputs), gains near one, biases near zero.
inline void fill_parameters(train::Parameters& parameters, std::uint64_t seed) {
  Random random(seed);
  for (const auto& p : parameters.all()) {
    const bool is_gain = p->role == models::TensorRole::norm;
    const double spread = p->shape.is_vector() ? 0.1
                          : p->role == models::TensorRole::embedding
                              ? 0.5
                              : 1.0 / std::sqrt(static_cast<double>(p->shape.row_length()));
    for (float& value : p->master.span()) value = static_cast<float>((is_gain ? 1.0 : 0.0) + random.normal() * spread);
  }
}

/// Float training of sequences of that length, so many at once.
inline train::TrainerOptions training_options(std::int64_t n_tokens, std::int64_t n_sequences,
                                              const train::QuantizerOptions& quantizer = {}, int n_threads = 1) {
  train::TrainerOptions options;
  options.quantizer = quantizer;
  options.size = {n_tokens, n_sequences};
  options.n_threads = n_threads;
  return options;
}

inline std::unique_ptr<train::Trainer> tiny_trainer(models::Plan plan, const train::TrainerOptions& options,
                                                    std::uint64_t seed, double lambda = 1.0,
                                                    bool (*present)(const models::TensorSpec&) = &all_but_a_head,
                                                    linalg::Matmul matmul = linalg::Matmul::float32) {
  const auto must = [](auto result) {
    if (!result) throw std::runtime_error(result.error().message);
    return std::move(*result);
  };
  auto trainer = must(train::Trainer::make(std::move(plan), present, options, must(linalg::Blas::load(matmul)),
                                           must(kernels::choose())));
  fill_parameters(trainer->parameters(), seed);
  trainer->begin(lambda, true);
  return trainer;
}

/// [n_sequences, n_tokens + 1]; each sequence begins with another token, so that all of them can be learned by heart.
inline std::vector<std::int32_t> random_batch(std::int64_t n_sequences, std::int64_t n_tokens, std::uint64_t seed) {
  Random random(seed);
  std::vector<std::int32_t> out;
  for (std::int64_t s = 0; s < n_sequences; ++s) {
    out.push_back(static_cast<std::int32_t>(s % kTrainingVocabulary));
    for (std::int64_t t = 0; t < n_tokens; ++t) {
      out.push_back(static_cast<std::int32_t>(random.below(static_cast<std::uint64_t>(kTrainingVocabulary))));
    }
  }
  return out;
}

inline Sequences sequences_of(const std::vector<std::int32_t>& batch, std::int64_t n_tokens) {
  Sequences out;
  for (auto row = batch.begin(); row != batch.end(); row += n_tokens + 1) out.emplace_back(row, row + n_tokens + 1);
  return out;
}

inline Parameters in_double(const train::Parameters& parameters) {
  Parameters out;
  for (const auto& p : parameters.all()) out[p->name] = {p->master.span().begin(), p->master.span().end()};
  return out;
}

}  // namespace tern::test
