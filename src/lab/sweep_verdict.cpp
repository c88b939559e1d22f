// Implementation of sweep_verdict.hpp.
#include "lab/sweep_verdict.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>

#include "base/words.hpp"
#include "report/number.hpp"
#include "stats/interval.hpp"
#include "stats/summary.hpp"

namespace tern::lab {
namespace {

constexpr double kAlpha = 0.05;
constexpr double kMemoryTie = 0.01;
constexpr double kSpeedStep = 0.03;  // a smaller gain in speed is not worth a larger file or loss
constexpr std::int64_t kFewChunks = 10;

class Judge {
 public:
  explicit Judge(const SweepResult& result) : result_(result) {
    for (std::size_t i = 0; i < result.formats.size(); ++i) {
      if (result.formats[i].error.empty()) usable_.push_back(i);
    }
  }

  Verdict verdict() const {
    Verdict out;
    if (usable_.empty() || !result_.reference) {
      const std::string reason = "No format asked for can hold this embedding.";
      out.production.reason = out.least_memory.reason = out.most_speed.reason = out.no_measurable_loss.reason = reason;
      return out;
    }
    out.production = production();
    out.least_memory = least_memory();
    out.most_speed = most_speed();
    out.no_measurable_loss = no_measurable_loss();
    out.warnings = warnings();
    return out;
  }

 private:
  const FormatResult& at(std::size_t i) const { return result_.formats[i]; }
  std::string_view name(std::size_t i) const { return at(i).format->name; }
  std::size_t reference() const { return *result_.reference; }
  double loss(std::size_t i) const { return at(i).mean.mean_difference; }
  double speed(std::size_t i) const { return at(i).generation.empty() ? 0.0 : stats::median(at(i).generation); }
  bool has_speed() const { return !at(usable_.front()).generation.empty(); }
  std::string margin() const { return fmt::format("{:g} %", 100.0 * result_.margin); }

  std::string names(const std::vector<std::size_t>& formats) const {
    std::string out;
    for (std::size_t k = 0; k < formats.size(); ++k) {
      if (k > 0) out += k + 1 == formats.size() ? " and " : ", ";
      out += name(formats[k]);
    }
    return out;
  }

  /// "+0.12 % perplexity [+0.08 %, +0.16 %]"
  std::string loss_text(std::size_t i) const {
    if (i == reference()) return "no loss by definition: it is the reference";
    const stats::PairedComparison& mean = at(i).mean;
    std::string out = fmt::format("{} perplexity on average", percent_text(std::expm1(mean.mean_difference)));
    if (mean.interval) {
      out += fmt::format(", 95 % interval {} to {}", percent_text(std::expm1(mean.interval->low)),
                         percent_text(std::expm1(mean.interval->high)));
    } else {
      out += ", without an interval";
    }
    return out;
  }

  std::string size_text(std::size_t i) const {
    std::string out = fmt::format("a file of {}", human_bytes(at(i).file_bytes));
    if (i == reference()) return out;
    return out + fmt::format(
                     ", {} against {}",
                     report::percent_change(
                         static_cast<double>(at(i).file_bytes) / static_cast<double>(at(reference()).file_bytes) - 1.0),
                     name(reference()));
  }

  std::string speed_text(std::size_t i) const {
    std::string out = fmt::format("{:.4g} tokens/s", speed(i));
    if (i == reference()) return out;
    if (speeds_tie(at(i).generation, at(reference()).generation)) {
      return out + fmt::format(", not told apart from {}", name(reference()));
    }
    return out + fmt::format(", {} of {}", report::ratio(speed(i) / speed(reference())), name(reference()));
  }

  std::size_t fastest(const std::vector<std::size_t>& from) const {
    return *std::ranges::max_element(from, {}, [&](std::size_t i) { return speed(i); });
  }

  /// Those of `from` that nobody could feel to be slower than its fastest.
  std::vector<std::size_t> as_fast(const std::vector<std::size_t>& from) const {
    const double least = speed(fastest(from)) * (1.0 - kSpeedStep);
    std::vector<std::size_t> out;
    std::ranges::copy_if(from, std::back_inserter(out), [&](std::size_t i) { return speed(i) >= least; });
    return out;
  }

