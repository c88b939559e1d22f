// The step kinds of a plan in double precision, one operator() a kind, token by token: the arithmetic of
// support/plan_in_double.hpp, which says what it is for. Nothing is fused and nothing shared with the engine or the
// trainer but the plan and the frequencies of rotary positions. All kinds but pooling.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <map>
#include <numbers>
#include <stdexcept>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "models/plan.hpp"
#include "models/rope_scaling.hpp"

namespace tern::test {

/// By the plan's names; matrices [n_rows][row_length]. An optional tensor may be missing.
using Parameters = std::map<std::string, std::vector<double>, std::less<>>;
/// Token ids. Each sequence begins at position 0 and sees itself alone.
using Sequences = std::vector<std::vector<std::int32_t>>;

/// What one linear step does to its operands before the product. Empty functions do nothing.
struct LinearHook {
  /// The matrix to multiply with, in place of parameters.at(step's weight).
  std::function<std::vector<double>(const Parameters&)> weight;
  /// Edits a copy of the step's input [n_tokens][width], tokens of all sequences one after the other.
  std::function<void(std::vector<double>& input)> input;
};
/// By index into Plan::steps.
using LinearHooks = std::map<std::size_t, LinearHook>;

namespace plan_in_double {

inline double apply(models::Unary function, double x) {
  switch (function) {
    case models::Unary::silu:
      return x / (1.0 + std::exp(-x));
    case models::Unary::relu2:
      return x > 0.0 ? x * x : 0.0;
    case models::Unary::gelu_tanh:
      return 0.5 * x * (1.0 + std::tanh(std::sqrt(2.0 / std::numbers::pi) * (x + 0.044715 * x * x * x)));
  }
  throw std::logic_error("no such function");
}

inline double capped(double x, float cap) {
  return cap == 0.0F ? x : static_cast<double>(cap) * std::tanh(x / static_cast<double>(cap));
}

/// out [n_tokens][n_rows] of in [n_tokens][row_length] and weight [n_rows][row_length].
inline std::vector<double> product(const std::vector<double>& in, const std::vector<double>& weight, std::size_t n_rows,
                                   std::size_t row_length) {
  std::vector<double> out;
  out.reserve(in.size() / row_length * n_rows);
  for (std::size_t at = 0; at < in.size(); at += row_length) {
    for (std::size_t r = 0; r < n_rows; ++r) {
      double sum = 0.0;
      for (std::size_t i = 0; i < row_length; ++i) sum += in[at + i] * weight[r * row_length + i];
      out.push_back(sum);
    }
  }
  return out;
}

/// One pass. A step kind is one operator(), which fills in the value it makes.
class Walk {
 public:
  using Rows = std::vector<double>;

  Walk(const models::Plan& plan, const LinearHooks& hooks, const Parameters& parameters, const Sequences& inputs)
      : plan_(plan), hooks_(hooks), parameters_(parameters), inputs_(inputs), values_(plan.values.size()) {
    for (const auto& sequence : inputs) n_tokens_ += sequence.size();
  }

  std::vector<Rows> run() {
    for (step_ = 0; step_ < plan_.steps.size(); ++step_) std::visit(*this, plan_.steps[step_]);
    return std::move(values_);
  }

  void operator()(const models::EmbedStep& s) {
    const Rows& table = must_have(s.table);
    for (const auto& sequence : inputs_) {
      for (const std::int32_t token : sequence) {
        for (std::size_t i = 0; i < width(s.out); ++i) {
          out(s.out).push_back(table.at(static_cast<std::size_t>(token) * width(s.out) + i) *
                               static_cast<double>(s.scale));
        }
      }
    }
  }

