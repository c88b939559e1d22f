// Everything that decides what a training run does, in one value: the model's shape, the quantisation, the data's
// order, the optimiser and its schedule, what is reported and kept. A run is its recipe, its data and its start; the
// checkpoint carries the recipe. Fields are listed once (recipe_fields.cpp): reading, writing, overriding, checking and
// the documentation follow from that list.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "linalg/blas.hpp"
#include "models/hyper_parameters.hpp"
#include "train/optimizer.hpp"
#include "train/parameters.hpp"
#include "train/run/schedule.hpp"
#include "train/weights.hpp"

namespace tern::train {

/// Weights of the data's sources by name; empty: every token counts alike.
using Mixture = std::map<std::string, double>;

struct Recipe {
  // model: names as in Hugging Face configurations
  std::string architecture = "llama";
  std::int64_t hidden_size = 256;
  std::int64_t intermediate_size = 768;
  std::int64_t num_hidden_layers = 4;
  std::int64_t num_attention_heads = 4;
  std::int64_t num_key_value_heads = 4;
  std::int64_t head_dim = 0;  // 0: hidden_size / num_attention_heads
  std::string hidden_act;     // "": the architecture's own
  double rms_norm_eps = 1e-5;
  double rope_theta = 10000.0;
  std::int64_t sliding_window = 0;
  bool tie_word_embeddings = true;
  bool norm_per_projection = false;
  double initializer_range = 0.02;
  double embedding_initializer_range = 0.0;  // 0: initializer_range

  // quantization
  std::string weights = "none";
  std::int64_t group = 0;
  std::string activations = "none";
  std::string straight_through = "identity";
  double quantise_from = 0.0;
  std::int64_t fade_in = 0;

  // data
  std::int64_t context = 256;
  std::string order = "shuffle";
  Mixture mixture;

  // optimizer
  std::int64_t tokens = 0;      // of the whole run, rounded down to whole steps; 0: one epoch
  std::int64_t batch = 32;      // sequences of a step
  std::int64_t microbatch = 8;  // of them at once
  double learning_rate = 1e-3;
  double beta1 = 0.9;
  double beta2 = 0.95;
  double epsilon = 1e-8;
  double weight_decay = 0.1;
  double decay_until = 1.0;
  double clip = 1.0;
  std::string matmul = "float32";

  // schedule
  std::string schedule = "cosine";
  std::int64_t warm_up = 100;
  double last = 0.05;
  double stable_until = 0.8;
  double first_end = 0.5;
  double second_peak = 1.0 / 3.0;

  // run
  std::int64_t seed = 1;
  std::int64_t validate_every = 200;
  std::int64_t validation_tokens = 30000;
  std::int64_t checkpoint_every = 100;
  std::int64_t sample_every = 200;
  std::int64_t sample_tokens = 60;
  std::string sample_prompt = "Once upon a time";
  double diverged_above = 3.0;  // nats above the least loss so far

  bool operator==(const Recipe&) const = default;
};

/// From JSON text: sections of keys, absent ones as in `base`. Errors: bad_input for what is no such JSON, with the
/// nearest known name for an unknown section or key; those of check().
[[nodiscard]] Result<Recipe> parse_recipe(std::string_view json, std::string_view what, const Recipe& base = {});
/// "section.key=value", as after --set. Errors: usage.
[[nodiscard]] Result<void> set_field(Recipe& recipe, std::string_view assignment);
/// All fields, in the order of the list.
[[nodiscard]] std::string recipe_json(const Recipe& recipe);
/// Ranges of single fields, and what must fit together. Errors: usage, naming the field.
[[nodiscard]] Result<void> check(const Recipe& recipe);

/// The recipe as the parts of a run take it. Requires check().
[[nodiscard]] Result<models::HyperParameters> hyper_parameters_of(const Recipe& recipe, std::int64_t n_vocab);
/// The other way: the recipe's model section says what the model is.
void describe_model(const models::HyperParameters& model, Recipe& recipe);
[[nodiscard]] Result<QuantizerOptions> quantizer_of(const Recipe& recipe);
[[nodiscard]] FirstWeights first_weights_of(const Recipe& recipe);
[[nodiscard]] OptimizerOptions optimizer_of(const Recipe& recipe);
[[nodiscard]] Result<linalg::Matmul> matmul_of(const Recipe& recipe);
/// `n_steps` of the run.
[[nodiscard]] Result<Schedule> schedule_of(const Recipe& recipe, std::int64_t n_steps);

}  // namespace tern::train
