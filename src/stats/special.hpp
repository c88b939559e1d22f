// The few special functions that tests and intervals need: regularised incomplete beta, Student's t, the normal law.
// Not a numerics library: real arguments in the ranges stated below, at least ten correct digits.
//
// Student's t is the incomplete beta function in disguise, so one continued fraction carries everything here.
// Sources: DLMF 8.17.22 (continued fraction), 5.11.1 (Stirling's series); Abramowitz and Stegun 26.2.23 (first guess of
// the normal quantile, then refined to full precision).
#pragma once

namespace tern::stats {

/// ln of the beta function B(a, b); a, b > 0. Stays accurate for very unequal arguments.
[[nodiscard]] double log_beta(double a, double b);

/// Regularised incomplete beta I_x(a, b), in [0, 1]; a, b > 0, 0 <= x <= 1.
[[nodiscard]] double incomplete_beta(double a, double b, double x);

/// P(T <= t) of Student's t with df > 0 degrees of freedom (df need not be whole); t may be infinite.
[[nodiscard]] double student_t_cdf(double t, double df);

/// P(|T| >= |t|), accurate far out in the tails, where 2 * (1 - cdf) would be zero.
[[nodiscard]] double student_t_two_sided(double t, double df);

/// The t with P(T <= t) = p; 0 < p < 1, df > 0.
[[nodiscard]] double student_t_quantile(double p, double df);

/// P(Z <= z) of the standard normal law.
[[nodiscard]] double normal_cdf(double z);

/// The z with P(Z <= z) = p; 0 < p < 1.
[[nodiscard]] double normal_quantile(double p);

}  // namespace tern::stats
