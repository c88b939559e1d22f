"""Writes tests/golden/data/stats.json: values of special functions, tests and intervals by numpy and scipy.

Usage: python3 make_stats.py OUTPUT_JSON      (needs numpy, scipy and mpmath; nothing of Tern is used)
"""

import itertools
import json
import sys

import mpmath
import numpy
import scipy
from scipy import special, stats


def exact_log_beta(a, b):
    """By mpmath: the double-precision betaln keeps only nine digits where a and b are far apart."""
    with mpmath.workdps(40):
        return float(mpmath.loggamma(a) + mpmath.loggamma(b) - mpmath.loggamma(mpmath.mpf(a) + mpmath.mpf(b)))


def special_functions():
    beta = []
    for a in (0.5, 1.0, 2.5, 7.0, 40.0, 500.0, 20000.0):
        for b in (0.5, 1.0, 3.0, 60.0, 900.0):
            centre = a / (a + b)
            for x in sorted({0.0, 1e-6, 0.02, 0.3, 0.5, centre, 0.9, 0.999, 1.0}):
                beta.append([a, b, x, special.betainc(a, b, x)])
    log_beta = [[a, b, exact_log_beta(a, b)] for a in (1e-3, 0.5, 3.0, 11.0, 250.0, 1e6) for b in (0.5, 2.0, 30.0, 1e4)]
    dfs = (1, 2, 3, 4.5, 9, 29, 120, 3000, 1e6)
    t = [[t, df, stats.t.cdf(t, df), 2 * stats.t.sf(abs(t), df)]
         for df in dfs for t in (-40.0, -8.0, -2.1, -0.3, -1e-4, 0.0, 0.7, 1.96, 5.0, 25.0)]
    t_quantile = [[p, df, stats.t.ppf(p, df)]
                  for df in dfs for p in (1e-9, 1e-4, 0.025, 0.3, 0.499, 0.5, 0.75, 0.975, 0.995, 0.99999)]
    normal = [[z, stats.norm.cdf(z)] for z in (-37.0, -10.0, -3.0, -1.0, -1e-3, 0.0, 0.5, 1.96, 4.0, 8.0)]
    normal_quantile = [[p, stats.norm.ppf(p)] for p in (1e-300, 1e-20, 1e-5, 0.025, 0.4, 0.5, 0.6, 0.975, 1 - 1e-9)]
    return {"incomplete_beta": beta, "log_beta": log_beta, "student_t": t, "student_t_quantile": t_quantile,
            "normal": normal, "normal_quantile": normal_quantile}


def summaries(random):
    cases = []
    for n in (1, 2, 5, 12, 101):
        values = random.standard_t(2, n) * 10
        cases.append({
            "values": values.tolist(), "mean": values.mean(), "median": float(numpy.median(values)),
            "sd": float(values.std(ddof=1)) if n > 1 else None,
            "quantiles": [[p, float(numpy.quantile(values, p))] for p in (0.0, 0.01, 0.1, 0.5, 0.9, 0.977, 1.0)],
            "interval": [float(v) for v in stats.ttest_1samp(values, 0).confidence_interval(0.95)] if n > 1 else None,
        })
    return cases


def paired(random):
    """Equal chunks: the cluster-robust t test is the one-sample t test of scipy on the chunk means."""
    cases = []
    for chunks, per_chunk, shift in ((2, 5, 0.1), (8, 31, 0.02), (12, 31, 0.0), (40, 7, 0.004), (9, 1, 0.3)):
        base = random.gamma(2.0, 1.6, chunks * per_chunk)
        effect = shift + random.normal(0, 0.05, chunks).repeat(per_chunk) + random.normal(0, 0.1, base.size)
        other = base + effect
        means = (other - base).reshape(chunks, per_chunk).mean(axis=1)
        test = stats.ttest_1samp(means, 0.0)
        interval = test.confidence_interval(0.95)
        margin = 0.03
        case = {
            "base": base.tolist(), "other": other.tolist(), "per_chunk": per_chunk,
            "mean": means.mean(), "error": float(stats.sem(means)), "t": test.statistic, "p": test.pvalue,
            "interval": [interval.low, interval.high], "margin": margin,
            "p_non_inferior": stats.ttest_1samp(means, margin, alternative="less").pvalue,
            "p_above_lower": stats.ttest_1samp(means, -margin, alternative="greater").pvalue,
            "base_perplexity": float(numpy.exp(base.mean())), "other_perplexity": float(numpy.exp(other.mean())),
        }
        if chunks <= 12:
            seen = abs(means.sum())
            totals = [abs(numpy.dot(signs, means)) for signs in itertools.product((-1.0, 1.0), repeat=chunks)]
            case["p_sign_flip"] = float(numpy.mean(numpy.array(totals) >= seen * (1 - 1e-12)))
        cases.append(case)
    return cases


def unequal_chunks(random):
    """Chunks of unequal size: the sandwich estimator written out as matrices (a regression on a constant)."""
    sizes = [3, 11, 1, 7, 20, 2]
    base = random.gamma(2.0, 1.6, sum(sizes))
    other = base + random.normal(0.05, 0.2, base.size)
    d = other - base
    groups = numpy.repeat(numpy.arange(len(sizes)), sizes)
    design = numpy.ones((d.size, 1))
    bread = numpy.linalg.inv(design.T @ design)
    residual = d - design @ (bread @ design.T @ d)
    meat = sum(numpy.outer(s, s) for s in (design[groups == g].T @ residual[groups == g] for g in range(len(sizes))))
    variance = len(sizes) / (len(sizes) - 1) * (bread @ meat @ bread)[0, 0]
    return {"base": base.tolist(), "other": other.tolist(), "sizes": sizes, "mean": d.mean(),
            "error": float(numpy.sqrt(variance))}


def holm_cases():
    """Holm by its other definition: the smallest family-wise level at which each hypothesis is rejected (grid-free)."""
    cases = []
    for p in ([0.01, 0.04, 0.03, 0.005], [0.5], [0.2, 0.9, 0.6], [0.02, 0.02, 0.02], [0.0, 1e-6, 1.0, 0.013, 0.049]):
        levels = sorted({min(1.0, q * k) for q in p for k in range(1, len(p) + 1)})

        def rejected(alpha):
            out = set()
            for step, i in enumerate(sorted(range(len(p)), key=lambda i: p[i])):
                if p[i] * (len(p) - step) > alpha:
                    break
                out.add(i)
            return out

        adjusted = [min([a for a in levels if i in rejected(a)], default=1.0) for i in range(len(p))]
        cases.append({"p": p, "adjusted": adjusted})
    return cases


def main():
    random = numpy.random.default_rng(20261)
    nll = random.gamma(2.0, 1.6, 400)
    deviation = numpy.sqrt(((nll**2).mean() - nll.mean() ** 2) / (nll.size - 1))
    document = {
        "made_with": f"numpy {numpy.__version__}, scipy {scipy.__version__}", **special_functions(),
        "summaries": summaries(random), "paired": paired(random), "unequal": unequal_chunks(random),
        "holm": holm_cases(),
        "perplexity": {"nll": nll.tolist(), "value": float(numpy.exp(nll.mean())),
                       "error": float(numpy.exp(nll.mean()) * deviation)},
    }
    with open(sys.argv[1], "w", encoding="utf-8") as file:
        json.dump(document, file, default=float)
        file.write("\n")


if __name__ == "__main__":
    main()
