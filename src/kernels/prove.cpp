// Proofs of a set's kernels on this machine: each against the generic path on fixed pseudo-random data, integers and
// rounding bit by bit, floats within a bound that follows from the number of additions.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/half.hpp"
#include "base/random.hpp"
#include "formats/all.hpp"
#include "kernels/generic/set.hpp"
#include "kernels/kernels.hpp"
#include "kernels/prove_packed.hpp"
#include "tensor/aligned_buffer.hpp"

namespace tern::kernels {
namespace {

constexpr std::int64_t kMatmulRows = 37;  // two panels of sixteen, or four of eight, and a rest
constexpr std::int64_t kColumns = 13;     // and fewer: every way of taking some; two tiles of six and a rest
constexpr std::int64_t kLength = 1536;    // divides by every block

std::vector<float> normal_values(std::int64_t n, std::uint64_t seed, double scale) {
  Random random(seed);
  std::vector<float> values(static_cast<std::size_t>(n));
  for (float& value : values) value = static_cast<float>(random.normal() * scale);
  return values;
}

/// The worst error met, as a share of what is allowed.
struct Worst {
  double share = 0.0;
  double relative = 0.0;
  void add(float got, float expected, double magnitude, double allowed) {
    const double error = std::fabs(static_cast<double>(got) - static_cast<double>(expected));
    if (!(error <= share * allowed)) share = std::isfinite(error) && allowed > 0.0 ? error / allowed : HUGE_VAL;
    if (magnitude > 0.0 && error / magnitude > relative) relative = error / magnitude;
  }
  [[nodiscard]] Proof proof(std::string kernel) const {
    return {std::move(kernel), share <= 1.0, fmt::format("worst error {:.1e} of the sum of magnitudes", relative)};
  }
};

std::string_view name_of(Activation activation) {
  constexpr std::string_view kNames[] = {"f32", "q8_0", "q8_k"};
  return kNames[static_cast<std::size_t>(activation)];
}

Proof prove_matmul(const KernelSet& set, const MatmulSlot& slot, const formats::Format& format) {
  const KernelSet& scalar = *generic::scalar_set();
  std::string name = fmt::format("{} matmul {} x {}", set.name, format.name, name_of(slot.activation));
  std::vector<float> values = normal_values(kMatmulRows * kLength, 11, 0.05);
  if (format.is_ternary) {
    for (float& v : values) v = std::fabs(v) < 0.03F ? 0.0F : std::copysign(0.0625F, v);
  }
  // The first row has the largest code nearly everywhere, and meets the largest activations below: what wraps 16-bit
  // sums that are widened too late.
  for (std::int64_t i = 0; i < kLength; ++i) values[static_cast<std::size_t>(i)] = i % 32 == 0 ? -0.0625F : 0.0625F;
  const std::int64_t row_bytes = format.row_bytes(kLength);
  AlignedBuffer w(static_cast<std::size_t>(kMatmulRows * row_bytes));
  for (std::int64_t r = 0; r < kMatmulRows; ++r) {
    if (format.encode_row(values.data() + r * kLength, kLength, 0.0625F, w.data() + r * row_bytes)) {
      return {std::move(name), false, "the test rows could not be encoded"};
    }
    format.decode_row(w.data() + r * row_bytes, kLength, 0.0625F, values.data() + r * kLength);
  }
  std::vector<float> x = normal_values(kColumns * kLength, 12, 1.0);
  for (std::int64_t i = 0; i < 2 * kLength; ++i) x[static_cast<std::size_t>(i)] = i < kLength ? 1.0F : -1.0F;
  const std::size_t col_bytes = activation_bytes(slot.activation, kLength);
  AlignedBuffer columns(col_bytes * kColumns);
  for (std::int64_t c = 0; c < kColumns; ++c) {
    std::byte* to = columns.data() + static_cast<std::size_t>(c) * col_bytes;
    const float* from = x.data() + c * kLength;
    if (slot.activation == Activation::f32) std::memcpy(to, from, kLength * sizeof(float));
    if (slot.activation == Activation::q8_0) scalar.quantize_q8_0(from, kLength, to);
    if (slot.activation == Activation::q8_k) scalar.quantize_q8_k(from, kLength, to);
  }
  std::vector<float> got(kMatmulRows * kColumns);
  std::vector<float> expected(kMatmulRows * kColumns);
  MatmulArgs args{.w = w.data(),
                  .w_row_bytes = static_cast<std::size_t>(row_bytes),
                  .n_rows = kMatmulRows,
                  .x = columns.data(),
                  .x_col_bytes = col_bytes,
                  .n_cols = kColumns,
                  .k = kLength,
                  .y = got.data(),
                  .y_stride = kMatmulRows};
  slot.run(args);
  args.y = expected.data();
  matmul_generic(format, 0.0625F, slot.activation, args);
  std::vector<float> few(got.size());
  args.y = few.data();
  for (args.n_cols = 1; args.n_cols < kColumns; ++args.n_cols) {
    slot.run(args);
    if (std::memcmp(few.data(), got.data(), static_cast<std::size_t>(kMatmulRows * args.n_cols) * sizeof(float)) != 0) {
      return {std::move(name), false, fmt::format("{} columns and {} give different bits", args.n_cols, kColumns)};
    }
  }
  Worst worst;
  for (std::int64_t c = 0; c < kColumns; ++c) {
    for (std::int64_t r = 0; r < kMatmulRows; ++r) {
      double magnitude = 0.0;
      double largest = 0.0;
      double sum = 0.0;
      for (std::int64_t i = 0; i < kLength; ++i) {
        const double a = std::fabs(static_cast<double>(values[static_cast<std::size_t>(r * kLength + i)]));
        const double b = std::fabs(static_cast<double>(x[static_cast<std::size_t>(c * kLength + i)]));
        magnitude += a * b;
        largest = std::max(largest, a);
        sum += b;
      }
      const double allowed = (static_cast<double>(kLength) / 8.0 + 16.0) * 0x1p-24 * largest * sum;
      const auto i = static_cast<std::size_t>(c * kMatmulRows + r);
      worst.add(got[i], expected[i], magnitude, allowed);
    }
  }
  return worst.proof(std::move(name));
}

Proof prove_blocks(const KernelSet& set, std::string_view name, QuantizeBlocksFn run, QuantizeBlocksFn reference) {
  bool same = true;
  for (const double scale : {1.0, 1e-6, 1e-38, 1e4}) {
    const std::vector<float> x = normal_values(kLength, 14, scale);
    std::vector<std::byte> got(kLength * 2);
    std::vector<std::byte> expected(kLength * 2);
    run(x.data(), kLength, got.data());
    reference(x.data(), kLength, expected.data());
    same = same && got == expected;
  }
  return identical(fmt::format("{} {}", set.name, name), same);
}

Proof prove_token(const KernelSet& set) {
  bool same = true;
  for (const std::int64_t n : {kLength, kLength - 5}) {
    const std::vector<float> x = normal_values(n, 15, 3.0);
    std::vector<std::int8_t> got(static_cast<std::size_t>(n));
    std::vector<std::int8_t> expected = got;
    std::int32_t got_sum = 0;
    std::int32_t expected_sum = 0;
    const float got_scale = set.quantize_token(x.data(), n, got.data(), &got_sum);
    const float expected_scale = generic::scalar_set()->quantize_token(x.data(), n, expected.data(), &expected_sum);
    same = same && got == expected && got_sum == expected_sum && got_scale == expected_scale;
  }
  return identical(fmt::format("{} quantize per token", set.name), same);
}

/// One kind of cache: rows of a batch of several queries, heads of an odd width where the format allows it.
Proof prove_attend(const KernelSet& set, const CacheSlot& slot, const formats::Format& format) {
  const KernelSet& scalar = *generic::scalar_set();
  const auto* reference = std::find_if(scalar.caches, scalar.caches + scalar.n_caches, [&](const CacheSlot& known) {
    return std::string_view(known.format) == slot.format;
  });
  constexpr std::int64_t kPositions = 77;
  constexpr std::int64_t kPage = 16;
  constexpr std::int64_t kPages = (kPositions + kPage - 1) / kPage;
  constexpr std::int64_t kQueries = 5;
  const std::int64_t head = format.block_values == 1 ? 72 : 64;
  const auto row_bytes = static_cast<std::size_t>(format.row_bytes(head));
  AlignedBuffer kv(static_cast<std::size_t>(2 * kPages * kPage) * row_bytes);
  AlignedBuffer stored(kv.size());
  const std::vector<float> values = normal_values(2 * kPages * kPage * head, 16, 1.0);
  for (std::int64_t row = 0; row < 2 * kPages * kPage; ++row) {
    const std::size_t at = static_cast<std::size_t>(row) * row_bytes;
    reference->store(values.data() + row * head, head, kv.data() + at);
    (slot.store != nullptr ? slot.store : reference->store)(values.data() + row * head, head, stored.data() + at);
  }
  bool exact = std::ranges::equal(kv.bytes(), stored.bytes());
  std::vector<float> got_rows(static_cast<std::size_t>(kPage * (head + 8)));
  std::vector<float> expected_rows = got_rows;
  slot.load(kv.data(), row_bytes, kPage, head, head + 8, got_rows.data());
  reference->load(kv.data(), row_bytes, kPage, head, head + 8, expected_rows.data());
  exact = exact && got_rows == expected_rows;

  const void* k_pages[kPages];
  const void* v_pages[kPages];
  for (std::int64_t p = 0; p < kPages; ++p) {
    k_pages[p] = kv.data() + static_cast<std::size_t>(p * kPage) * row_bytes;
    v_pages[p] = kv.data() + static_cast<std::size_t>((kPages + p) * kPage) * row_bytes;
  }
  const std::vector<float> q = normal_values(kQueries * head, 17, 1.0);
  const std::int64_t first[kQueries] = {0, 0, 19, 21, 76};
  const std::int64_t end[kQueries] = {kPositions, 40, 41, kPositions, kPositions};
  AlignedBuffer scratch(attend_scratch(kQueries, head, kPage) * sizeof(float));
  Worst worst;
  for (const float cap : {0.0F, 5.0F}) {
    std::vector<float> got(static_cast<std::size_t>(kQueries * head));
    std::vector<float> expected = got;
    const float* queries[kQueries];
    float* outs[kQueries];
    AttendArgs args{.q = queries,
                    .out = outs,
                    .n_queries = kQueries,
                    .first = first,
                    .end = end,
                    .k_pages = k_pages,
                    .v_pages = v_pages,
                    .load_keys = slot.load,
                    .load_values = slot.load,
                    .k_halves = slot.halves,
                    .v_halves = slot.halves,
                    .k_row_bytes = row_bytes,
                    .v_row_bytes = row_bytes,
                    .page_positions = kPage,
                    .head_dim = head,
                    .scale = 0.25F,
                    .soft_cap = cap,
                    .scratch = scratch.as<float>()};
    for (std::int64_t r = 0; r < kQueries; ++r) {
      queries[r] = q.data() + r * head;
      outs[r] = got.data() + r * head;
    }
    set.attend(args);
    for (std::int64_t r = 0; r < kQueries; ++r) outs[r] = expected.data() + r * head;
    args.load_keys = args.load_values = reference->load;
    scalar.attend(args);
    // Values are below 5; a score of magnitude below 16 is off by at most 2^-19, so is a weight, relatively.
    for (std::size_t i = 0; i < got.size(); ++i) worst.add(got[i], expected[i], 5.0, 5.0 * 0x1p-18);
  }
  Proof proof = worst.proof(fmt::format("{} attend {}", set.name, format.name));
  if (exact) return proof;
  return {std::move(proof.kernel), false, "rows are stored or loaded otherwise than by the scalar set"};
}

Proof prove_glu(const KernelSet& set, std::string_view name, GluFn run, GluFn reference) {
  const std::vector<float> gate = normal_values(kLength - 3, 18, 6.0);
  const std::vector<float> up = normal_values(kLength - 3, 19, 1.0);
  std::vector<float> got(gate.size());
  std::vector<float> expected(gate.size());
  run(gate.data(), up.data(), kLength - 3, got.data());
  reference(gate.data(), up.data(), kLength - 3, expected.data());
  Worst worst;
  for (std::size_t i = 0; i < got.size(); ++i) {
    // Relative, but for the argument of the exponential, whose rounding grows with it, and for outputs that underflow.
    const double magnitude = std::max(std::fabs(static_cast<double>(expected[i])), 1e-30);
    const double argument = 4.0 + 2.0 * std::fabs(static_cast<double>(gate[i])) * (1.0 + 0.05 * gate[i] * gate[i]);
    worst.add(got[i], expected[i], magnitude, magnitude * argument * 0x1p-22 + 1e-37);
  }
  return worst.proof(fmt::format("{} {}", set.name, name));
}

Proof prove_norm(const KernelSet& set) {
  const std::vector<float> x = normal_values(kLength - 3, 20, 2.0);
  std::vector<float> got(x.size());
  std::vector<float> expected(x.size());
  set.rms_norm(x.data(), x.data(), kLength - 3, 1e-5F, got.data());
  generic::scalar_set()->rms_norm(x.data(), x.data(), kLength - 3, 1e-5F, expected.data());
  Worst worst;
  for (std::size_t i = 0; i < got.size(); ++i) {
    const double magnitude = std::fabs(static_cast<double>(expected[i]));
    worst.add(got[i], expected[i], magnitude, magnitude * 0x1p-22);
  }
  return worst.proof(fmt::format("{} rms_norm", set.name));
}

/// A set without the functions that a set above it has too.
KernelSet used_of(KernelSet set, const KernelSet& table) {
  const auto keep = [](auto& function, auto used) {
    if (function != used) function = nullptr;
  };
  keep(set.ternary, table.ternary);
  keep(set.ternary_tables, table.ternary_tables);
  keep(set.ternary_panel, table.ternary_panel);
  keep(set.ternary_taken, table.ternary_taken);
  keep(set.binary, table.binary);
  keep(set.binary_tables, table.binary_tables);
  keep(set.attend, table.attend);
  keep(set.quantize_token, table.quantize_token);
  keep(set.quantize_q8_0, table.quantize_q8_0);
  keep(set.quantize_q8_k, table.quantize_q8_k);
  keep(set.rms_norm, table.rms_norm);
  keep(set.silu_glu, table.silu_glu);
  keep(set.relu2_glu, table.relu2_glu);
  keep(set.gelu_glu, table.gelu_glu);
  return set;
}

/// The kernels of one set.
Result<void> prove_set(const KernelSet& set, std::vector<Proof>& proofs) {
  const KernelSet& scalar = *generic::scalar_set();
  for (std::int64_t i = 0; i < set.n_matmuls; ++i) {
    TERN_TRY(const formats::Format* format, formats::by_name(set.matmuls[i].weight));
    proofs.push_back(prove_matmul(set, set.matmuls[i], *format));
  }
  if (set.ternary != nullptr) proofs.push_back(prove_ternary(set));
  if (set.ternary_tables != nullptr) proofs.push_back(prove_ternary_tables(set));
  if (set.ternary_panel != nullptr) proofs.push_back(prove_ternary_panels(set));
  if (set.ternary_taken != nullptr) proofs.push_back(prove_ternary_taken(set));
  if (set.binary != nullptr) proofs.push_back(prove_binary(set));
  for (std::int64_t i = 0; set.attend != nullptr && i < set.n_caches; ++i) {
    TERN_TRY(const formats::Format* format, formats::by_name(set.caches[i].format));
    proofs.push_back(prove_attend(set, set.caches[i], *format));
  }
  if (set.quantize_token != nullptr) proofs.push_back(prove_token(set));
  if (set.quantize_q8_0 != nullptr) {
    proofs.push_back(prove_blocks(set, "quantize q8_0", set.quantize_q8_0, scalar.quantize_q8_0));
  }
  if (set.quantize_q8_k != nullptr) {
    proofs.push_back(prove_blocks(set, "quantize q8_k", set.quantize_q8_k, scalar.quantize_q8_k));
  }
  if (set.rms_norm != nullptr) proofs.push_back(prove_norm(set));
  if (set.silu_glu != nullptr) proofs.push_back(prove_glu(set, "silu", set.silu_glu, scalar.silu_glu));
  if (set.relu2_glu != nullptr) proofs.push_back(prove_glu(set, "relu2", set.relu2_glu, scalar.relu2_glu));
  if (set.gelu_glu != nullptr) proofs.push_back(prove_glu(set, "gelu", set.gelu_glu, scalar.gelu_glu));
  return {};
}

}  // namespace

Result<std::vector<Proof>> prove(std::string_view isa) {
  TERN_TRY(const Kernels kernels, choose(isa));
  return prove(kernels, sys::cpu_features());
}

Result<std::vector<Proof>> prove(const Kernels& kernels, const sys::CpuFeatures& cpu) {
  std::vector<Proof> proofs;
  bool is_used = false;  // from the chosen set down; the scalar one is what all are proved against
  for (const Isa& known : all_isas()) {
    is_used = is_used || known.name == kernels.isa;
    const bool is_reference = known.set() == generic::scalar_set() && known.name != kernels.isa;
    if (!is_used || is_reference || !known.supported(cpu)) continue;
    TERN_TRY_DO(prove_set(used_of(*known.set(), kernels.table), proofs));
  }
  return proofs;
}

}  // namespace tern::kernels
