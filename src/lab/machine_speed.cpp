// Implementation of machine_speed.hpp.
#include "lab/machine_speed.hpp"

#include <fmt/format.h>

#include "formats/all.hpp"

namespace tern::lab {
namespace {

constexpr double kWeights = 1e9;

kernels::Activation activation_of(formats::Partner partner) {
  if (partner == formats::Partner::q8_0) return kernels::Activation::q8_0;
  if (partner == formats::Partner::q8_k) return kernels::Activation::q8_k;
  return kernels::Activation::f32;
}

/// The rows without their figures.
std::vector<FormatSpeed> rows_of(const kernels::Kernels& kernels) {
  std::vector<FormatSpeed> rows;
  for (const formats::Format* format :
       {&formats::kF16, &formats::kQ8_0, &formats::kQ6_K, &formats::kQ4_K, &formats::kQ3_K, &formats::kQ2_K}) {
    const kernels::Kernels::Bound* bound = kernels.bound(*format, activation_of(format->partner));
    const ops::Arithmetic arithmetic{bound == nullptr ? std::string_view{} : bound->peak};
    rows.push_back({.format = format->name,
                    .trained = {},
                    .bits = format->bits_per_weight(),
                    .one_token = arithmetic,
                    .many_tokens = arithmetic,
                    .generate = {},
                    .prompt = {}});
  }
  const kernels::KernelSet& table = kernels.table;
  const auto arithmetic = [](const char* peak, int per_operation) {
    return ops::Arithmetic{peak == nullptr ? std::string_view{} : peak, per_operation};
  };
  const auto by_sums = [&](const kernels::SumTables& sums) { return arithmetic(sums.peak, sums.products); };
  const ops::Arithmetic ternary = arithmetic(table.ternary_peak, 1);
  rows.push_back({.format = formats::kI2_S.name,
                  .trained = "ternary",
                  .bits = 2.0,
                  .one_token = ternary,
                  .many_tokens = table.ternary_tables == nullptr ? ternary : by_sums(table.ternary_sums),
                  .generate = {},
                  .prompt = {}});
  const ops::Arithmetic binary = arithmetic(table.binary_peak, table.binary_products);
  rows.push_back({.format = formats::kQ1_0.name,
                  .trained = "binary",
                  .bits = 1.0,
                  .one_token = binary,
                  .many_tokens = table.binary_sums.from == 0 ? binary : by_sums(table.binary_sums),
                  .generate = {},
                  .prompt = {}});
  return rows;
}

}  // namespace

void want_format_limits(const kernels::Kernels& kernels, int n_threads, Limits& limits) {
  limits.want(kReadLimit, n_threads);
  for (const FormatSpeed& row : rows_of(kernels)) {
    limits.want(row.one_token.peak, n_threads);
    limits.want(row.many_tokens.peak, n_threads);
  }
}

std::vector<FormatSpeed> format_speeds(const kernels::Kernels& kernels, const Limits& limits, int n_threads) {
  std::vector<FormatSpeed> rows = rows_of(kernels);
  const auto read = limits.find(kReadLimit, n_threads);
  for (FormatSpeed& row : rows) {
    const auto most = [&](const ops::Arithmetic& arithmetic) -> std::optional<double> {
      const auto peak = limits.find(arithmetic.peak, n_threads);
      if (!peak) return {};
      return *peak * 1e9 * arithmetic.per_operation / kWeights;
    };
    row.prompt = most(row.many_tokens);
    if (read) row.generate = *read * 1e9 / (kWeights * row.bits / 8.0);
    // A token on its own needs its multiply-adds too.
    const auto computed = most(row.one_token);
    if (row.generate && computed && *computed < *row.generate) row.generate = computed;
  }
  return rows;
}

std::vector<std::string> advice(const MachineFacts& facts) {
  std::vector<std::string> lines;
  if (facts.usable_cores < facts.host.online_cores) {
    lines.push_back(
        fmt::format("this process may use {} of {} cores (its affinity, or the container's quota): give it more",
                    facts.usable_cores, facts.host.online_cores));
  }
  if (facts.host.huge_pages == "never") {
    lines.emplace_back(
        "pages of 2 MiB are off, and weights are read more slowly from small ones: as root, "
        "echo madvise > /sys/kernel/mm/transparent_hugepage/enabled");
  }
  if (facts.host.governor == "powersave" || facts.host.governor == "conservative") {
    lines.push_back(
        fmt::format("the clock follows \"{}\": as root, cpupower frequency-set -g performance", facts.host.governor));
  }
  if (facts.isa_used != facts.isa_best && facts.isa_used != facts.isa_to_try) {
    lines.push_back(
        fmt::format("TERN_ISA asks for {}, but this processor has {}: unset it", facts.isa_used, facts.isa_best));
  }
  if (!facts.isa_to_try.empty() && facts.isa_used != facts.isa_to_try) {
    lines.push_back(
        fmt::format("the instruction set {0} may do prompts faster; it is taken only if it is asked for (--isa {0}), "
                    "because it was never timed: tern bench -m FILE -p 512 --isa {1},{0} compares them",
                    facts.isa_to_try, facts.isa_best));
  }
  if (facts.share_lost > 0.05) {
    lines.push_back(
        fmt::format("other programs or machines took {:.0f} % of the processor time just now: "
                    "figures are lower than they could be",
                    100.0 * facts.share_lost));
  }
  return lines;
}

}  // namespace tern::lab
