#include "train/run/gemm_peak.hpp"

#include <algorithm>

#include "sys/clock.hpp"
#include "train/parameters.hpp"
#include "train/steps/tiles.hpp"

namespace tern::train {
namespace {

constexpr std::int64_t kMostRows = 4096;  // of a huge table a part tells the speed

/// One of the three products of a matrix: m x n, sums of k.
struct Product {
  enum class Kind : std::uint8_t { output, input_gradient, matrix_gradient };
  Kind kind;
  std::int64_t m;
  std::int64_t n;
  std::int64_t k;
  double times = 0.0;   // in a microbatch; of a table cut to kMostRows a fraction more
  double best = 1e300;  // seconds

  [[nodiscard]] double flops() const {
    return 2.0 * static_cast<double>(m) * static_cast<double>(n) * static_cast<double>(k);
  }
  [[nodiscard]] bool is_like(const Product& o) const { return kind == o.kind && m == o.m && n == o.n && k == o.k; }
};

class Products {
 public:
  /// A matrix [rows, k] that `all_tokens` tokens go through, `tile` at once, whose gradient takes `block` at once.
  void add(const Shape& matrix, std::int64_t all_tokens, std::int64_t tile, std::int64_t block) {
    const std::int64_t rows = std::min(matrix.n_rows(), kMostRows);
    const std::int64_t k = matrix.row_length();
    const double whole = static_cast<double>(matrix.n_rows()) / static_cast<double>(rows);
    const double tiles = whole * static_cast<double>(all_tokens) / static_cast<double>(tile);
    add({Product::Kind::output, tile, rows, k, tiles});
    add({Product::Kind::input_gradient, tile, k, rows, tiles});
    const std::int64_t piece = std::min(rows, kGradientRows);
    const double pieces = static_cast<double>(matrix.n_rows()) / static_cast<double>(piece);
    add({Product::Kind::matrix_gradient, piece, k, block,
         pieces * static_cast<double>(all_tokens) / static_cast<double>(block)});
  }
  [[nodiscard]] std::vector<Product>& all() { return all_; }

 private:
  void add(const Product& product) {
    const auto same = std::ranges::find_if(all_, [&](const Product& p) { return p.is_like(product); });
    if (same == all_.end()) {
      all_.push_back(product);
    } else {
      same->times += product.times;
    }
  }
  std::vector<Product> all_;
};

std::vector<Product> products_of(const models::Plan& plan, Network::Size size) {
  constexpr std::int64_t kMostTokens = 4096;
  const std::int64_t n_tokens = std::min(size.n_tokens, kMostTokens);
  const std::int64_t all_tokens = std::min(n_tokens * size.n_sequences, kMostTokens);
  Products out;
  for (const models::Step& step : plan.steps) {
    if (const auto* linear = std::get_if<models::LinearStep>(&step)) {
      out.add(plan.tensor(linear->weight).shape, all_tokens, n_tokens, all_tokens);
    } else if (const auto* head = std::get_if<models::HeadStep>(&step)) {
      const Shape& table = plan.tensor(head->weight).shape;
      out.add(table, all_tokens, std::min(head_tile(table.n_rows()), all_tokens),
              std::min(head_block(table.n_rows()), all_tokens));
    }
  }
  return std::move(out.all());
}

/// Buffers of one thread, as large as any product needs.
struct Operands {
  Floats left;
  Floats right;
  Floats out;

  explicit Operands(const std::vector<Product>& products)
      : left(most(products, &Product::m, &Product::k)),
        right(most(products, &Product::k, &Product::n)),
        out(most(products, &Product::m, &Product::n)) {}

  void multiply(const Product& p, const linalg::Blas& blas) {
    const bool adds = p.kind == Product::Kind::matrix_gradient;
    const linalg::Operand a = adds ? linalg::Operand{left.data(), p.m, true} : linalg::Operand{left.data(), p.k};
    const linalg::Operand b =
        p.kind == Product::Kind::output ? linalg::Operand{right.data(), p.k, true} : linalg::Operand{right.data(), p.n};
    blas.multiply(p.m, p.n, p.k, 1.0F, a, b, adds ? 1.0F : 0.0F, out.data(), p.n);
  }

 private:
  static std::int64_t most(const std::vector<Product>& products, std::int64_t Product::* a, std::int64_t Product::* b) {
    std::int64_t most = 1;
    for (const Product& p : products) most = std::max(most, p.*a * p.*b);
    return most;
  }
};

}  // namespace

double measure_gemm_peak(const models::Plan& plan, Network::Size size, const linalg::Blas& blas, sys::ThreadPool& pool,
                         double seconds) {
  constexpr int kEnoughRounds = 500;  // the best of so many is the best: a tiny model's are over in milliseconds
  constexpr double kLongFlops = 3e7;  // beside which waking the threads takes no time
  std::vector<Product> products = products_of(plan, size);
  std::vector<Operands> operands;
  for (int t = 0; t < pool.n_threads(); ++t) operands.emplace_back(products);
  const sys::Stopwatch watch;
  for (int round = 0; round < kEnoughRounds && (round == 0 || watch.seconds() < seconds); ++round) {
    for (Product& p : products) {
      const int repeats = static_cast<int>(std::clamp(kLongFlops / p.flops(), 1.0, 64.0));
      const double before = watch.seconds();
      pool.parallel_for(pool.n_threads(), 1, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t t = begin; t < end; ++t) {
          for (int i = 0; i < repeats; ++i) operands[static_cast<std::size_t>(t)].multiply(p, blas);
        }
      });
      p.best = std::min(p.best, (watch.seconds() - before) / repeats);
    }
  }
  double flops = 0.0;
  double least = 0.0;
  for (const Product& p : products) {
    flops += p.times * p.flops();
    least += p.times * p.best;
  }
  return flops / least * pool.n_threads();
}

}  // namespace tern::train
