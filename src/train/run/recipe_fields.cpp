#include "train/run/recipe_fields.hpp"

namespace tern::train {

std::vector<RecipeField> recipe_fields(Recipe& r) {
  constexpr double kWide = 1 << 20;
  constexpr double kMany = 1e15;
  return {
      {"model", "architecture", "name of the plan: llama, bitnet-b1.58, qwen3, ...", &r.architecture},
      {"model", "hidden_size", "width of the residual stream", &r.hidden_size, 1, kWide},
      {"model", "intermediate_size", "width inside the feed-forward part", &r.intermediate_size, 1, kWide},
      {"model", "num_hidden_layers", "layers", &r.num_hidden_layers, 1, models::kMaxLayers},
      {"model", "num_attention_heads", "heads of queries", &r.num_attention_heads, 1, 65536},
      {"model", "num_key_value_heads", "heads of keys and values; divides the heads of queries", &r.num_key_value_heads,
       1, 65536},
      {"model", "head_dim", "width of a head; 0: hidden_size / num_attention_heads", &r.head_dim, 0, kWide},
      {"model", "hidden_act", "silu, relu2 or gelu; empty: the architecture's own", &r.hidden_act},
      {"model", "rms_norm_eps", "added to the mean square before the root", &r.rms_norm_eps, 0, 1},
      {"model", "rope_theta", "base of the rotary positions", &r.rope_theta, 1e-3, 1e12},
      {"model", "sliding_window", "positions that sliding layers see; 0: all", &r.sliding_window, 0, 1e9},
      {"model", "tie_word_embeddings", "the embedding serves as head", &r.tie_word_embeddings},
      {"model", "norm_per_projection", "a norm inside every linear layer, as BitNet's first BitLinear has it",
       &r.norm_per_projection},
      {"model", "initializer_range", "standard deviation of the first weights", &r.initializer_range, 0, 10},
      {"model", "embedding_initializer_range",
       "that of the embedding, and of a head that is tied to it; 0: initializer_range", &r.embedding_initializer_range,
       0, 10},

      {"quantization", "weights", "none, absmean, absmedian, sign, lsq4 or lsq8", &r.weights},
      {"quantization", "group", "values of a row that share a scale: 64, 128, ...; 0: one scale a matrix", &r.group, 0,
       kWide},
      {"quantization", "activations", "rounding of the inputs of quantised matrices, per token: none, int8 or int4",
       &r.activations},
      {"quantization", "straight_through",
       "identity, or clipped: no gradient where |w| exceeds the scale (lsq4 and lsq8 have a rule of their own)",
       &r.straight_through},
      {"quantization", "from", "share of the steps that is trained in float first", &r.quantise_from, 0, 1},
      {"quantization", "fade_in", "steps over which rounding is mixed in after that; 0: at once", &r.fade_in, 0, kMany},

      {"data", "context", "tokens of a sequence", &r.context, 1, kWide},
      {"data", "order", "shuffle: every window once an epoch; windows: drawn at random places", &r.order},
      {"data", "mixture", "weights of the sources by name; empty: by their tokens", &r.mixture},

      {"optimizer", "tokens", "of the whole run, rounded down to whole steps; 0: one epoch", &r.tokens, 0, kMany},
      {"optimizer", "batch", "sequences of a step", &r.batch, 1, kWide},
      {"optimizer", "microbatch", "sequences worked on at once (memory); part of what makes bits repeat", &r.microbatch,
       1, kWide},
      {"optimizer", "learning_rate", "the peak", &r.learning_rate, 0, 100},
      {"optimizer", "beta1", "Adam's memory of the gradient", &r.beta1, 0, 0.9999999},
      {"optimizer", "beta2", "Adam's memory of its square", &r.beta2, 0, 0.9999999},
      {"optimizer", "epsilon", "Adam's least denominator", &r.epsilon, 0, 1},
      {"optimizer", "weight_decay", "of matrices, decoupled", &r.weight_decay, 0, 100},
      {"optimizer", "decay_until", "share of the steps after which weight decay is zero", &r.decay_until, 0, 1},
      {"optimizer", "clip", "largest global norm of the gradient; 0: any", &r.clip, 0, 1e30},
      {"optimizer", "matmul",
       "products of matrices: float32 by oneDNN where it is installed and else by OpenBLAS; onednn or openblas: by "
       "that one; bfloat16: by oneDNN with rounded operands",
       &r.matmul},

      {"schedule", "kind", "linear, cosine, wsd or two_stage", &r.schedule},
      {"schedule", "warm_up", "steps until the rate is full", &r.warm_up, 0, kMany},
      {"schedule", "last", "the last rate, as a share of the peak (two_stage: of the second peak)", &r.last, 0, 1},
      {"schedule", "stable_until", "wsd: share of the steps at the peak", &r.stable_until, 0, 1},
      {"schedule", "first_end", "two_stage: where the first stage ends, as a share of the peak", &r.first_end, 0, 1},
      {"schedule", "second_peak", "two_stage: where the second begins, as a share of the peak", &r.second_peak, 0, 1},

      {"run", "seed", "of the first weights and of the data's order", &r.seed, 0, kMany},
      {"run", "validate_every", "steps between looks at the held-out text; 0: at the end alone", &r.validate_every, 0,
       kMany},
      {"run", "validation_tokens", "of each source's held-out part, from its beginning", &r.validation_tokens, 1,
       kMany},
      {"run", "checkpoint_every", "steps between checkpoints; 0: at the end alone", &r.checkpoint_every, 0, kMany},
      {"run", "sample_every", "steps between samples of text; 0: none", &r.sample_every, 0, kMany},
      {"run", "sample_tokens", "length of a sample", &r.sample_tokens, 1, kWide},
      {"run", "sample_prompt", "what samples continue", &r.sample_prompt},
      {"run", "diverged_above",
       "the run stops when the loss is so many nats above its least since rounding began; 0: never", &r.diverged_above,
       0, 1e6},
  };
}

}  // namespace tern::train