  /// Those of `from` whose speed was not told apart from that of `chosen`.
  std::vector<std::size_t> speed_ties(const std::vector<std::size_t>& from, std::size_t chosen) const {
    std::vector<std::size_t> out;
    std::ranges::copy_if(from, std::back_inserter(out), [&](std::size_t i) {
      return i != chosen && speeds_tie(at(i).generation, at(chosen).generation);
    });
    return out;
  }

  std::vector<std::size_t> smallest_first(std::vector<std::size_t> from) const {
    std::ranges::stable_sort(from, {}, [&](std::size_t i) { return at(i).file_bytes; });
    return from;
  }

  static std::vector<std::size_t> without(std::vector<std::size_t> from, std::size_t chosen) {
    std::erase(from, chosen);
    return from;
  }

  Choice production() const {
    std::vector<std::size_t> fit;
    for (const std::size_t i : usable_) {
      if (loss_is_shown_small(result_, i)) fit.push_back(i);
    }
    if (fit.size() == 1) {
      Choice out{.format = fit.front(), .reason = {}, .ties = {}};
      out.reason = fmt::format("No other format was shown to lose less than {} of perplexity on average.", margin());
      const auto others = without(usable_, fit.front());
      if (!others.empty()) {
        const auto next = *std::ranges::min_element(others, {}, [&](std::size_t i) { return loss(i); });
        out.reason += fmt::format(" The nearest trade is {}: {}; {}.", name(next), loss_text(next), size_text(next));
      }
      return out;
    }
    const std::size_t chosen = smallest_first(has_speed() ? as_fast(fit) : fit).front();
    Choice out{.format = chosen, .reason = {}, .ties = has_speed() ? speed_ties(fit, chosen) : without(fit, chosen)};
    out.reason = chosen == reference()
                     ? fmt::format("The reference: of the formats that lose less than {} it is ", margin())
                     : fmt::format("Its loss is shown to be below {}: {}. Of the formats with a loss that small it is ",
                                   margin(), loss_text(chosen));
    if (!has_speed()) {
      out.reason += fmt::format("the smallest, {}; speed was not measured.", size_text(chosen));
    } else if (chosen == fastest(fit)) {
      out.reason += fmt::format("the fastest in generation, {}; {}.", speed_text(chosen), size_text(chosen));
    } else {
      out.reason += fmt::format("the smallest of those within {:g} % of the fastest ({}): {}; {}.", 100.0 * kSpeedStep,
                                name(fastest(fit)), speed_text(chosen), size_text(chosen));
    }
    if (has_speed()) out.reason += tie_text(out.ties);
    return out;
  }

  std::string tie_text(const std::vector<std::size_t>& ties) const {
    if (ties.empty()) return {};
    return fmt::format(" Not told apart from it in speed: {}.", names(ties));
  }

  Choice least_memory() const {
    const auto use = [&](std::size_t i) {
      return static_cast<double>(at(i).peak_memory.value_or(at(i).embedding_bytes));
    };
    const bool measured = std::ranges::all_of(usable_, [&](std::size_t i) { return at(i).peak_memory.has_value(); });
    const auto bytes = [&](std::size_t i) { return measured ? use(i) : static_cast<double>(at(i).embedding_bytes); };
    const double least = bytes(*std::ranges::min_element(usable_, {}, bytes));
    std::vector<std::size_t> equal;
    for (const std::size_t i : usable_) {
      if (bytes(i) <= least * (1.0 + (measured ? kMemoryTie : 0.0))) equal.push_back(i);
    }
    const std::size_t chosen = *std::ranges::min_element(equal, {}, [&](std::size_t i) { return loss(i); });
    Choice out{.format = chosen, .reason = {}, .ties = without(equal, chosen)};
    const double share = bytes(chosen) / bytes(reference()) - 1.0;
    out.reason = fmt::format("{} of {}", measured ? "Peak memory" : "An embedding",
                             human_bytes(static_cast<std::uint64_t>(bytes(chosen))));
    if (chosen != reference())
      out.reason += fmt::format(", {} against {}", report::percent_change(share), name(reference()));
    out.reason += fmt::format("; its cost: {}.", loss_text(chosen));
    if (chosen == reference())
      out.reason = fmt::format("Nothing else takes less: peak memory of {}.",
                               human_bytes(static_cast<std::uint64_t>(bytes(chosen))));
    if (!out.ties.empty()) out.reason += fmt::format(" Within 1 % of it, with more loss: {}.", names(out.ties));
    return out;
  }

