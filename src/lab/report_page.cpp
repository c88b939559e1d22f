// The page half of report_sweep.hpp. It opens with the answers, then shows what they rest on, in the order a doubting
// reader asks: what does it cost, against what is it bought, is it real on every text, what does it write, how was it
// done.
#include <algorithm>
#include <cmath>

#include "base/words.hpp"
#include "lab/report_sweep.hpp"
#include "report/chart_forest.hpp"
#include "report/chart_scatter.hpp"
#include "report/html.hpp"
#include "report/number.hpp"
#include "stats/summary.hpp"
#include "sys/path.hpp"

namespace tern::lab {
namespace {

using report::Align;
using report::Cell;
using report::Tone;

constexpr double kMegabyte = 1e6;
constexpr double kNothing = 5e-7;  // a share that percent_text shows as zero

// A number and its "%" stay on one line.
std::string kept_together(std::string text) {
  for (auto at = text.find(" %"); at != std::string::npos; at = text.find(" %", at + 1)) text.replace(at, 1, "\u00a0");
  return text;
}

std::string loss_text(double log_ratio) {
  return percent_text(std::expm1(log_ratio));
}

class Writer {
 public:
  Writer(const SweepResult& result, const Verdict& verdict) : result_(result), verdict_(verdict) {
    for (std::size_t i = 0; i < result.formats.size(); ++i) {
      if (result.formats[i].error.empty()) usable_.push_back(i);
    }
  }

  std::string page(const std::string& command, const std::string& made) const {
    report::Page page(title(), "Embedding sweep", lead());
    page.section("Verdict");
    if (result_.reference) page.cards(cards());
    page.verdicts(verdicts());
    for (const std::string& warning : result_.warnings) page.note("**Warning.** " + warning, Tone::bad);
    for (const std::string& warning : verdict_.warnings) page.note("**Warning.** " + warning, Tone::bad);
    page.section("What each format costs and brings");
    page.table(overview(), overview_caption());
    if (result_.reference) {
      page.section("Quality against speed and size");
      page.figures(scatters());
      page.section("Text by text");
      if (usable_.size() > 1) page.figures({forest()});
      page.table(details(),
                 "`±` is each perplexity's own standard error, as llama.cpp prints it. The paired interval is far "
                 "narrower because both formats read the same tokens: what makes a text hard cancels. "
                 "**Significant** means that this interval excludes zero, the same as p < 0.05; it decides. "
                 "Holm's p answers a stricter question, asked of all rows at once.");
      if (result_.n_predict > 0) {
        page.section("What they write");
        page.paragraph(
            "The same prompt continued greedily: at every step the most probable token. A first difference is one "
            "near tie that fell the other way; it says that the formats differ, not which writes better.");
        page.side_by_side(result_.prompt, continuations());
      }
    }
    page.section("How it was measured");
    page.facts(facts());
    page.preformatted(command);
    page.bullets(reading());
    page.footer(made);
    return page.html();
  }

 private:
  const FormatResult& at(std::size_t i) const { return result_.formats[i]; }
  std::string name(std::size_t i) const { return std::string(at(i).format->name); }
  std::string reference_name() const { return name(*result_.reference); }
  bool is_reference(std::size_t i) const { return result_.reference == i; }
  std::string file_name() const { return sys::file_name_of(result_.model.path); }

  std::string title() const { return fmt::format("What the embedding’s format costs {}", short_name(file_name())); }

  std::string lead() const {
    const SweepModel& model = result_.model;
    std::string out = fmt::format(
        "The token embedding of `{}` ({} × {} values, stored as {}) put into {} formats and measured on {}. ",
        file_name(), with_separators(static_cast<std::uint64_t>(model.n_vocab)),
        with_separators(static_cast<std::uint64_t>(model.n_embd)), model.stored->name, result_.formats.size(),
        result_.texts.size() == 1 ? std::string("one text") : fmt::format("{} texts", result_.texts.size()));
    out += model.tied ? "The model is tied: its output head reads the same table, so the head changes with it. "
                      : "The output head has a table of its own and stays as it is. ";
    return out + "Every other tensor is untouched.";
  }

  std::string choice_name(const Choice& choice) const { return choice.format ? name(*choice.format) : "none"; }