  void operator()(const models::NormStep& s) {
    const Rows& gain = must_have(s.weight);
    const Rows* bias = find(s.bias);
    const std::size_t n = s.group_width == 0 ? width(s.in) : static_cast<std::size_t>(s.group_width);
    const Rows& x = in(s.in);
    for (std::size_t at = 0; at < x.size(); at += n) {
      double mean = 0.0;
      if (s.kind == models::NormStep::Kind::layer) {
        for (std::size_t i = 0; i < n; ++i) mean += x[at + i] / static_cast<double>(n);
      }
      double squares = 0.0;
      for (std::size_t i = 0; i < n; ++i) squares += (x[at + i] - mean) * (x[at + i] - mean);
      const double scale = 1.0 / std::sqrt(squares / static_cast<double>(n) + static_cast<double>(s.eps));
      for (std::size_t i = 0; i < n; ++i) {
        out(s.out).push_back((x[at + i] - mean) * scale * gain[i] + (bias == nullptr ? 0.0 : (*bias)[i]));
      }
    }
  }

  void operator()(const models::LinearStep& s) {
    const auto hook = hooks_.find(step_);
    const bool hooked = hook != hooks_.end();
    Rows x = in(s.in);
    if (hooked && hook->second.input) hook->second.input(x);
    const Rows weight = hooked && hook->second.weight ? hook->second.weight(parameters_) : must_have(s.weight);
    Rows y = product(x, weight, width(s.out), width(s.in));
    const Rows* bias = find(s.bias);
    const Rows* scale = find(s.output_scale);
    for (std::size_t i = 0; i < y.size(); ++i) {
      y[i] = y[i] * (scale == nullptr ? 1.0 : scale->at(0)) + (bias == nullptr ? 0.0 : (*bias)[i % width(s.out)]);
    }
    out(s.out) = std::move(y);
  }

  void operator()(const models::RopeStep& s) {
    const models::RopeFrequencies frequencies = models::rope_frequencies(s);
    const Rows* factors = find(s.factors);
    const auto head = static_cast<std::size_t>(s.head_dim);
    const auto half = static_cast<std::size_t>(s.n_rotary / 2);
    const bool adjacent = s.pairing == models::RopeStep::Pairing::adjacent;
    Rows y = in(s.in);
    std::size_t token = 0;
    for (const auto& sequence : inputs_) {
      for (std::size_t position = 0; position < sequence.size(); ++position, ++token) {
        for (std::size_t i = 0; i < half; ++i) {
          float frequency = frequencies.inverse[i];
          if (factors != nullptr) frequency /= static_cast<float>((*factors)[i]);
          // The angle is a float in every implementation that models are trained with.
          const auto angle = static_cast<double>(static_cast<float>(position) * frequency);
          const double cosine = std::cos(angle) * static_cast<double>(frequencies.magnitude);
          const double sine = std::sin(angle) * static_cast<double>(frequencies.magnitude);
          for (std::size_t at = token * width(s.in); at < (token + 1) * width(s.in); at += head) {
            double& first = y[at + (adjacent ? 2 * i : i)];
            double& second = y[at + (adjacent ? 2 * i + 1 : i + half)];
            const double turned = first * cosine - second * sine;
            second = second * cosine + first * sine;
            first = turned;
          }
        }
      }
    }
    out(s.out) = std::move(y);
  }

  void operator()(const models::AttentionStep& s) {
    const auto d = static_cast<std::size_t>(s.head_dim);
    const auto n_heads = static_cast<std::size_t>(s.n_heads);
    const auto n_kv_heads = static_cast<std::size_t>(s.n_kv_heads);
    const Rows& value = in(s.value);
    Rows& y = out(s.out);
    y.assign(n_tokens_ * n_heads * d, 0.0);
    std::size_t begin = 0;  // of the sequence, in tokens
    for (const auto& sequence : inputs_) {
      for (std::size_t t = 0; t < sequence.size(); ++t) {
        const auto window = static_cast<std::size_t>(s.window);
        const std::size_t first = window == 0 || t + 1 < window ? 0 : t + 1 - window;
        const std::size_t end = s.causal ? t + 1 : sequence.size();
        for (std::size_t h = 0; h < n_heads; ++h) {
          const std::size_t kv_head = h / (n_heads / n_kv_heads);
          Rows weights;
          for (std::size_t u = first; u < end; ++u) weights.push_back(score(s, begin + t, h, begin + u, kv_head));
          const double most = *std::ranges::max_element(weights);
          double sum = 0.0;
          for (double& weight : weights) {
            weight = std::exp(weight - most);
            sum += weight;
          }
          for (std::size_t u = first; u < end; ++u) {
            for (std::size_t i = 0; i < d; ++i) {
              y[((begin + t) * n_heads + h) * d + i] +=
                  weights[u - first] / sum * value[((begin + u) * n_kv_heads + kv_head) * d + i];
            }
          }
        }
      }
      begin += sequence.size();
    }
  }

