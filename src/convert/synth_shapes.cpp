#include "convert/synth_shapes.hpp"

#include <algorithm>
#include <array>

#include "base/words.hpp"
#include "models/all.hpp"

namespace tern::convert {
namespace {

// Sources: the config.json of each model on Hugging Face.
constexpr std::array<SynthShape, 6> kShapes{{
    {.name = "tiny",
     .summary = "a few million weights, for trying things out",
     .architecture = "bitnet-b1.58",
     .hidden = 256,
     .layers = 4,
     .heads = 4,
     .kv_heads = 2,
     .head_dim = 0,
     .feed_forward = 768,
     .vocabulary = 2048,
     .context = 2048,
     .rope_base = 10000.0F,
     .tied = true},
    {.name = "bitnet-700m",
     .summary = "1bitLLM's bitnet_b1_58-large",
     .architecture = "bitnet",
     .hidden = 1536,
     .layers = 24,
     .heads = 16,
     .kv_heads = 16,
     .head_dim = 0,
     .feed_forward = 4096,
     .vocabulary = 32002,
     .context = 2048,
     .rope_base = 10000.0F,
     .tied = true},
    {.name = "bitnet-3b",
     .summary = "1bitLLM's bitnet_b1_58-3B",
     .architecture = "bitnet",
     .hidden = 3200,
     .layers = 26,
     .heads = 32,
     .kv_heads = 32,
     .head_dim = 0,
     .feed_forward = 8640,
     .vocabulary = 32002,
     .context = 2048,
     .rope_base = 10000.0F,
     .tied = true},
    {.name = "bitnet-2b-4t",
     .summary = "Microsoft's BitNet b1.58 2B4T",
     .architecture = "bitnet-b1.58",
     .hidden = 2560,
     .layers = 30,
     .heads = 20,
     .kv_heads = 5,
     .head_dim = 0,
     .feed_forward = 6912,
     .vocabulary = 128256,
     .context = 4096,
     .rope_base = 500000.0F,
     .tied = true},
    {.name = "llama-8b",
     .summary = "Meta's Llama 3 8B",
     .architecture = "llama",
     .hidden = 4096,
     .layers = 32,
     .heads = 32,
     .kv_heads = 8,
     .head_dim = 0,
     .feed_forward = 14336,
     .vocabulary = 128256,
     .context = 8192,
     .rope_base = 500000.0F,
     .tied = false},
    {.name = "qwen3-8b",
     .summary = "Alibaba's Qwen3 8B",
     .architecture = "qwen3",
     .hidden = 4096,
     .layers = 36,
     .heads = 32,
     .kv_heads = 8,
     .head_dim = 128,
     .feed_forward = 12288,
     .vocabulary = 151936,
     .context = 40960,
     .rope_base = 1000000.0F,
     .tied = false},
}};

}  // namespace

std::span<const SynthShape> synth_shapes() {
  return kShapes;
}

std::vector<std::string_view> synth_shape_names() {
  std::vector<std::string_view> names;
  for (const SynthShape& shape : kShapes) names.push_back(shape.name);
  return names;
}

Result<SynthShape> synth_shape_by_name(std::string_view name) {
  const auto found = std::ranges::find(kShapes, name, &SynthShape::name);
  if (found != kShapes.end()) return *found;
  const auto names = synth_shape_names();
  return fail(ErrorCode::usage, "unknown shape \"{}\"{}: there are {}", printable(name), did_you_mean(name, names),
              fmt::format("{}", fmt::join(names, ", ")));
}

Result<models::HyperParameters> hyper_parameters_of(const SynthShape& shape) {
  TERN_TRY(const models::Architecture* architecture, models::by_name(shape.architecture));
  models::HyperParameters p = architecture->defaults();
  p.architecture = architecture->name;
  p.n_vocab = shape.vocabulary;
  p.n_ctx_train = shape.context;
  p.n_embd = shape.hidden;
  p.n_ff = shape.feed_forward;
  p.n_layers = shape.layers;
  p.n_heads = shape.heads;
  p.n_kv_heads = shape.kv_heads;
  if (shape.head_dim == 0 && (shape.heads <= 0 || shape.hidden % shape.heads != 0)) {
    return fail(ErrorCode::usage, "a width of {} is no multiple of {} heads: say --head-dim", shape.hidden,
                shape.heads);
  }
  p.head_dim = shape.head_dim == 0 ? shape.hidden / shape.heads : shape.head_dim;
  p.n_rotary = p.head_dim;
  p.rope_base = shape.rope_base;
  if (auto sound = models::check(p); !sound) return fail(ErrorCode::usage, "{}", sound.error().message);
  return p;
}

}  // namespace tern::convert
