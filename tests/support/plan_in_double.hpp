// Runs a plan in double precision, the slow and obvious way: the reference that the trainer's loss and gradients are
// held against. It has no backward pass: gradients are central differences of the loss. It keeps a reference to the
// plan, which must outlive it.
//
// The straight-through rule is not the derivative of any function of the rounded model, but at one point it is the
// derivative of its surrogate: the same model with Q(w) - w and Q(x) - x frozen as additive constants. Hooks on the
// linears make both: rounding hooks give the rounded model, freeze() turns them into the surrogate at a point. A
// learned step's rule is no such constant: its surrogate is linear in weight and step, a weight hook that the caller
// writes.
#pragma once

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "tests/support/steps_in_double.hpp"

namespace tern::test {

class PlanInDouble {
 public:
  explicit PlanInDouble(const models::Plan& plan, LinearHooks hooks = {}) : plan_(plan), hooks_(std::move(hooks)) {}

  /// Every value of the plan, by ValueId: [n_tokens][width], tokens of all sequences one after the other.
  [[nodiscard]] std::vector<std::vector<double>> values(const Parameters& parameters, const Sequences& inputs) const;

  /// Nats a token: the mean over every token of every sequence but its first, each predicted from those before it. The
  /// last token of a sequence is a target only.
  [[nodiscard]] double mean_cross_entropy(const Parameters& parameters, const Sequences& sequences) const;

  /// (loss(p + h) - loss(p - h)) / 2h for parameters[name][index].
  [[nodiscard]] double central_difference(Parameters parameters, const Sequences& sequences, const std::string& name,
                                          std::size_t index, double h) const;

  /// The surrogate of this plan with these hooks at a point: every edit of an input and every matrix that a hook gives
  /// become constants that are added. `sequences` as for mean_cross_entropy, and the same later on.
  [[nodiscard]] PlanInDouble freeze(const Parameters& parameters, const Sequences& sequences) const;

 private:
  const models::Plan& plan_;
  LinearHooks hooks_;
};

namespace plan_in_double {

/// All but each sequence's last token.
inline Sequences inputs_of(Sequences sequences) {
  for (auto& sequence : sequences) sequence.pop_back();
  return sequences;
}

inline std::vector<double> difference(const std::vector<double>& a, const std::vector<double>& b) {
  std::vector<double> out;
  for (std::size_t i = 0; i < a.size(); ++i) out.push_back(a.at(i) - b.at(i));
  return out;
}

inline void add(const std::vector<double>& more, std::vector<double>& to) {
  for (std::size_t i = 0; i < to.size(); ++i) to[i] += more.at(i);
}

}  // namespace plan_in_double

inline std::vector<std::vector<double>> PlanInDouble::values(const Parameters& parameters,
                                                             const Sequences& inputs) const {
  return plan_in_double::Walk(plan_, hooks_, parameters, inputs).run();
}

inline double PlanInDouble::mean_cross_entropy(const Parameters& parameters, const Sequences& sequences) const {
  const auto* head = plan_.steps.empty() ? nullptr : std::get_if<models::HeadStep>(&plan_.steps.back());
  if (head == nullptr) throw std::logic_error("the plan does not end in a head");
  const auto all = values(parameters, plan_in_double::inputs_of(sequences));
  const std::vector<double>& logits = all[static_cast<std::size_t>(head->out)];
  const auto n_vocab = static_cast<std::size_t>(plan_.value(head->out).width);
  double sum = 0.0;
  std::size_t n = 0;
  for (const auto& sequence : sequences) {
    for (std::size_t t = 1; t < sequence.size(); ++t, ++n) {
      const double* row = &logits[n * n_vocab];
      const double most = *std::max_element(row, row + n_vocab);
      double total = 0.0;
      for (std::size_t i = 0; i < n_vocab; ++i) total += std::exp(row[i] - most);
      sum += most + std::log(total) - row[static_cast<std::size_t>(sequence[t])];
    }
  }
  return sum / static_cast<double>(n);
}

inline double PlanInDouble::central_difference(Parameters parameters, const Sequences& sequences,
                                               const std::string& name, std::size_t index, double h) const {
  double& value = parameters.at(name).at(index);
  const double here = value;
  value = here + h;
  const double above = mean_cross_entropy(parameters, sequences);
  value = here - h;
  return (above - mean_cross_entropy(parameters, sequences)) / (2.0 * h);
}

inline PlanInDouble PlanInDouble::freeze(const Parameters& parameters, const Sequences& sequences) const {
  LinearHooks spies = hooks_;
  LinearHooks frozen;
  for (const auto& [step, hook] : hooks_) {
    LinearHook& made = frozen[step];
    if (hook.weight) {
      const auto& linear = std::get<models::LinearStep>(plan_.steps.at(step));
      const std::string& name = plan_.tensor(linear.weight).name;
      made.weight = [name, shift = plan_in_double::difference(hook.weight(parameters), parameters.at(name))](
                        const Parameters& p) {
        std::vector<double> weight = p.at(name);
        plan_in_double::add(shift, weight);
        return weight;
      };
    }
    if (hook.input) {
      spies[step].input = [&hook, &made](std::vector<double>& input) {
        const std::vector<double> before = input;
        hook.input(input);
        made.input = [shift = plan_in_double::difference(input, before)](std::vector<double>& x) {
          plan_in_double::add(shift, x);
        };
      };
    }
  }
  (void)PlanInDouble(plan_, spies).values(parameters, plan_in_double::inputs_of(sequences));
  return PlanInDouble(plan_, frozen);
}

}  // namespace tern::test
