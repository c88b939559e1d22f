// The kernels this process runs: one complete table, chosen once from the ordered list of instruction sets.
#pragma once

#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "formats/format.hpp"
#include "kernels/kernel_set.hpp"
#include "sys/cpu.hpp"

namespace tern::kernels {

/// A complete table: every function is set. Cheap to copy; a value, not a global.
struct Kernels {
  std::string_view isa;  // "avx2", "scalar"
  KernelSet table;       // merged; matmuls is unused here, ask matmul()
  struct Bound {
    const formats::Format* weight;
    Activation activation;
    MatmulFn run;
    std::string_view peak;  // MatmulSlot::peak
  };
  std::vector<Bound> matmuls;

  /// How a cache of keys or values keeps rows in a format.
  struct Cache {
    const formats::Format* format;
    StoreRowFn store;
    LoadRowsFn load;
    bool halves;  // CacheSlot::halves
  };
  std::vector<Cache> caches;

  /// Null for a format that no cache is kept in.
  [[nodiscard]] const Cache* cache(const formats::Format& format) const;
  /// The entry of this set for a pair, or null if only the generic path (matmul_generic) serves it.
  [[nodiscard]] const Bound* bound(const formats::Format& weight, Activation activation) const;

  /// Its kernel, or null.
  [[nodiscard]] MatmulFn matmul(const formats::Format& weight, Activation activation) const;
};

/// An instruction set this program has code for.
struct Isa {
  std::string_view name;
  std::string_view needs;  // for people: "AVX2, FMA, F16C"
  bool (*supported)(const sys::CpuFeatures&);
  const KernelSet* (*set)();
  bool (*ask_leave)() = nullptr;   // asks the operating system for registers it does not give unasked; whether it did
  bool only_if_asked_for = false;  // never the automatic choice: it was not measured yet
};

/// Best first; the last is "scalar", which every machine runs.
[[nodiscard]] std::vector<Isa> all_isas();

/// The best supported set that needs not be asked for, or the one forced by `forced` (empty: environment variable
/// TERN_ISA, else automatic). Errors: an unknown name (with the nearest), a set this CPU lacks, or whose registers the
/// system does not grant.
[[nodiscard]] Result<Kernels> choose(std::string_view forced = {});
/// The same for a processor that has `cpu`, not asking the system for anything: what comes back may not run here.
[[nodiscard]] Result<Kernels> choose_for(const sys::CpuFeatures& cpu, std::string_view forced);
/// Whether this processor has what a set needs and the system grants it.
[[nodiscard]] bool runs_here(const Isa& isa);

/// Serves every (format, activation) pair: decodes both sides to float and adds in one fixed order. The slow, obvious
/// reference for every matmul kernel. `tensor_scale` is the weight tensor's own scale (1 where it has none).
void matmul_generic(const formats::Format& weight, float tensor_scale, Activation activation, const MatmulArgs& args);

/// The formats that a cache of keys or values may have, on every machine.
[[nodiscard]] std::vector<const formats::Format*> cache_formats();
[[nodiscard]] std::vector<std::string_view> cache_format_names();

/// Floats that AttendArgs::scratch must hold.
[[nodiscard]] std::size_t attend_scratch(std::int64_t n_queries, std::int64_t head_dim, std::int64_t page_positions);

/// Bytes of one column of k values in an activation layout, rounded up to 64.
[[nodiscard]] std::size_t activation_bytes(Activation activation, std::int64_t k);

/// A known-answer proof of one kernel against generic, as `tern doctor` prints it.
struct Proof {
  std::string kernel;  // "avx2 matmul Q4_K x q8_k"
  bool passed;
  std::string detail;  // worst relative error, or "bit-identical"
};
/// Proves every kernel that runs when this set is chosen, those it takes from the sets below it too (about a second in
/// all); includes the worst case of the integer sums.
[[nodiscard]] Result<std::vector<Proof>> prove(std::string_view isa);
/// Of what choose_for() gave.
[[nodiscard]] Result<std::vector<Proof>> prove(const Kernels& kernels, const sys::CpuFeatures& cpu);

}  // namespace tern::kernels
