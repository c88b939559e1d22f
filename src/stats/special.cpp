// Implementation of special.hpp.
#include "stats/special.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <numeric>

#include "base/error.hpp"

namespace tern::stats {
namespace {

constexpr double kStirlingFrom = 10.0;  // from here on six terms of the series leave less than 1e-15
constexpr double kLogSqrtTwoPi = 0.91893853320467274178;

/// ln Gamma(x) - ((x - 1/2) ln x - x + ln sqrt(2 pi)), x >= kStirlingFrom.
double stirling_rest(double x) {
  const double y = 1.0 / (x * x);
  return (1.0 / 12 + y * (-1.0 / 360 + y * (1.0 / 1260 + y * (-1.0 / 1680 + y * (1.0 / 1188 - y * 691.0 / 360360))))) /
         x;
}

/// ln Gamma(x), x > 0. std::lgamma is not used because it writes a global (signgam).
double log_gamma(double x) {
  double product = 1.0;
  while (x < kStirlingFrom) product *= x++;
  return (x - 0.5) * std::log(x) - x + kLogSqrtTwoPi + stirling_rest(x) - std::log(product);
}

/// The continued fraction of DLMF 8.17.22, by the modified Lentz recurrence; quick for x < (a + 1) / (a + b + 2).
double beta_fraction(double a, double b, double x) {
  constexpr double kTiny = 1e-300;
  constexpr int kMostTerms = 200000;  // about sqrt(max(a, b)) are needed
  double denominator = 0.0;
  double ratio = 1.0;
  double value = 1.0;
  for (int k = 1; k <= kMostTerms; ++k) {
    const double m = k / 2;  // whole part: terms come in pairs
    const double term = k % 2 == 0 ? m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
                                   : -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
    denominator = 1.0 + term * denominator;
    if (std::abs(denominator) < kTiny) denominator = kTiny;
    denominator = 1.0 / denominator;
    ratio = 1.0 + term / ratio;
    if (std::abs(ratio) < kTiny) ratio = kTiny;
    const double step = ratio * denominator;
    value *= step;
    if (std::abs(step - 1.0) < 2e-16) break;
  }
  return 1.0 / value;
}

/// I_x(a, b) with y = 1 - x given separately, because one of the two is often known far better than the difference.
double incomplete_beta(double a, double b, double x, double y) {
  if (x <= 0.0) return 0.0;
  if (y <= 0.0) return 1.0;
  const double log_x = x < 0.5 ? std::log(x) : std::log1p(-y);
  const double log_y = y < 0.5 ? std::log(y) : std::log1p(-x);
  const double front = std::exp(a * log_x + b * log_y - log_beta(a, b));
  if (x < (a + 1.0) / (a + b + 2.0)) return front * beta_fraction(a, b, x) / a;
  return 1.0 - front * beta_fraction(b, a, y) / b;
}

double student_t_density(double t, double df) {
  return std::exp(-0.5 * (df + 1.0) * std::log1p(t * t / df) - log_beta(0.5 * df, 0.5)) / std::sqrt(df);
}

}  // namespace

double log_beta(double a, double b) {
  TERN_CHECK(a > 0.0 && b > 0.0);
  const double small = std::min(a, b);
  const double large = std::max(a, b);
  if (large < kStirlingFrom) return log_gamma(a) + log_gamma(b) - log_gamma(a + b);
  // ln Gamma(large) - ln Gamma(large + small) with the huge parts cancelled on paper instead of in the machine.
  const double difference = small - small * std::log(large) - (large + small - 0.5) * std::log1p(small / large) +
                            stirling_rest(large) - stirling_rest(large + small);
  return log_gamma(small) + difference;
}

double incomplete_beta(double a, double b, double x) {
  TERN_CHECK(a > 0.0 && b > 0.0 && x >= 0.0 && x <= 1.0);
  return incomplete_beta(a, b, x, 1.0 - x);
}

double student_t_two_sided(double t, double df) {
  TERN_CHECK(df > 0.0);
  if (std::isnan(t)) return t;
  if (std::isinf(t)) return 0.0;
  // x = df / (df + t^2), written so that t^2 cannot overflow.
  const double ratio = (t / std::sqrt(df)) * (t / std::sqrt(df));
  if (std::isinf(ratio)) return 0.0;
  return incomplete_beta(0.5 * df, 0.5, 1.0 / (1.0 + ratio), ratio / (1.0 + ratio));
}

double student_t_cdf(double t, double df) {
  const double tail = 0.5 * student_t_two_sided(t, df);
  return t > 0.0 ? 1.0 - tail : tail;
}

double student_t_quantile(double p, double df) {
  TERN_CHECK(p > 0.0 && p < 1.0 && df > 0.0);
  if (p == 0.5) return 0.0;
  // Solve for the positive t whose upper tail is the smaller of p and 1 - p; bracketed Newton.
  const double tail = std::min(p, 1.0 - p);
  double low = 0.0;
  double high = 1.0;
  while (0.5 * student_t_two_sided(high, df) > tail && high < std::numeric_limits<double>::max() / 4) {
    low = high;
    high *= 2.0;
  }
  double t = std::midpoint(low, high);
  for (int i = 0; i < 200; ++i) {
    const double excess = 0.5 * student_t_two_sided(t, df) - tail;
    (excess > 0.0 ? low : high) = t;
    double next = t + excess / student_t_density(t, df);
    if (!(next > low && next < high)) next = std::midpoint(low, high);
    const double step = std::abs(next - t);
    t = next;
    if (step <= 1e-15 * t) break;
  }
  return p < 0.5 ? -t : t;
}

double normal_cdf(double z) {
  return 0.5 * std::erfc(-z / std::numbers::sqrt2);
}

double normal_quantile(double p) {
  TERN_CHECK(p > 0.0 && p < 1.0);
  if (p == 0.5) return 0.0;
  const double tail = std::min(p, 1.0 - p);
  const double w = std::sqrt(-2.0 * std::log(tail));
  // First guess, three digits; then Halley's steps on the tail itself, which triple the digits each time.
  double z = w - (2.515517 + w * (0.802853 + w * 0.010328)) / (1.0 + w * (1.432788 + w * (0.189269 + w * 0.001308)));
  for (int i = 0; i < 3; ++i) {
    const double density = std::exp(-0.5 * z * z) / std::sqrt(2.0 * std::numbers::pi);
    if (density == 0.0) break;
    const double u = (normal_cdf(-z) - tail) / density;
    z += u / (1.0 - 0.5 * z * u);
  }
  return p < 0.5 ? -z : z;
}

}  // namespace tern::stats
