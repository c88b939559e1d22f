#include "train/trainer.hpp"

namespace tern::train {

Result<std::unique_ptr<Trainer>> Trainer::make(models::Plan plan,
                                               const std::function<bool(const models::TensorSpec&)>& present,
                                               const TrainerOptions& options, const linalg::Blas& blas,
                                               const kernels::Kernels& kernels) {
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
