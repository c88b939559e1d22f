#include "engine/model.hpp"

#include <new>

#include "base/words.hpp"
#include "models/vocabulary_gguf.hpp"
#include "sys/clock.hpp"
#include "sys/memory.hpp"

namespace tern::engine {

Result<std::shared_ptr<const Model>> Model::load(const std::string& path, const LoadOptions& options) {
  TERN_TRY(models::ModelFile file, models::ModelFile::open(path, models::all(), options.pooling));
  return make(std::move(file), options);
}

Result<std::shared_ptr<const Model>> Model::make(models::ModelFile file, const LoadOptions& options) {
  const sys::Stopwatch clock;
  const std::string name = file.file().name();
  if (options.check_memory) {
    const std::uint64_t available = sys::available_memory();
    if (file.weight_bytes() > available) {
      return fail(ErrorCode::out_of_memory,
                  "{}: the weights take {}, but only {} of memory are free; use a smaller format", name,
                  human_bytes(file.weight_bytes()), human_bytes(available));
    }
  }
  TERN_TRY(kernels::Kernels kernels, kernels::choose(options.isa));
  std::shared_ptr<Model> model(new Model(std::move(file), std::move(kernels)));
  try {
    auto plan = CompiledPlan::compile(model->file_, model->kernels_);
    if (!plan) return in_context(name, std::move(plan).error());
    model->plan_.emplace(std::move(*plan));
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::out_of_memory, "{}: not enough memory to pack the weights; use a smaller format", name);
  }
  auto vocabulary = models::read_vocabulary(model->file_.file().metadata(), model->warnings_);
  auto tokenizer =
      vocabulary ? text::Tokenizer::make(std::move(*vocabulary)) : std::unexpected(std::move(vocabulary).error());
  if (tokenizer) {
    if (static_cast<std::int64_t>(tokenizer->size()) > model->parameters().n_vocab) {
      model->tokenizer_error_ = fmt::format("the tokenizer has {} tokens but the embedding table only {} rows",
                                            tokenizer->size(), model->parameters().n_vocab);
    } else {
      model->tokenizer_.emplace(std::move(*tokenizer));
    }
  } else {
    model->tokenizer_error_ = std::move(tokenizer).error().message;
  }
  model->load_seconds_ = clock.seconds();
  return model;
}

}  // namespace tern::engine
