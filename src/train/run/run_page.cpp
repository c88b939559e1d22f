#include "train/run/run_page.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>

#include "base/words.hpp"
#include "report/chart_lines.hpp"
#include "report/html.hpp"

namespace tern::train {
namespace {

using report::LineChart;
using report::LineSeries;
using report::Point2;

/// The means of at most kPoints runs of steps: ten thousand steps draw as one readable line.
LineSeries averaged(const std::string& name, const std::vector<StepLine>& steps,
                    const std::function<double(const StepLine&)>& value) {
  constexpr std::size_t kPoints = 300;
  LineSeries series{.name = name, .points = {}, .markers = false};
  const std::size_t n = steps.size();
  const std::size_t per_point = std::max<std::size_t>(1, (n + kPoints - 1) / kPoints);
  for (std::size_t first = 0; first < n; first += per_point) {
    const std::size_t last = std::min(n, first + per_point);
    double sum = 0.0;
    for (std::size_t i = first; i < last; ++i) sum += value(steps[i]);
    series.points.push_back({static_cast<double>(steps[last - 1].step), sum / static_cast<double>(last - first)});
  }
  return series;
}

std::vector<LineSeries> held_out(const RunHistory& history, const std::function<double(const SourceLoss&)>& value) {
  std::map<std::string, LineSeries> by_source;
  for (const ValidationLine& line : history.validations) {
    for (const SourceLoss& loss : line.losses) {
      LineSeries& series = by_source[loss.source];
      series.name = loss.source + ", held out";
      series.points.push_back({static_cast<double>(line.step), value(loss)});
    }
  }
  std::vector<LineSeries> out;
  for (auto& [source, series] : by_source) out.push_back(std::move(series));
  return out;
}

std::string chart(std::string description, std::string y_title, std::vector<LineSeries> series, bool log_y = false) {
  return report::to_svg(LineChart{.description = std::move(description),
                                  .x_title = "step",
                                  .y_title = std::move(y_title),
                                  .log_y = log_y,
                                  .series = std::move(series)});
}

report::Table matrix_table(const ValidationLine& last) {
  using report::Align;
  using report::Cell;
  report::Table table{.columns = {{"matrix", Align::left}, {"gradient"}}, .rows = {}};
  const bool has_codes = std::ranges::any_of(last.matrices, [](const MatrixLine& m) { return m.codes.has_value(); });
  if (has_codes) table.columns.insert(table.columns.end(), {{"−1"}, {"0"}, {"+1"}, {"flips"}, {"scale"}});
  for (const MatrixLine& m : last.matrices) {
    const auto percent = [](double share) { return Cell(fmt::format("{:.1f} %", 100.0 * share)); };
    std::vector<Cell> row{m.name, fmt::format("{:.3g}", m.gradient_norm)};
    if (m.codes) {
      row.insert(row.end(),
                 {percent(m.codes->minus), percent(m.codes->zero), percent(m.codes->plus),
                  with_separators(static_cast<std::uint64_t>(m.codes->flips)), fmt::format("{:.4g}", m.codes->scale)});
    } else {
      row.resize(table.columns.size());
    }
    table.add(std::move(row));
  }
  return table;
}

void add_curves(report::Page& page, const RunHistory& history) {
  const auto& steps = history.steps;
  std::vector<LineSeries> nats{averaged("training", steps, [](const StepLine& s) { return s.loss; })};
  std::vector<LineSeries> bits{averaged("training", steps, [](const StepLine& s) { return s.bits_per_byte; })};
  for (auto& series : held_out(history, [](const SourceLoss& l) { return l.nats; })) nats.push_back(std::move(series));
  for (auto& series : held_out(history, [](const SourceLoss& l) { return l.bits_per_byte; }))
    bits.push_back(std::move(series));
  page.section("Loss");
  page.figures({{chart("Loss over the steps", "nats a token", std::move(nats)), "Nats a token."},
                {chart("Bits a byte over the steps", "bits a byte", std::move(bits)),
                 "Bits a byte of text: the same for any tokenizer."}});
  page.section("How it is trained");
  page.figures({{chart("Learning rate", "learning rate",
                       {averaged("learning rate", steps, [](const StepLine& s) { return s.learning_rate; })}),
                 "Learning rate."},
                {chart("Norm of the gradient", "norm",
                       {averaged("gradient", steps, [](const StepLine& s) { return s.gradient_norm; })}, true),
                 "Global norm of the gradient, before clipping."}});
  page.figures({{chart("Speed", "tokens a second",
                       {averaged("speed", steps,
                                 [&](const StepLine& s) {
                                   const double before = s.step > 1 ? static_cast<double>(s.tokens) *
                                                                          static_cast<double>(s.step - 1) /
                                                                          static_cast<double>(s.step)
                                                                    : 0.0;
                                   return (static_cast<double>(s.tokens) - before) / std::max(s.seconds, 1e-9);
                                 })}),
                 "Tokens a second."}});
}

void add_matrices(report::Page& page, const RunHistory& history, bool is_rounded) {
  if (history.validations.empty() || history.validations.back().matrices.empty()) return;
  page.section("Matrices");
  if (is_rounded) {
    page.figures({{chart("Codes that change in a step", "codes",
                         {averaged("changed codes", history.steps,
                                   [](const StepLine& s) { return static_cast<double>(s.flips); })}),
                   "Codes that change in a step: they settle as the learning rate falls."}});
  }
  page.table(matrix_table(history.validations.back()), "Each matrix at the last look.");
}

}  // namespace

std::string run_page(const RunState& state, const RunHistory& history) {
  const Recipe& r = state.recipe;
  report::Page page(
      "Training run", "tern train",
      fmt::format("{} of {} steps; {} weights, {} activations", with_separators(static_cast<std::uint64_t>(state.step)),
                  with_separators(static_cast<std::uint64_t>(state.n_steps)), r.weights == "none" ? "float" : r.weights,
                  r.activations == "none" ? "float" : r.activations));
  std::vector<report::Card> cards;
  if (!history.steps.empty()) {
    cards.push_back({"Tokens", with_separators(static_cast<std::uint64_t>(history.steps.back().tokens)), ""});
  }
  if (!history.validations.empty()) {
    for (const SourceLoss& loss : history.validations.back().losses) {
      cards.push_back({fmt::format("Held out: {}", loss.source), fmt::format("{:.4f}", loss.nats),
                       fmt::format("nats a token; {:.4f} bits a byte", loss.bits_per_byte)});
    }
  }
  page.cards(cards);
  if (!history.steps.empty()) add_curves(page, history);
  add_matrices(page, history, r.weights != "none");
  if (!history.samples.empty()) {
    page.section("Samples");
    const std::size_t n = history.samples.size();
    for (std::size_t i = n > 6 ? n - 6 : 0; i < n; ++i) {
      const SampleLine& sample = history.samples[i];
      page.subsection(fmt::format("After {} steps", with_separators(static_cast<std::uint64_t>(sample.step))));
      page.preformatted(sample.prompt + sample.text);
    }
  }
  page.section("Recipe");
  page.preformatted(recipe_json(r));
  page.footer("Made by tern train from log.jsonl beside this page.");
  return page.html();
}

}  // namespace tern::train