  std::vector<report::Card> cards() const {
    const auto change = [&](double value, double base) { return report::percent_change(value / base - 1.0); };
    const auto loss = [&](std::size_t i) {
      return is_reference(i) ? std::string("the reference") : loss_text(at(i).mean.mean_difference) + " perplexity";
    };
    const auto against = [&](std::size_t i, const std::string& text) {
      return is_reference(i) ? std::string{} : fmt::format(", {} against {}", text, reference_name());
    };
    const std::size_t base = *result_.reference;
    std::vector<report::Card> out;
    const auto add = [&](std::string label, const Choice& choice, const auto& detail) {
      out.push_back({std::move(label), choice_name(choice),
                     kept_together(choice.format ? detail(*choice.format) : std::string{}),
                     choice.format && loss_is_shown_small(result_, *choice.format) ? Tone::good : Tone::bad});
    };
    const auto size = [&](std::size_t i) {
      return fmt::format(
          "{} file{}; {}", human_bytes(at(i).file_bytes),
          against(i, change(static_cast<double>(at(i).file_bytes), static_cast<double>(at(base).file_bytes))), loss(i));
    };
    add("For production", verdict_.production, size);
    add("Least memory", verdict_.least_memory, [&](std::size_t i) {
      if (!at(i).peak_memory || !at(base).peak_memory) return size(i);
      return fmt::format(
          "{} at its peak{}; {}", human_bytes(*at(i).peak_memory),
          against(i, change(static_cast<double>(*at(i).peak_memory), static_cast<double>(*at(base).peak_memory))),
          loss(i));
    });
    add("Most speed", verdict_.most_speed, [&](std::size_t i) {
      return fmt::format(
          "{} tokens/s{}; {}", speed_text(at(i).generation),
          against(i, report::ratio(stats::median(at(i).generation) / stats::median(at(base).generation))), loss(i));
    });
    add("No measurable loss", verdict_.no_measurable_loss, size);
    return out;
  }

  std::vector<report::Verdict> verdicts() const {
    return {{"For production", choice_name(verdict_.production), kept_together(verdict_.production.reason)},
            {"For least memory", choice_name(verdict_.least_memory), kept_together(verdict_.least_memory.reason)},
            {"For most speed", choice_name(verdict_.most_speed), kept_together(verdict_.most_speed.reason)},
            {"For no measurable loss", choice_name(verdict_.no_measurable_loss),
             kept_together(verdict_.no_measurable_loss.reason)}};
  }

  report::Table overview() const {
    report::Table table;
    table.columns = {
        {"Format", Align::left},

        {"Embedding"},
        {"File"},
        {"Embedding error", Align::right, "relative root mean square error against the file's own values"},
        {"Mean loss [95 % interval], %", Align::right, "change of perplexity, geometric mean over the texts"},
        {"Peak memory"},
        {"Prefill, tok/s"},
        {"Generation, tok/s"}};
    for (std::size_t i = 0; i < result_.formats.size(); ++i) {
      const FormatResult& f = at(i);
      const Cell head(name(i), Tone::strong);
      if (!f.error.empty()) {
        table.add_reason(head, f.error);
        continue;
      }
      const auto& mean = f.mean;
      const bool felt = mean.significant && std::abs(mean.mean_difference) >= kNothing;
      const Tone tone = !felt ? Tone::muted : mean.mean_difference > 0.0 ? Tone::bad : Tone::good;
      table.add({head,
                 {human_bytes(f.embedding_bytes), Tone::plain, static_cast<double>(f.embedding_bytes),
                  fmt::format("{:g} bits per weight", f.format->bits_per_weight())},
                 {human_bytes(f.file_bytes), Tone::plain, static_cast<double>(f.file_bytes)},
                 {f.relative_rmse == 0.0 ? "0" : report::significant(100.0 * f.relative_rmse, 3) + " %", Tone::plain,
                  f.relative_rmse},
                 {is_reference(i) ? "" : mean_text(mean), tone, mean.mean_difference},
                 {f.peak_memory ? human_bytes(*f.peak_memory) : std::string(report::kNoNumber), Tone::plain,
                  f.peak_memory ? std::optional(static_cast<double>(*f.peak_memory)) : std::nullopt},
                 speed_cell(f.prefill),
                 speed_cell(f.generation)});
    }
    return table;
  }

  /// "+0.11 [+0.07, +0.15]", in percent.
  static std::string mean_text(const stats::PairedComparison& mean) {
    const double loss = 100.0 * std::expm1(mean.mean_difference);
    if (!mean.interval) return report::with_sign(loss, 2);
    const stats::Interval range{100.0 * std::expm1(mean.interval->low), 100.0 * std::expm1(mean.interval->high)};
    const int decimals = std::clamp(report::decimals_for((range.high - range.low) / 2.0, 3), 1, 3);
    return fmt::format("{} {}", report::with_sign(loss, decimals), report::interval(range, decimals));
  }

