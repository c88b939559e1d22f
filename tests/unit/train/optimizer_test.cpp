// AdamW against the paper's rule in double precision (arXiv 1711.05101, algorithm 2 with the schedule in the rate),
// clipping, and bits that do not depend on the number of threads.
#include "train/optimizer.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "base/random.hpp"
#include "models/plan_builder.hpp"

namespace tern::train {
namespace {

// A matrix of more than one piece of work (2^16 values), a vector, and one more matrix.
models::Plan plan_of_three() {
  models::PlanBuilder b;
  b.tensor("large", matrix_shape(300, 400), models::TensorRole::linear);
  b.tensor("gain", vector_shape(37), models::TensorRole::norm);
  b.tensor("small", matrix_shape(5, 7), models::TensorRole::embedding);
  return b.take();
}

bool all(const models::TensorSpec& /*spec*/) {
  return true;
}

void set_random(Floats& values, Random& random, double spread) {
  for (float& value : values.span()) value = static_cast<float>(random.normal() * spread);
}

/// The same update in double, of one parameter.
struct InDouble {
  std::vector<double> w;
  std::vector<double> m;
  std::vector<double> v;

  explicit InDouble(const Parameter& p)
      : w(p.master.span().begin(), p.master.span().end()), m(w.size(), 0.0), v(w.size(), 0.0) {}
  void step(const Parameter& p, int t, double rate, double decay, double factor) {
    constexpr double kBeta1 = static_cast<double>(0.9F);
    constexpr double kBeta2 = static_cast<double>(0.95F);
    for (std::size_t i = 0; i < w.size(); ++i) {
      const double g = static_cast<double>(p.gradient.data()[i]) * factor;
      m[i] = kBeta1 * m[i] + (1.0 - kBeta1) * g;
      v[i] = kBeta2 * v[i] + (1.0 - kBeta2) * g * g;
      const double mean = m[i] / (1.0 - std::pow(kBeta1, t));
      const double square = v[i] / (1.0 - std::pow(kBeta2, t));
      w[i] -= rate * (mean / (std::sqrt(square) + 1e-8) + decay * w[i]);
    }
  }
};

double norm_in_double(const Parameters& parameters) {
  double sum = 0.0;
  for (const auto& p : parameters.all()) {
    for (const float g : p->gradient.span()) sum += static_cast<double>(g) * static_cast<double>(g);
  }
  return std::sqrt(sum);
}

TEST(Optimizer, StepsAreThoseOfThePaperWithAndWithoutClipping) {
  for (const double clip : {0.0, 1.0, 1e6}) {
    SCOPED_TRACE(clip);
    const models::Plan plan = plan_of_three();
    Parameters parameters(plan, &all);
    sys::ThreadPool pool(1);
    OptimizerOptions options;
    options.clip = clip;
    Optimizer optimizer(parameters, options, pool);
    Random random(1);
    std::vector<InDouble> want;
    for (const auto& p : parameters.all()) {
      set_random(p->master, random, 0.5);
      want.emplace_back(*p);
    }
    for (int t = 1; t <= 6; ++t) {
      for (const auto& p : parameters.all()) set_random(p->gradient, random, 0.02);
      const double norm = norm_in_double(parameters);
      EXPECT_NEAR(optimizer.gradient_norm(), norm, 1e-6 * norm);
      const double factor = clip == 0.0 ? 1.0 : std::min(1.0, clip / (norm + 1e-6));
      EXPECT_EQ(factor < 1.0, clip == 1.0) << "the case clips, or does not";
      const double rate = 0.01 / t;
      optimizer.step(rate, 0.1, optimizer.gradient_norm());
      EXPECT_EQ(optimizer.n_steps(), t);
      for (std::size_t i = 0; i < want.size(); ++i) {
        const Parameter& p = *parameters.all()[i];
        want[i].step(p, t, rate, p.shape.is_vector() ? 0.0 : 0.1, factor);
        for (std::size_t k = 0; k < want[i].w.size(); ++k) {
          ASSERT_NEAR(static_cast<double>(p.master.data()[k]), want[i].w[k], 2e-6) << p.name << " step " << t;
        }
      }
    }
  }
}

TEST(Optimizer, StepsAreCountedOnWhereARunWasResumed) {
  const models::Plan plan = plan_of_three();
  sys::ThreadPool pool(1);
  Parameters parameters(plan, &all);
  Parameters resumed(plan, &all);
  Optimizer first(parameters, {}, pool);
  Random random(2);
  for (const auto& p : parameters.all()) set_random(p->gradient, random, 0.02);
  for (int t = 0; t < 3; ++t) first.step(0.01, 0.1, first.gradient_norm());
  Optimizer second(resumed, {}, pool);
  second.set_steps(first.n_steps());
  for (std::size_t i = 0; i < parameters.all().size(); ++i) {
    const Parameter& from = *parameters.all()[i];
    Parameter& to = *resumed.all()[i];
    std::ranges::copy(from.master.span(), to.master.data());
    std::ranges::copy(from.moment.span(), to.moment.data());
    std::ranges::copy(from.second_moment.span(), to.second_moment.data());
    std::ranges::copy(from.gradient.span(), to.gradient.data());
  }
  first.step(0.01, 0.1, first.gradient_norm());
  second.step(0.01, 0.1, second.gradient_norm());
  for (std::size_t i = 0; i < parameters.all().size(); ++i) {
    EXPECT_TRUE(std::ranges::equal(parameters.all()[i]->master.span(), resumed.all()[i]->master.span()));
  }
}

TEST(Optimizer, ThreadsChangeNoBit) {
  std::vector<std::vector<float>> masters;
  std::vector<double> norms;
  for (const int n_threads : {1, 2, 3}) {
    const models::Plan plan = plan_of_three();
    Parameters parameters(plan, &all);
    sys::ThreadPool pool(n_threads);
    Optimizer optimizer(parameters, {}, pool);
    Random random(3);
    for (const auto& p : parameters.all()) set_random(p->master, random, 0.5);
    for (int t = 0; t < 3; ++t) {
      for (const auto& p : parameters.all()) set_random(p->gradient, random, 0.02);
      norms.push_back(optimizer.gradient_norm());
      optimizer.step(0.01, 0.1, norms.back());
    }
    std::vector<float> now;
    for (const auto& p : parameters.all()) now.insert(now.end(), p->master.span().begin(), p->master.span().end());
    masters.push_back(std::move(now));
  }
  EXPECT_EQ(masters[1], masters[0]);
  EXPECT_EQ(masters[2], masters[0]);
  for (std::size_t t = 0; t < 3; ++t) {
    EXPECT_EQ(norms[3 + t], norms[t]);
    EXPECT_EQ(norms[6 + t], norms[t]);
  }
}

TEST(Optimizer, AGradientThatIsNoNumberIsSeenInTheNorm) {
  const models::Plan plan = plan_of_three();
  Parameters parameters(plan, &all);
  sys::ThreadPool pool(2);
  Optimizer optimizer(parameters, {}, pool);
  parameters.find("large")->gradient.data()[100000] = std::nanf("");
  EXPECT_TRUE(std::isnan(optimizer.gradient_norm()));
  parameters.find("large")->gradient.data()[100000] = INFINITY;
  EXPECT_TRUE(std::isinf(optimizer.gradient_norm()));
}

}  // namespace
}  // namespace tern::train
