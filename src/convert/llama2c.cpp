// llama2.c checkpoints: float32 tensors of LLaMA's graph, rotary pairs adjacent already.
#include <algorithm>

#include "convert/source.hpp"
#include "convert/source_names.hpp"
#include "files/llama2c.hpp"
#include "formats/all.hpp"
#include "sys/path.hpp"

namespace tern::convert {
namespace {

models::HyperParameters parameters_of(const files::Llama2cConfig& config) {
  models::HyperParameters p;
  p.architecture = "llama";
  p.n_vocab = config.vocab_size;
  p.n_ctx_train = config.seq_len;
  p.n_embd = config.dim;
  p.n_layers = config.n_layers;
  p.n_ff = config.hidden_dim;
  p.n_heads = config.n_heads;
  p.n_kv_heads = config.n_kv_heads;
  p.head_dim = config.head_dim();
  p.n_rotary = p.head_dim;
  p.norm_eps = 1e-5F;
  p.rope_base = 10000.0F;
  return p;
}

std::string llama2c_name(std::string_view gguf_name) {
  for (const SourceName& known : source_names(models::kLlama, gguf_name)) {
    if (std::string name = known.llama2c(); !name.empty()) return name;
  }
  return {};
}

}  // namespace

Result<Source> open_llama2c(const std::string& path) {
  TERN_TRY(files::Llama2cFile opened, files::Llama2cFile::open(path));
  const auto file = std::make_shared<const files::Llama2cFile>(std::move(opened));
  Source source;
  source.architecture = &models::kLlama;
  source.parameters = parameters_of(file->config());
  auto checked = models::check(source.parameters);
  if (!checked) return in_context(path, std::move(checked).error());
  source.name = sys::stem_of(path);
  source.keep_open = file;
  for (const models::TensorSpec& spec : source.architecture->plan(source.parameters).tensors) {
    const files::Llama2cTensor* tensor = file->find(llama2c_name(spec.name));
    if (tensor == nullptr) {
      if (spec.optional) continue;
      return fail(ErrorCode::bad_input, "{}: tensor {} is missing", path, spec.name);
    }
    TERN_CHECK(tensor->shape == spec.shape);
    const auto* values = reinterpret_cast<const float*>(tensor->bytes.data());
    const std::int64_t k = spec.shape.row_length();
    source.tensors.push_back(
        {.name = spec.name,
         .shape = spec.shape,
         .role = spec.role,
         .natural = &formats::kF32,
         .read = [file, values, k](std::int64_t first, std::int64_t n_rows, std::span<float> out) -> Result<void> {
           std::copy_n(values + first * k, n_rows * k, out.begin());
           return {};
         },
         .source_name = tensor->name,
         .source_type = "F32"});
  }
  return source;
}

}  // namespace tern::convert