  static Cell speed_cell(const std::vector<double>& rounds) {
    if (rounds.empty()) return {std::string(report::kNoNumber)};
    const stats::Summary s = stats::summarise(rounds);
    return {speed_text(rounds), Tone::plain, s.median,
            fmt::format("from {} to {} over {} rounds", speed_text({s.min}), speed_text({s.max}), s.n)};
  }

  std::string overview_caption() const {
    return fmt::format(
        "Mean loss: by how much perplexity grows, as the geometric mean over the texts, each counting once; the "
        "interval is paired and clustered by chunk. Peak memory: of a process that holds only this format, reads "
        "{} tokens and generates {}. Speeds: median of {} interleaved rounds; point at one for its spread. "
        "A click on a head sorts.",
        result_.n_prompt, result_.n_generate, result_.repetitions);
  }

  report::Figure scatter(const std::string& x_title, report::Better better, bool log_x, std::string caption,
                         const auto& x_of, const auto& range_of) const {
    report::ScatterChart chart{.description = "Mean loss of perplexity against " + x_title,
                               .x_title = x_title,
                               .y_title = "mean loss of perplexity, %",
                               .better_x = better,
                               .log_x = log_x};
    for (const std::size_t i : usable_) {
      const auto& mean = at(i).mean;
      report::ScatterPoint point{.x = x_of(i), .y = 100.0 * std::expm1(mean.mean_difference), .label = name(i)};
      if (mean.interval && !is_reference(i)) {
        point.y_range =
            stats::Interval{100.0 * std::expm1(mean.interval->low), 100.0 * std::expm1(mean.interval->high)};
      }
      point.x_range = range_of(i);
      point.reference = is_reference(i);
      point.hover = fmt::format("{}: {} at {:.4g}", name(i), loss_text(mean.mean_difference), point.x);
      chart.points.push_back(std::move(point));
    }
    return {report::to_svg(chart), std::move(caption)};
  }

  std::vector<report::Figure> scatters() const {
    std::vector<report::Figure> out;
    if (!at(usable_.front()).generation.empty()) {
      out.push_back(scatter(
          "generation, tokens per second", report::Better::higher, false,
          "Loss against speed. Horizontal whiskers span all rounds, vertical ones the 95 % interval. Filled marks are "
          "not beaten: "
          "nothing else is better both ways.",
          [&](std::size_t i) { return stats::median(at(i).generation); },
          [&](std::size_t i) -> std::optional<stats::Interval> {
            const auto s = stats::summarise(at(i).generation);
            return stats::Interval{s.min, s.max};
          }));
    }
    out.push_back(scatter(
        "file, MB", report::Better::lower, false, "Loss against the size of the whole file.",
        [&](std::size_t i) { return static_cast<double>(at(i).file_bytes) / kMegabyte; },
        [](std::size_t) { return std::optional<stats::Interval>{}; }));
    return out;
  }

  report::Figure forest() const {
    report::ForestChart chart{.description = "Paired differences of perplexity by text and format",
                              .x_title = fmt::format("perplexity minus that of {}", reference_name()),
                              .left_hint = fmt::format("better than {}", reference_name()),
                              .right_hint = fmt::format("worse than {}", reference_name())};
    for (std::size_t t = 0; t < result_.texts.size(); ++t) {
      report::ForestGroup group{.title = result_.texts[t].name, .rows = {}};
      for (const std::size_t i : usable_) {
        if (is_reference(i)) continue;
        const TextScore& score = at(i).texts[t];
        const Tone tone = !score.paired.significant            ? Tone::muted
                          : score.paired.mean_difference > 0.0 ? Tone::bad
                                                               : Tone::good;
        group.rows.push_back({name(i), score.paired.delta_perplexity, score.paired.delta_interval,
                              fmt::format("{} {}", delta_text(score), interval_text(score)), tone});
      }
      chart.groups.push_back(std::move(group));
    }
    return {report::to_svg(chart),
            "Paired difference and its 95 % interval, clustered by chunk. Grey: the interval holds zero."};
  }

  static std::string interval_text(const TextScore& score) {
    const auto& range = score.paired.delta_interval;
    if (!range) return "(no interval)";
    const double half = (range->high - range->low) / 2.0;
    return report::interval(*range, half > 0.0 ? std::max(2, report::decimals_for(half, 4)) : 2);
  }

