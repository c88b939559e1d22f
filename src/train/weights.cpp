#include "train/weights.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

namespace tern::train {
namespace {

// An infinite weight would be given a code like any other.
bool all_finite(std::span<const float> values) {
  constexpr std::uint32_t kExponent = 0x7f800000U;
  std::uint32_t most = 0;
  for (const float value : values) most = std::max(most, std::bit_cast<std::uint32_t>(value) & kExponent);
  return most != kExponent;
}

}  // namespace

Weight::Weight(Parameter& master, Parameter* step, const QuantizerOptions& options)
    : master_(&master), step_(step), options_(options) {
  if (options.weights == nullptr) return;
  const auto n = master.shape.n_elements();
  values_ = Floats(n);
  codes_.resize(static_cast<std::size_t>(n));
  scales_.resize(static_cast<std::size_t>(n / group_size()));
}

std::int64_t Weight::group_size() const {
  return options_.group == 0 ? master_->shape.n_elements() : options_.group;
}

void Weight::start_step() {
  const auto size = static_cast<std::size_t>(group_size());
  for (std::size_t g = 0; g < scales_.size(); ++g) {
    step_->master.data()[g] = options_.weights->scale_of(master_->master.span().subspan(g * size, size));
  }
}

void Weight::renew(float lambda) {
  is_float_ = options_.weights == nullptr || lambda == 0.0F;
  if (options_.weights == nullptr) return;
  const WeightQuantizer& quantizer = *options_.weights;
  const auto size = static_cast<std::size_t>(group_size());
  codes_apart_ = options_.group == 0 && lambda == 1.0F;
  flips_ = 0;
  for (std::size_t g = 0; g < scales_.size(); ++g) {
    const auto masters = master_->master.span().subspan(g * size, size);
    float* values = values_.data() + g * size;
    std::int8_t* codes = codes_.data() + g * size;
    if (!all_finite(masters)) {  // then nothing made of them may look like a number
      scales_[g] = std::numeric_limits<float>::quiet_NaN();
      std::fill_n(values, size, scales_[g]);
      std::fill_n(codes, size, std::int8_t{0});
      continue;
    }
    const float scale = round_scale(step_ != nullptr ? step_->master.data()[g] : quantizer.scale_of(masters));
    scales_[g] = scale;
    quantizer.encode(masters, scale, values);
    for (std::size_t i = 0; i < size; ++i) {
      const auto code = static_cast<std::int8_t>(values[i]);
      flips_ += has_codes_ && code != codes[i] ? 1 : 0;
      codes[i] = code;
    }
    if (codes_apart_) continue;
    if (lambda == 1.0F) {
      for (std::size_t i = 0; i < size; ++i) values[i] *= scale;
    } else {
      for (std::size_t i = 0; i < size; ++i) values[i] = masters[i] + lambda * (values[i] * scale - masters[i]);
    }
  }
  has_codes_ = true;
}

void Weight::finish_gradient(float lambda) {
  if (is_float_) return;
  const WeightQuantizer& quantizer = *options_.weights;
  const auto size = static_cast<std::size_t>(group_size());
  const auto lowest = static_cast<float>(quantizer.lowest);
  const auto highest = static_cast<float>(quantizer.highest);
  for (std::size_t g = 0; g < scales_.size(); ++g) {
    const float* masters = master_->master.data() + g * size;
    const std::int8_t* codes = codes_.data() + g * size;
    float* gradient = master_->gradient.data() + g * size;
    const float scale = scales_[g];
    if (step_ != nullptr) {  // LSQ, equations 2 and 3
      double sum = 0.0;
      for (std::size_t i = 0; i < size; ++i) {
        const float x = masters[i] / scale;
        const bool inside = x > lowest && x < highest;
        const float slope = inside ? static_cast<float>(codes[i]) - x : (x <= lowest ? lowest : highest);
        sum += static_cast<double>(gradient[i]) * static_cast<double>(slope);
        if (!inside) gradient[i] *= 1.0F - lambda;
      }
      const double weight = 1.0 / std::sqrt(static_cast<double>(size) * static_cast<double>(highest));
      step_->gradient.data()[g] += static_cast<float>(sum * weight) * lambda;
    } else if (options_.straight_through == StraightThrough::clipped) {
      for (std::size_t i = 0; i < size; ++i) {
        if (std::fabs(masters[i] / scale) > highest) gradient[i] *= 1.0F - lambda;
      }
    }
  }
}

WeightStatistics Weight::statistics() const {
  WeightStatistics out;
  if (!is_quantized() || codes_.empty()) return out;
  std::int64_t below = 0;
  std::int64_t above = 0;
  for (const std::int8_t code : codes_) {
    below += code < 0 ? 1 : 0;
    above += code > 0 ? 1 : 0;
  }
  const auto n = static_cast<double>(codes_.size());
  out.minus = static_cast<double>(below) / n;
  out.plus = static_cast<double>(above) / n;
  out.zero = static_cast<double>(std::ssize(codes_) - below - above) / n;
  out.flips = flips_;
  double sum = 0.0;
  for (const float scale : scales_) sum += static_cast<double>(scale);
  out.scale = static_cast<float>(sum / static_cast<double>(scales_.size()));
  return out;
}

Result<Weights> Weights::make(const models::Plan& plan, Parameters& parameters, const QuantizerOptions& options) {
  Weights out;
  out.options_ = options;
  out.by_tensor_.assign(plan.tensors.size(), nullptr);
  for (const models::Step& step : plan.steps) {
    const auto* linear = std::get_if<models::LinearStep>(&step);
    if (linear == nullptr || out.by_tensor_[static_cast<std::size_t>(linear->weight)] != nullptr) continue;
    Parameter* master = parameters.of(linear->weight);
    TERN_CHECK(master != nullptr);
    if (parameters.of(linear->output_scale) != nullptr) {
      return fail(ErrorCode::unsupported, "{}: a factor on a product's output is not trained; put it into the matrix",
                  plan.tensor(linear->output_scale).name);
    }
    if (options.weights != nullptr && options.group > 0 && master->shape.row_length() % options.group != 0) {
      return fail(ErrorCode::usage,
                  "{} has rows of {} values, which groups of {} do not divide; choose other widths or "
                  "one scale per matrix",
                  master->name, master->shape.row_length(), options.group);
    }
    Parameter* learned = nullptr;
    if (options.weights != nullptr && options.weights->learned_scale) {
      const std::int64_t n_groups = options.group == 0 ? 1 : master->shape.n_elements() / options.group;
      learned =
          &parameters.add(models::name_beside(master->name, "step"), vector_shape(n_groups), models::TensorRole::scale);
    }
    out.all_.push_back(std::make_unique<Weight>(*master, learned, options));
    out.by_tensor_[static_cast<std::size_t>(linear->weight)] = out.all_.back().get();
  }
  return out;
}

void Weights::start_steps() {
  if (options_.weights == nullptr || !options_.weights->learned_scale) return;
  for (const auto& weight : all_) weight->start_step();
}

void Weights::renew(float lambda, sys::ThreadPool& pool) {
  lambda_ = options_.weights == nullptr ? 0.0F : lambda;
  pool.parallel_for(std::ssize(all_), 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) all_[static_cast<std::size_t>(i)]->renew(lambda_);
  });
}

void Weights::finish_gradients(sys::ThreadPool& pool) {
  pool.parallel_for(std::ssize(all_), 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) all_[static_cast<std::size_t>(i)]->finish_gradient(lambda_);
  });
}

}  // namespace tern::train
