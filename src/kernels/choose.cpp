// The ordered list of instruction sets, and the merging of sparse sets into one complete table.
//
// A set inherits what it lacks from the next supported one below it in the list, at last from "scalar".
#include <algorithm>
#include <cstdlib>
#include <string>

#include "base/words.hpp"
#include "formats/all.hpp"
#include "kernels/attend_scratch.hpp"
#include "kernels/generic/set.hpp"
#include "kernels/kernels.hpp"

#if defined(__x86_64__)
#include "kernels/amxint8/set.hpp"
#include "kernels/avx2/set.hpp"
#include "kernels/avx512vnni/set.hpp"
#include "kernels/avxvnni/set.hpp"
#endif

namespace tern::kernels {
namespace {

bool has_avx512_vnni(const sys::CpuFeatures& f) {
  return f.avx2 && f.fma && f.f16c && f.avx512f && f.avx512bw && f.avx512vl && f.avx512_vnni;
}

template <class Function>
void fill(Function& to, Function from) {
  if (to == nullptr) to = from;
}

/// Takes from `source` what `table` does not have.
void fill_gaps(KernelSet& table, const KernelSet& source) {
  if (table.ternary == nullptr) table.ternary_peak = source.ternary_peak;
  fill(table.ternary, source.ternary);
  if (table.ternary_tables == nullptr && table.ternary_sums.from == 0) {
    table.ternary_tables = source.ternary_tables;
    table.ternary_sums = source.ternary_sums;
  }
  if (table.ternary_panel == nullptr) table.ternary_panel_peak = source.ternary_panel_peak;
  fill(table.ternary_panel, source.ternary_panel);
  if (table.ternary_taken == nullptr) table.ternary_taken_below = source.ternary_taken_below;
  fill(table.ternary_taken, source.ternary_taken);
  if (table.binary == nullptr) {
    table.binary_peak = source.binary_peak;
    table.binary_products = source.binary_products;
    table.binary_sums = source.binary_sums;
  }
  fill(table.binary, source.binary);
  fill(table.binary_tables, source.binary_tables);
  fill(table.attend, source.attend);
  fill(table.quantize_token, source.quantize_token);
  fill(table.quantize_q8_0, source.quantize_q8_0);
  fill(table.quantize_q8_k, source.quantize_q8_k);
  fill(table.rms_norm, source.rms_norm);
  fill(table.silu_glu, source.silu_glu);
  fill(table.relu2_glu, source.relu2_glu);
  fill(table.gelu_glu, source.gelu_glu);
}

void add_matmuls(Kernels& kernels, const KernelSet& source) {
  for (std::int64_t i = 0; i < source.n_matmuls; ++i) {
    const MatmulSlot& slot = source.matmuls[i];
    for (const formats::Format* format : formats::kAll) {
      if (format->name != slot.weight || kernels.matmul(*format, slot.activation) != nullptr) continue;
      kernels.matmuls.push_back({format, slot.activation, slot.run, slot.peak});
    }
  }
}

void add_caches(Kernels& kernels, const KernelSet& source) {
  for (std::int64_t i = 0; i < source.n_caches; ++i) {
    const CacheSlot& slot = source.caches[i];
    for (const formats::Format* format : formats::kAll) {
      if (format->name != slot.format) continue;
      auto entry = std::ranges::find(kernels.caches, format, &Kernels::Cache::format);
      if (entry == kernels.caches.end()) entry = kernels.caches.insert(entry, {format, nullptr, nullptr, false});
      fill(entry->store, slot.store);
      fill(entry->load, slot.load);
      entry->halves = entry->halves || slot.halves;
    }
  }
}

}  // namespace

const Kernels::Cache* Kernels::cache(const formats::Format& format) const {
  const auto found = std::ranges::find(caches, &format, &Cache::format);
  return found == caches.end() ? nullptr : &*found;
}

const Kernels::Bound* Kernels::bound(const formats::Format& weight, Activation activation) const {
  const auto found = std::ranges::find_if(
      matmuls, [&](const Bound& bound) { return bound.weight == &weight && bound.activation == activation; });
  return found == matmuls.end() ? nullptr : &*found;
}

MatmulFn Kernels::matmul(const formats::Format& weight, Activation activation) const {
  const Bound* found = bound(weight, activation);
  return found == nullptr ? nullptr : found->run;
}

std::vector<const formats::Format*> cache_formats() {
  Kernels scalar{.isa = "scalar", .table = {}, .matmuls = {}, .caches = {}};
  add_caches(scalar, *generic::scalar_set());
  std::vector<const formats::Format*> formats;
  for (const Kernels::Cache& cache : scalar.caches) formats.push_back(cache.format);
  return formats;
}

std::vector<std::string_view> cache_format_names() {
  std::vector<std::string_view> names;
  for (const formats::Format* format : cache_formats()) names.push_back(format->name);
  return names;
}

std::size_t attend_scratch(std::int64_t n_queries, std::int64_t head_dim, std::int64_t page_positions) {
  return static_cast<std::size_t>(AttendScratch::size(n_queries, head_dim, page_positions));
}

std::vector<Isa> all_isas() {
  std::vector<Isa> isas;
#if defined(__x86_64__)
  isas.push_back({.name = "amxint8",
                  .needs = "AMX-INT8 and AVX-512 with VNNI",
                  .supported = [](const sys::CpuFeatures& f) { return has_avx512_vnni(f) && f.amx_int8; },
                  .set = amxint8::amxint8_set,
                  .ask_leave = sys::allow_amx,
                  .only_if_asked_for = true});
  isas.push_back({"avx512vnni", "AVX-512 F, BW, VL and VNNI", has_avx512_vnni, avx512vnni::avx512vnni_set});
  isas.push_back({"avxvnni", "AVX2 and AVX-VNNI",
                  [](const sys::CpuFeatures& f) { return f.avx2 && f.fma && f.f16c && f.avx_vnni; },
                  avxvnni::avxvnni_set});
  isas.push_back(
      {"avx2", "AVX2, FMA, F16C", [](const sys::CpuFeatures& f) { return f.avx2 && f.fma && f.f16c; }, avx2::avx2_set});
#endif
  isas.push_back({"scalar", "nothing", [](const sys::CpuFeatures&) { return true; }, generic::scalar_set});
  return isas;
}

bool runs_here(const Isa& isa) {
  return isa.supported(sys::cpu_features()) && (isa.ask_leave == nullptr || isa.ask_leave());
}

Result<Kernels> choose(std::string_view forced) {
  std::string_view origin = "the instruction set asked for";
  if (forced.empty()) {
    const char* environment = std::getenv("TERN_ISA");
    if (environment != nullptr && *environment != '\0') {
      forced = environment;
      origin = "TERN_ISA";
    }
  }
  auto kernels = choose_for(sys::cpu_features(), forced);
  if (!kernels) return fail(kernels.error().code, "{}: {}", origin, kernels.error().message);
  const std::vector<Isa> isas = all_isas();
  const auto chosen = std::ranges::find(isas, kernels->isa, &Isa::name);
  if (!runs_here(*chosen)) {
    return fail(ErrorCode::unsupported, "{}: \"{}\" needs registers that the operating system does not grant", origin,
                chosen->name);
  }
  return kernels;
}

Result<Kernels> choose_for(const sys::CpuFeatures& cpu, std::string_view forced) {
  const std::vector<Isa> isas = all_isas();
  std::size_t first = 0;
  if (forced.empty()) {
    while (isas[first].only_if_asked_for || !isas[first].supported(cpu)) ++first;  // ends at "scalar" at the latest
  } else {
    std::vector<std::string_view> names;
    for (const Isa& isa : isas) names.push_back(isa.name);
    while (first < isas.size() && !equal_ignoring_case(isas[first].name, forced)) ++first;
    if (first == isas.size()) {
      return fail(ErrorCode::usage, "unknown instruction set \"{}\"{}; this program has {}", printable(forced),
                  did_you_mean(forced, names), fmt::join(names, ", "));
    }
    if (!isas[first].supported(cpu)) {
      return fail(ErrorCode::unsupported, "\"{}\" needs {}, which this processor ({}) lacks", isas[first].name,
                  isas[first].needs, sys::cpu_name());
    }
  }
  Kernels kernels{.isa = isas[first].name, .table = {}, .matmuls = {}, .caches = {}};
  kernels.table.name = isas[first].set()->name;
  for (std::size_t i = first; i < isas.size(); ++i) {
    if (!isas[i].supported(cpu)) continue;
    fill_gaps(kernels.table, *isas[i].set());
    add_matmuls(kernels, *isas[i].set());
    add_caches(kernels, *isas[i].set());
  }
  return kernels;
}

}  // namespace tern::kernels
