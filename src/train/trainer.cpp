#include "train/trainer.hpp"

#include <algorithm>

#include "base/words.hpp"
#include "sys/memory.hpp"

namespace tern::train {
namespace {

/// Bytes of masters, gradients and moments, and of quantised matrices what a step multiplies with: known before any is
/// taken. A double, since a recipe may ask for more than 64 bits count.
double bytes_of_parameters(const models::Plan& plan, const std::function<bool(const models::TensorSpec&)>& present,
                           bool quantised) {
  double bytes = 0.0;
  for (const models::TensorSpec& spec : plan.tensors) {
    if (!present(spec)) continue;
    const bool has_codes = quantised && spec.role == models::TensorRole::linear;
    double n = 1.0;
    for (int i = 0; i < spec.shape.n_dims; ++i) n *= static_cast<double>(spec.shape.ne[static_cast<std::size_t>(i)]);
    bytes += n * (has_codes ? 4 * sizeof(float) + sizeof(float) + 1 : 4 * sizeof(float));
  }
  return bytes;
}

}  // namespace

Result<std::unique_ptr<Trainer>> Trainer::make(models::Plan plan,
                                               const std::function<bool(const models::TensorSpec&)>& present,
                                               const TrainerOptions& options, const linalg::Blas& blas,
                                               const kernels::Kernels& kernels) {
  const double needed = bytes_of_parameters(plan, present, options.quantizer.weights != nullptr);
  const std::uint64_t available = sys::available_memory();
  if (needed > static_cast<double>(available)) {
    return fail(ErrorCode::out_of_memory,
                "the parameters, their gradients and moments need {}, but only {} of memory are free; train a smaller "
                "model",
                human_bytes(static_cast<std::uint64_t>(std::min(needed, 1e18))), human_bytes(available));
  }
  try {
    std::unique_ptr<Trainer> out(new Trainer(std::move(plan), present, options.n_threads));
    TERN_TRY(out->weights_, Weights::make(out->plan_, out->parameters_, options.quantizer));
    TERN_TRY(out->network_,
             Network::make(out->plan_, out->parameters_, *out->weights_, blas, kernels, options.size, out->pool_));
    out->optimizer_.emplace(out->parameters_, options.optimizer, out->pool_);
    return out;
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::out_of_memory, "not enough memory for the parameters and their moments");
  }
}

void Trainer::begin(double lambda, bool start_learned_scales) {
  if (start_learned_scales) weights_->start_steps();
  weights_->renew(static_cast<float>(lambda), pool_);
  network_->begin();
}

double Trainer::gradients(std::span<const std::int32_t> tokens) {
  parameters_.clear_gradients();
  const auto n_tokens = network_->size().n_tokens;
  const auto n_predicted = static_cast<double>(std::ssize(tokens) / (n_tokens + 1) * n_tokens);
  const double sum = network_->forward_backward(tokens, static_cast<float>(1.0 / n_predicted));
  weights_->finish_gradients(pool_);
  return sum / n_predicted;
}

StepReport Trainer::step(std::span<const std::int32_t> tokens, double learning_rate, double weight_decay,
                         double next_lambda) {
  StepReport report;
  report.loss = gradients(tokens);
  report.gradient_norm = optimizer_->gradient_norm();
  optimizer_->step(learning_rate, weight_decay, report.gradient_norm);
  weights_->renew(static_cast<float>(next_lambda), pool_);
  for (const auto& weight : weights_->all()) report.n_flips += weight->n_flips();
  return report;
}

}  // namespace tern::train
