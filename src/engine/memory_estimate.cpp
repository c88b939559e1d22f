#include "engine/memory_estimate.hpp"

#include <algorithm>
#include <set>

#include "formats/format.hpp"
#include "kernels/binary_pack.hpp"
#include "kernels/ternary_pack.hpp"
#include "models/slots.hpp"

namespace tern::engine {
namespace {

// A ternary or binary matrix under per-token rounding runs from the packed layout, if it has one scale; I2_S rows that
// divide are that layout already.
std::uint64_t packed_bytes(const TensorView& tensor, const models::ActivationPolicy& policy) {
  using Mode = models::ActivationPolicy::Mode;
  const bool per_token = policy.mode == Mode::per_token ||
                         (policy.mode == Mode::partner && tensor.format->partner == formats::Partner::int8_token);
  if (per_token && tensor.format->is_binary) {
    return static_cast<std::uint64_t>(kernels::binary_panels(tensor.shape.n_rows()) *
                                      kernels::binary_panel_bytes(tensor.shape.row_length()));
  }
  if (!per_token || !tensor.format->is_ternary) return 0;
  const std::int64_t padded = kernels::ternary_padded(tensor.shape.row_length());
  if (tensor.format->tensor_scale != nullptr && padded == tensor.shape.row_length()) return 0;
  return static_cast<std::uint64_t>(tensor.shape.n_rows()) * static_cast<std::uint64_t>(padded / 4);
}

}  // namespace

MemoryEstimate estimate_memory(const models::ModelFile& model, std::int64_t n_ctx, std::int64_t n_batch,
                               const CacheFormats& cache) {
  const models::Plan& plan = model.plan();
  MemoryEstimate out;
  out.weights = model.weight_bytes();
  std::vector<models::Usage> usage;
  std::set<const std::byte*> counted;
  for (const models::Step& step : plan.steps) {
    usage.push_back(models::usage_of(step));
    const auto* linear = std::get_if<models::LinearStep>(&step);
    const TensorView* tensor = linear == nullptr ? nullptr : model.tensor(linear->weight);
    if (tensor != nullptr && counted.insert(tensor->bytes.data()).second)
      out.packed += packed_bytes(*tensor, linear->activation);
  }
  const KvCache probe(plan, cache, 1, 1);
  const auto pages = (static_cast<std::uint64_t>(n_ctx) + KvCache::kPagePositions - 1) / KvCache::kPagePositions;
  out.kv = probe.bytes_per_position() * KvCache::kPagePositions * pages;
  const auto tokens = static_cast<std::uint64_t>(std::min(n_batch, n_ctx));
  for (const std::int64_t width : models::assign_slots(plan.values, usage).slot_widths) {
    out.buffers += static_cast<std::uint64_t>(width) * tokens * sizeof(float);
  }
  out.buffers += static_cast<std::uint64_t>(model.parameters().n_vocab) * sizeof(float);
  return out;
}

}  // namespace tern::engine
