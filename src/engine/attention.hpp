// The attention step of a batch: its keys and values into the cache, then every query against what its sequence holds.
// Work is cut into blocks of neighbouring tokens of a sequence and one key/value head, which share what they read; how
// it is cut has no effect on the result (kernels/kernel_set.hpp).
#pragma once

#include <span>

#include "engine/batch.hpp"
#include "engine/compiled_plan.hpp"
#include "engine/kv_cache.hpp"
#include "engine/slots.hpp"
#include "kernels/kernels.hpp"
#include "sys/thread_pool.hpp"

namespace tern::engine {

struct AttentionValues {
  SlotRows query;  // [n_heads * head_dim]
  SlotRows key;    // [n_kv_heads * head_dim]
  SlotRows value;
  SlotRows out;  // [n_heads * head_dim]
};

/// The cache must have room for every item, and its formats kernels in `kernels`.
void run_attention(const models::AttentionStep& step, std::span<const BatchItem> batch, const AttentionValues& values,
                   const kernels::Kernels& kernels, KvCache& cache, sys::ThreadPool& pool);

}  // namespace tern::engine