  Choice most_speed() const {
    if (!has_speed()) return {.format = {}, .reason = "Speed was not measured (--repetitions 0).", .ties = {}};
    const auto fast = as_fast(usable_);
    const std::size_t chosen = *std::ranges::min_element(fast, {}, [&](std::size_t i) { return loss(i); });
    Choice out{.format = chosen, .reason = {}, .ties = speed_ties(usable_, chosen)};
    out.reason = fmt::format("It generates {}", speed_text(chosen));
    if (fast.size() > 1)
      out.reason += fmt::format(", and it loses least of those within {:g} % of the fastest", 100.0 * kSpeedStep);
    out.reason += chosen == reference() ? std::string(". It is the reference.")
                                        : fmt::format("; its cost: {}.", loss_text(chosen));
    out.reason += tie_text(out.ties);
    return out;
  }

  Choice no_measurable_loss() const {
    std::vector<std::size_t> fit;
    std::vector<std::size_t> unproven;  // no significant loss, but not shown to be small either
    for (const std::size_t i : usable_) {
      const bool lost = std::ranges::any_of(at(i).texts, [](const TextScore& text) {
        return text.paired.significant && text.paired.mean_difference > 0.0;
      });
      if (lost) continue;
      (loss_is_shown_small(result_, i) ? fit : unproven).push_back(i);
    }
    const std::size_t chosen = smallest_first(fit).front();  // the reference is always among them
    Choice out{.format = chosen, .reason = {}, .ties = {}};
    const std::string texts =
        result_.texts.size() == 1 ? "the text" : fmt::format("any of the {} texts", result_.texts.size());
    if (chosen == reference()) {
      out.reason = fmt::format(
          "Every smaller format loses significantly on some text, or is not shown to lose less than {}.", margin());
    } else {
      out.reason = fmt::format(
          "The smallest format without a significant loss on {}, and its loss is shown to be below {}: {}; {}.", texts,
          margin(), loss_text(chosen), size_text(chosen));
    }
    if (!unproven.empty()) {
      out.reason +=
          fmt::format(" {} {} no significant loss either, but that may be for want of text: below {} is not shown.",
                      names(unproven), unproven.size() == 1 ? "shows" : "show", margin());
    }
    return out;
  }

  std::vector<std::string> warnings() const {
    std::vector<std::string> out;
    for (const SweepText& text : result_.texts) {
      if (text.n_chunks == 1) {
        out.push_back(
            fmt::format("{}: one chunk, so no interval and no p-value; nothing is shown about the mean either. "
                        "Use --chunks 2 or more.",
                        text.name));
      } else if (text.n_chunks < kFewChunks) {
        out.push_back(
            fmt::format("{}: only {} chunks; intervals of so few are wide and lean on their chunks being alike.",
                        text.name, text.n_chunks));
      }
    }
    if (result_.repetitions == 1) out.push_back("One round of speed: no spread, so all speeds count as ties.");
    if (result_.n_threads > result_.n_cores) {
      out.push_back(fmt::format("{} threads on {} cores: speeds are those of a crowded machine.", result_.n_threads,
                                result_.n_cores));
    }
    for (const std::size_t i : usable_) {
      if (!at(i).memory_error.empty())
        out.push_back(fmt::format("{}: memory was not measured: {}", name(i), at(i).memory_error));
    }
    return out;
  }

  const SweepResult& result_;
  std::vector<std::size_t> usable_;
};

}  // namespace

std::string percent_text(double share) {
  const double size = std::abs(100.0 * share);
  int decimals = size >= 10.0 ? 1 : 2;
  for (double step = 0.1; decimals < 4 && size > 0.0 && size < step; step /= 10.0) ++decimals;
  return report::percent_change(share, decimals);
}

bool loss_is_shown_small(const SweepResult& result, std::size_t format) {
  if (format == result.reference) return true;
  const auto test = stats::test_margin(result.formats[format].mean, std::log1p(result.margin));
  return test && test->p_non_inferior < kAlpha;
}

bool speeds_tie(const std::vector<double>& a, const std::vector<double>& b) {
  std::vector<double> log_ratios;
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) log_ratios.push_back(std::log(a[i] / b[i]));
  const auto interval = stats::mean_interval(log_ratios);
  return !interval || interval->contains(0.0);
}

Verdict judge(const SweepResult& result) {
  return Judge(result).verdict();
}

}  // namespace tern::lab
