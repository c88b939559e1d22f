// Two models on the same tokens: is one really worse, and by how much? Not for two models on different tokens (another
// tokenizer, another text): those perplexities cannot be compared at all.
//
// The idea: subtract token by token, so that the difficulty of the text cancels, and let whole chunks - not tokens,
// which lean on their neighbours - be the independent units. With d_t = nll_other - nll_base and d = mean d_t:
//   SE = sqrt(G / (G - 1) * sum over chunks c of (sum over t in c of (d_t - d))^2) / n,   d / SE ~ Student t, G - 1 df.
// Source: cluster-robust variance (Liang and Zeger 1986) for a mean; few-cluster t reference: Cameron and Miller 2015.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "stats/interval.hpp"

namespace tern::stats {

/// Sums of the differences over each chunk; everything below needs no more than this.
struct ClusteredDifference {
  std::size_t n_tokens = 0;
  double mean = 0.0;                       // nats per token, other - base
  std::optional<double> token_error;       // SE if tokens were independent; empty below two tokens
  std::vector<double> cluster_sums;        // [G] sum of d_t
  std::vector<double> centred_sums;        // [G] sum of (d_t - mean)
  std::vector<std::size_t> cluster_sizes;  // [G] tokens, each at least 1
};

/// `base`, `other` [n] nll in nats of the same tokens in the same order; `cluster_sizes` [G] whole numbers >= 1 that
/// sum to n: the first cluster_sizes[0] tokens are one chunk, and so on. Error: lengths that do not fit, no tokens, or
/// a value that is not finite (naming the token).
[[nodiscard]] Result<ClusteredDifference> clustered_difference(std::span<const double> base,
                                                               std::span<const double> other,
                                                               std::span<const std::size_t> cluster_sizes);

/// The cluster sizes of a text scored in equal chunks: n / per_cluster chunks and, if anything is left, a short one.
[[nodiscard]] std::vector<std::size_t> equal_clusters(std::size_t n_tokens, std::size_t tokens_per_cluster);

struct PairedComparison {
  std::size_t n_tokens = 0;
  std::size_t n_clusters = 0;
  double level = 0.95;                         // confidence of both intervals; significance is at 1 - level
  double mean_difference = 0.0;                // nats per token = ln(perplexity_other / perplexity_base)
  std::optional<double> standard_error;        // cluster-robust, of mean_difference; empty with one cluster
  std::optional<double> token_standard_error;  // as if tokens were independent, for comparison only
  std::optional<double> t;                     // may be infinite (every chunk differs by the very same amount)
  std::optional<double> p_value;               // two-sided
  std::optional<Interval> interval;            // of mean_difference, nats
  double base_perplexity = 0.0;
  double other_perplexity = 0.0;
  double delta_perplexity = 0.0;           // other - base
  std::optional<Interval> delta_interval;  // of delta_perplexity: base_perplexity * (exp(interval) - 1)
  bool significant = false;                // p_value < 1 - level; false when there is no p-value

  /// Why interval and p-value are missing, or "".
  [[nodiscard]] std::string_view note() const;
};

/// The comparison. The interval of the perplexity difference is the interval in nats carried through
/// base_perplexity * (exp(d) - 1): it holds the measured base perplexity of this text fixed, excludes zero exactly when
/// the test is significant, and cannot reach below -base_perplexity. If every difference is zero: delta 0, p = 1, not
/// significant, interval [0, 0]. With one cluster there is a difference but no interval and no p-value.
/// `level` in (0, 1). Errors as clustered_difference.
[[nodiscard]] Result<PairedComparison> compare_paired(std::span<const double> base, std::span<const double> other,
                                                      std::span<const std::size_t> cluster_sizes, double level = 0.95);

/// Is `other` worse by less than a margin? "No significant difference" does not say so; this does.
struct MarginTest {
  double p_non_inferior = 1.0;  // one-sided, against "worse by the margin or more"
  double p_equivalent = 1.0;    // two one-sided tests (TOST), against "off by the margin or more in either direction"
};

/// `margin_nats` > 0; a margin of 0.5 % in perplexity is ln(1.005). Empty when the comparison has no standard error.
[[nodiscard]] std::optional<MarginTest> test_margin(const PairedComparison& comparison, double margin_nats);

/// Holm's step-down adjustment of a family of p-values (formats x texts), in the order given; each at most 1.
/// Adjusted values below alpha may all be called significant with a family-wise error rate of alpha.
[[nodiscard]] std::vector<double> holm(std::span<const double> p_values);

}  // namespace tern::stats
