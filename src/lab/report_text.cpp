// The terminal half of report_sweep.hpp, and the spelling of figures that both halves share.
#include <algorithm>
#include <cmath>
#include <utility>

#include "base/words.hpp"
#include "lab/report_sweep.hpp"
#include "report/number.hpp"
#include "stats/summary.hpp"

namespace tern::lab {
namespace {

using report::Align;
using report::Cell;
using report::Tone;

Tone tone_of(const TextScore& score) {
  if (!score.paired.significant) return Tone::muted;
  return score.paired.mean_difference > 0.0 ? Tone::bad : Tone::good;
}

// "**" after Holm's adjustment too, "*" by itself only.
std::string_view mark_of(const TextScore& score) {
  if (!score.paired.significant) return "";
  return score.p_adjusted && *score.p_adjusted < 0.05 ? "**" : "*";
}

std::vector<std::string> wrapped(std::string_view text, std::size_t width) {
  std::vector<std::string> lines;
  std::string line;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    if (!line.empty() && line.size() + 1 + end > width) lines.push_back(std::exchange(line, {}));
    if (!line.empty()) line += ' ';
    line += text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  if (!line.empty()) lines.push_back(line);
  return lines;
}

}  // namespace

std::string perplexity_text(double value) {
  return report::fixed(value, value < 100.0 ? 2 : 1);
}

std::string delta_text(const TextScore& score) {
  if (score.identical) return "0";
  const auto& interval = score.paired.delta_interval;
  const double half = interval ? (interval->high - interval->low) / 2.0 : 0.0;
  const int decimals = half > 0.0 ? std::max(2, report::decimals_for(half, 4)) : 4;
  return report::with_sign(score.paired.delta_perplexity, decimals);
}

std::string speed_text(const std::vector<double>& rounds) {
  if (rounds.empty()) return std::string(report::kNoNumber);
  const double median = stats::median(rounds);
  return median < 100.0 ? report::fixed(median, 1) : with_separators(static_cast<std::uint64_t>(std::lround(median)));
}

std::string short_name(const std::string& file_name) {
  return file_name.substr(0, file_name.find('.', 1));
}

report::Table sweep_table(const SweepResult& result) {
  report::Table table;
  table.columns = {{"format", Align::left}, {"size"}};
  for (const SweepText& text : result.texts) {
    table.columns.push_back({short_name(text.name)});
    table.columns.push_back({"Δ"});
  }
  table.columns.insert(table.columns.end(), {{"memory"}, {"prefill"}, {"gen."}});
  for (std::size_t i = 0; i < result.formats.size(); ++i) {
    const FormatResult& format = result.formats[i];
    const Cell name(std::string(format.format->name), Tone::strong);
    if (!format.error.empty()) {
      table.add_reason(name, format.error);
      continue;
    }
    std::vector<Cell> cells{name, {human_bytes(format.file_bytes)}};
    for (const TextScore& score : format.texts) {
      cells.emplace_back(perplexity_text(score.perplexity));
      if (i == result.reference) {
        cells.emplace_back("");
      } else {
        cells.emplace_back(delta_text(score) + std::string(mark_of(score)), tone_of(score));
      }
    }
    cells.emplace_back(format.peak_memory ? human_bytes(*format.peak_memory) : std::string(report::kNoNumber));
    cells.emplace_back(speed_text(format.prefill));
    cells.emplace_back(speed_text(format.generation));
    table.add(std::move(cells));
  }
  return table;
}

std::string sweep_text(const SweepResult& result, const Verdict& verdict, bool colour) {
  const auto strong = [&](std::string_view text) {
    return colour ? fmt::format("\x1b[1m{}\x1b[0m", text) : std::string(text);
  };
  std::string out = report::to_text(sweep_table(result), colour);
  if (result.reference) {
    out += fmt::format(
        "\nΔ: perplexity minus that of {}, paired token by token; * its 95 % interval, clustered by chunk, "
        "excludes 0 (this decides);\n** and so it does after Holm's adjustment over formats and texts. "
        "Speeds: tokens/s, median of {} interleaved rounds.\n",
        result.formats[*result.reference].format->name, result.repetitions);
  }
  out += "\n" + strong("Verdict") + "\n";
  const auto say = [&](std::string_view question, const Choice& choice) {
    const std::string name = choice.format ? std::string(result.formats[*choice.format].format->name) : "none";
    const std::string indent(fmt::format("  {:<20} {:<6}", question, name).size() + 1, ' ');
    bool first = true;
    for (const std::string& line : wrapped(choice.reason, 84)) {
      out += first ? fmt::format("  {:<20} {} {}\n", question, strong(fmt::format("{:<6}", name)), line)
                   : fmt::format("{}{}\n", indent, line);
      first = false;
    }
  };
  say("for production", verdict.production);
  say("least memory", verdict.least_memory);
  say("most speed", verdict.most_speed);
  say("no measurable loss", verdict.no_measurable_loss);
  std::vector<std::string> warnings = result.warnings;
  warnings.insert(warnings.end(), verdict.warnings.begin(), verdict.warnings.end());
  if (!warnings.empty()) out += "\n";
  for (const std::string& warning : warnings) out += fmt::format("warning: {}\n", warning);
  return out;
}

}  // namespace tern::lab
