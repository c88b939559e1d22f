#include "train/optimizer.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "train/loops.hpp"

namespace tern::train {
namespace {

/// A run of values of one parameter.
struct Piece {
  Parameter* parameter;
  std::int64_t first;
  std::int64_t n;
};

std::vector<Piece> pieces_of(Parameters& parameters) {
  constexpr std::int64_t kValues = std::int64_t{1} << 16;
  std::vector<Piece> pieces;
  for (const auto& p : parameters.all()) {
    for (std::int64_t i = 0; i < p->master.size(); i += kValues) {
      pieces.push_back({p.get(), i, std::min(kValues, p->master.size() - i)});
    }
  }
  return pieces;
}

}  // namespace

double Optimizer::gradient_norm() const {
  const std::vector<Piece> pieces = pieces_of(parameters_);
  std::vector<double> sums(pieces.size());
  pool_.parallel_for(std::ssize(pieces), 1, [&](std::int64_t begin, std::int64_t end) {
    for (auto i = static_cast<std::size_t>(begin); i < static_cast<std::size_t>(end); ++i) {
      sums[i] = loops::squares(pieces[i].parameter->gradient.data() + pieces[i].first, pieces[i].n);
    }
  });
  double total = 0.0;
  for (const double sum : sums) total += sum;
  return std::sqrt(total);
}

void Optimizer::step(double learning_rate, double weight_decay, double norm) {
  ++n_steps_;
  const auto t = static_cast<double>(n_steps_);
  loops::AdamW a{};
  a.learning_rate = static_cast<float>(learning_rate);
  a.beta1 = options_.beta1;
  a.beta2 = options_.beta2;
  a.epsilon = options_.epsilon;
  a.gradient_factor = options_.clip > 0.0 ? static_cast<float>(std::min(1.0, options_.clip / (norm + 1e-6))) : 1.0F;
  a.mean_correction = static_cast<float>(1.0 - std::pow(static_cast<double>(options_.beta1), t));
  a.root_of_correction = static_cast<float>(std::sqrt(1.0 - std::pow(static_cast<double>(options_.beta2), t)));
  const std::vector<Piece> pieces = pieces_of(parameters_);
  pool_.parallel_for(std::ssize(pieces), 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const Piece& piece = pieces[static_cast<std::size_t>(i)];
      Parameter& p = *piece.parameter;
      loops::AdamW own = a;
      own.weight_decay = p.decays ? static_cast<float>(weight_decay) : 0.0F;
      loops::adamw(own, p.gradient.data() + piece.first, piece.n, p.master.data() + piece.first,
                   p.moment.data() + piece.first, p.second_moment.data() + piece.first);
    }
  });
}

}  // namespace tern::train
