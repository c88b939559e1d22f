#include "train/run/gemm_peak.hpp"

#include <algorithm>

#include "sys/clock.hpp"
#include "train/parameters.hpp"

namespace tern::train {
namespace {

struct Product {
  std::int64_t n_rows;  // of the weight
  std::int64_t k;
};

/// Each shape once.
std::vector<Product> products_of(const models::Plan& plan) {
  std::vector<Product> out;
  const auto add = [&](models::TensorId id) {
    const Shape& shape = plan.tensor(id).shape;
    const auto same = [&](const Product& p) { return p.n_rows == shape.n_rows() && p.k == shape.row_length(); };
    if (std::ranges::none_of(out, same)) out.push_back({shape.n_rows(), shape.row_length()});
  };
  for (const models::Step& step : plan.steps) {
    if (const auto* linear = std::get_if<models::LinearStep>(&step)) add(linear->weight);
    if (const auto* head = std::get_if<models::HeadStep>(&step)) add(head->weight);
  }
  return out;
}

}  // namespace

double measure_gemm_peak(const models::Plan& plan, Network::Size size, const linalg::Blas& blas, sys::ThreadPool& pool,
                         double seconds) {
  constexpr int kEnoughRounds = 500;        // the best of so many is the best: a tiny model's are over in milliseconds
  constexpr std::int64_t kMostRows = 4096;  // of a huge table a part tells the speed
  const std::vector<Product> products = products_of(plan);
  const std::int64_t n_tokens = std::min<std::int64_t>(size.n_tokens, 4096);
  const std::int64_t all_tokens = std::min<std::int64_t>(n_tokens * size.n_sequences, 4096);
  std::int64_t most_in = 1;
  std::int64_t most_out = 1;
  double flops = 0.0;
  for (const Product& p : products) {
    most_in = std::max(most_in, p.k);
    most_out = std::max(most_out, std::min(p.n_rows, kMostRows));
    const auto weight = static_cast<double>(std::min(p.n_rows, kMostRows) * p.k);
    flops += weight * (4.0 * static_cast<double>(n_tokens) + 2.0 * static_cast<double>(all_tokens));
  }
  const int n = pool.n_threads();
  std::vector<Floats> inputs;
  std::vector<Floats> outputs;
  std::vector<Floats> weights;
  for (int t = 0; t < n; ++t) {
    inputs.emplace_back(most_in * all_tokens);
    outputs.emplace_back(most_out * all_tokens);
    weights.emplace_back(most_in * most_out);
  }
  const sys::Stopwatch watch;
  double best = 0.0;
  for (int round = 0; round < kEnoughRounds && watch.seconds() < seconds; ++round) {
    const double before = watch.seconds();
    pool.parallel_for(n, 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t t = begin; t < end; ++t) {
        float* x = inputs[static_cast<std::size_t>(t)].data();
        float* y = outputs[static_cast<std::size_t>(t)].data();
        float* w = weights[static_cast<std::size_t>(t)].data();
        for (const Product& p : products) {
          const std::int64_t rows = std::min(p.n_rows, kMostRows);
          blas.multiply(n_tokens, rows, p.k, 1.0F, {x, p.k}, {w, p.k, true}, 0.0F, y, rows);
          blas.multiply(n_tokens, p.k, rows, 1.0F, {y, rows}, {w, p.k}, 0.0F, x, p.k);
          blas.multiply(rows, p.k, all_tokens, 1.0F, {y, rows, true}, {x, p.k}, 1.0F, w, p.k);
        }
      }
    });
    best = std::max(best, flops * n / (watch.seconds() - before));
  }
  return best;
}

}  // namespace tern::train