  report::Table details() const {
    report::Table table;
    table.columns = {
        {"Text", Align::left}, {"Format", Align::left},      {"Perplexity"},   {"Δ"}, {"95 % interval"}, {"p"},
        {"p (Holm)"},          {"Significant", Align::left}, {"Bits per byte"}};
    for (std::size_t t = 0; t < result_.texts.size(); ++t) {
      bool first = true;
      for (const std::size_t i : usable_) {
        const TextScore& score = at(i).texts[t];
        const bool reference = is_reference(i);
        const bool sure = score.paired.significant;
        const Tone tone = !sure ? Tone::muted : score.paired.mean_difference > 0.0 ? Tone::bad : Tone::good;
        const std::string yes = !score.paired.p_value                ? "unknown"
                                : !sure                              ? "no"
                                : score.paired.mean_difference > 0.0 ? "yes, worse"
                                                                     : "yes, better";
        table.add(
            {short_name(result_.texts[t].name),
             {name(i), Tone::strong},
             {fmt::format("{} ± {}", perplexity_text(score.perplexity), report::significant(score.standard_error, 2)),
              Tone::plain, score.perplexity},
             {reference ? "" : delta_text(score), tone, score.paired.delta_perplexity},
             {reference ? "" : interval_text(score)},
             {reference ? "" : report::p_value(score.paired.p_value), Tone::plain, score.paired.p_value},
             {reference ? "" : report::p_value(score.p_adjusted), Tone::plain, score.p_adjusted},
             {reference ? "" : yes, tone},
             {report::fixed(score.bits_per_byte, 4), Tone::plain, score.bits_per_byte}},
            first);
        first = false;
      }
    }
    return table;
  }

  std::vector<report::TextBlock> continuations() const {
    std::vector<report::TextBlock> out{{reference_name(), at(*result_.reference).continuation}};
    for (const std::size_t i : usable_) {
      if (!is_reference(i)) out.push_back({name(i), at(i).continuation});
    }
    return out;
  }

  std::vector<report::Fact> facts() const {
    const SweepModel& model = result_.model;
    std::vector<report::Fact> out{
        {"Model",
         fmt::format("`{}`: {}, {} parameters, {} layers, width {}, context {}", model.path, model.architecture,
                     with_separators(model.n_parameters), model.n_layers, model.n_embd, model.n_ctx_train)},
        {"Embedding", fmt::format("`{}`, {} × {}, stored as {}; {}", model.embedding, model.n_vocab, model.n_embd,
                                  model.stored->name, model.tied ? "tied to the head" : "not tied")},
        {"Machine", fmt::format("{}; instruction set {}; {} thread{} on {} usable core{}", result_.cpu, result_.isa,
                                result_.n_threads, result_.n_threads == 1 ? "" : "s", result_.n_cores,
                                result_.n_cores == 1 ? "" : "s")},
        {"Quality", fmt::format("chunks of {} tokens with an empty cache, the second half scored, as llama.cpp does",
                                result_.n_ctx)}};
    for (const SweepText& text : result_.texts) {
      out.push_back({text.name, fmt::format("{} of its {} tokens scored, in {} chunk{}; {} document{}",
                                            with_separators(static_cast<std::uint64_t>(text.n_scored)),
                                            with_separators(static_cast<std::uint64_t>(text.n_tokens)), text.n_chunks,
                                            text.n_chunks == 1 ? "" : "s", with_separators(text.n_documents),
                                            text.n_documents == 1 ? "" : "s")});
    }
    out.push_back({"Speed", fmt::format("prefill of {} tokens; then {} tokens one by one; {} rounds over all formats "
                                        "in turn, a warm-up before each",
                                        result_.n_prompt, result_.n_generate, result_.repetitions)});
    out.push_back({"Time taken", report::seconds(result_.seconds)});
    return out;
  }

  std::vector<std::string> reading() const {
    const std::string margin = fmt::format("{:g} %", 100.0 * result_.margin);
    return {
        fmt::format("**A small loss must be shown.** A format counts as losing less than {0} only if its mean loss "
                    "is, by a one-sided "
                    "test at 5 %, below {0}. “Not significant” alone can mean too little text.",
                    margin),
        "**Production**: of the formats whose loss is shown to be small, the fastest in generation; of those as "
        "fast, the smallest.",
        "**No measurable loss**: the smallest format without a significant loss on any text whose loss is also "
        "shown to be small.",
        "**Ties.** Two speeds are told apart only if the 95 % interval of their ratio, paired by round, excludes 1.",
        "These figures hold for this model, these texts and this machine. Perplexity says how well text is "
        "predicted, not how well "
        "questions are answered."};
  }

  const SweepResult& result_;
  const Verdict& verdict_;
  std::vector<std::size_t> usable_;
};

}  // namespace

std::string sweep_page(const SweepResult& result, const Verdict& verdict, const std::string& command,
                       const std::string& made) {
  return Writer(result, verdict).page(command, made);
}

}  // namespace tern::lab
