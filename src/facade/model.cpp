// The public Model over engine::Model and one engine::Session of one sequence.
#include "tern/model.hpp"

#include <new>

#include "engine/generate.hpp"
#include "engine/model.hpp"
#include "engine/session.hpp"
#include "sys/cpu.hpp"

namespace tern {

struct Model::Impl {
  std::shared_ptr<const engine::Model> model;
  std::unique_ptr<engine::Session> session;
};

Model::Model(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Model::Model(Model&&) noexcept = default;
Model& Model::operator=(Model&&) noexcept = default;
Model::~Model() = default;

Result<Model> Model::load(const std::string& path, const ModelOptions& options) {
  auto impl = std::make_unique<Impl>();
  const int n_threads = options.n_threads == 0 ? sys::usable_cores() : options.n_threads;
  TERN_TRY(impl->model, engine::Model::load(path, {.isa = options.isa, .n_threads = n_threads}));
  TERN_TRY(impl->session, engine::Session::make(impl->model, {.n_threads = n_threads, .n_ctx = options.n_ctx}));
  return Model(std::move(impl));
}

std::string Model::architecture() const {
  return impl_->model->parameters().architecture;
}
std::int64_t Model::n_vocab() const {
  return impl_->model->parameters().n_vocab;
}
std::int64_t Model::n_ctx() const {
  return impl_->session->options().n_ctx;
}

Result<std::vector<std::int32_t>> Model::tokenize(std::string_view text) const {
  const text::Tokenizer* tokenizer = impl_->model->tokenizer();
  if (tokenizer == nullptr)
    return fail(ErrorCode::bad_input, "this model has no tokenizer: {}", impl_->model->tokenizer_error());
  return tokenizer->encode(text);
}

Result<std::string> Model::detokenize(std::span<const std::int32_t> ids) const {
  const text::Tokenizer* tokenizer = impl_->model->tokenizer();
  if (tokenizer == nullptr)
    return fail(ErrorCode::bad_input, "this model has no tokenizer: {}", impl_->model->tokenizer_error());
  return tokenizer->decode(ids);
}

Result<std::string> Model::generate(std::string_view prompt, const GenerationOptions& options,
                                    const std::function<bool(std::string_view)>& on_text) {
  TERN_TRY(const std::vector<std::int32_t> ids, engine::prompt_ids(*impl_->model, prompt));
  engine::GenerateOptions wanted;
  wanted.n_predict = options.n_predict;
  wanted.sampler.temperature = options.temperature;
  wanted.sampler.top_k = options.top_k;
  wanted.sampler.top_p = options.top_p;
  wanted.sampler.min_p = options.min_p;
  wanted.sampler.repeat_penalty = options.repeat_penalty;
  wanted.sampler.seed = options.seed;
  wanted.stop = options.stop;
  wanted.continues_text = !prompt.empty();
  impl_->session->truncate(0, 0);
  TERN_TRY(engine::GenerateResult result, engine::generate(*impl_->session, ids, wanted, [&](std::string_view piece) {
             return !on_text || on_text(piece);
           }));
  return std::move(result.text);
}

Result<std::vector<float>> Model::logits(std::span<const std::int32_t> ids) {
  impl_->session->truncate(0, 0);
  std::vector<engine::BatchItem> batch;
  for (std::size_t i = 0; i < ids.size(); ++i) batch.push_back({ids[i], static_cast<std::int32_t>(i), 0, true});
  TERN_TRY_DO(impl_->session->decode(batch));
  std::vector<float> out;
  try {
    out.reserve(ids.size() * static_cast<std::size_t>(n_vocab()));
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::out_of_memory, "no memory for the logits of {} tokens; ask for fewer at once", ids.size());
  }
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const auto row = impl_->session->logits(i);
    out.insert(out.end(), row.begin(), row.end());
  }
  return out;
}

}  // namespace tern