  void operator()(const models::UnaryStep& s) {
    for (const double x : in(s.in)) out(s.out).push_back(apply(s.function, x));
  }
  void operator()(const models::GluStep& s) {
    for (std::size_t i = 0; i < in(s.gate).size(); ++i) {
      out(s.out).push_back(apply(s.function, in(s.gate)[i]) * in(s.up)[i]);
    }
  }
  void operator()(const models::AddStep& s) {
    for (std::size_t i = 0; i < in(s.a).size(); ++i) out(s.out).push_back(in(s.a)[i] + in(s.b)[i]);
  }
  void operator()(const models::ScaleStep& s) {
    for (const double x : in(s.in)) out(s.out).push_back(x * static_cast<double>(s.factor));
  }
  void operator()(const models::PoolStep&) { throw std::logic_error("the reference does not pool"); }
  void operator()(const models::HeadStep& s) {
    Rows y = product(in(s.in), must_have(s.weight), width(s.out), width(s.in));
    for (double& logit : y) logit = capped(logit, s.soft_cap);
    out(s.out) = std::move(y);
  }

 private:
  [[nodiscard]] double score(const models::AttentionStep& s, std::size_t query_token, std::size_t head,
                             std::size_t key_token, std::size_t kv_head) const {
    const auto d = static_cast<std::size_t>(s.head_dim);
    const double* q = &in(s.query)[(query_token * static_cast<std::size_t>(s.n_heads) + head) * d];
    const double* k = &in(s.key)[(key_token * static_cast<std::size_t>(s.n_kv_heads) + kv_head) * d];
    double sum = 0.0;
    for (std::size_t i = 0; i < d; ++i) sum += q[i] * k[i];
    return capped(sum * static_cast<double>(s.scale), s.soft_cap);
  }

  [[nodiscard]] std::size_t width(models::ValueId id) const { return static_cast<std::size_t>(plan_.value(id).width); }
  [[nodiscard]] const Rows& in(models::ValueId id) const { return values_[static_cast<std::size_t>(id)]; }
  Rows& out(models::ValueId id) { return values_[static_cast<std::size_t>(id)]; }
  /// Null for no tensor and for an optional one that is missing; the tensor that stands in, where there is one.
  [[nodiscard]] const Rows* find(models::TensorId id) const {
    if (id == models::kNone) return nullptr;
    const auto place = parameters_.find(plan_.tensor(id).name);
    return place == parameters_.end() ? find(plan_.tensor(id).fallback) : &place->second;
  }
  [[nodiscard]] const Rows& must_have(models::TensorId id) const {
    const Rows* rows = find(id);
    if (rows == nullptr) throw std::logic_error("no parameter " + plan_.tensor(id).name);
    if (rows->size() != static_cast<std::size_t>(plan_.tensor(id).shape.n_elements())) {
      throw std::logic_error("parameter " + plan_.tensor(id).name + " has another size than in the plan");
    }
    return *rows;
  }

  const models::Plan& plan_;
  const LinearHooks& hooks_;
  const Parameters& parameters_;
  const Sequences& inputs_;
  std::size_t n_tokens_ = 0;
  std::size_t step_ = 0;
  std::vector<Rows> values_;
};

}  // namespace plan_in_double
}  // namespace tern::test
