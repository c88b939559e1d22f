#include "engine/attention.hpp"

#include <algorithm>
#include <memory>
#include <vector>

namespace tern::engine {
namespace {

// Queries of a block: so many share the keys and values that were made floats, and fit into the second-level cache with
// them (head_dim 128: 32 queries and their sums take 32 KB, a page 32 KB).
constexpr std::int64_t kBlockQueries = 32;

/// Tokens [first, first + n) of the batch: one sequence, positions one after the other.
struct Block {
  std::size_t first;
  std::size_t n;
};

std::vector<Block> blocks_of(std::span<const BatchItem> batch, std::size_t most) {
  std::vector<Block> blocks;
  for (std::size_t t = 0; t < batch.size(); ++t) {
    const bool goes_on = t > 0 && batch[t].sequence == batch[t - 1].sequence;
    if (goes_on && blocks.back().n < most) {
      ++blocks.back().n;
    } else {
      blocks.push_back({t, 1});
    }
  }
  return blocks;
}

/// The arguments of a block; buffers serve all blocks of a chunk.
class BlockArguments {
 public:
  BlockArguments(const models::AttentionStep& step, const KvCache& cache, const kernels::Kernels::Cache& keys,
                 const kernels::Kernels::Cache& values)
      : step_(&step), cache_(&cache), heads_per_kv_(step.n_heads / step.n_kv_heads) {
    args_.load_keys = keys.load;
    args_.load_values = values.load;
    args_.k_halves = keys.halves;
    args_.v_halves = values.halves;
    args_.k_row_bytes = cache.key_row_bytes(step.kv_layer);
    args_.v_row_bytes = cache.value_row_bytes(step.kv_layer);
    args_.page_positions = KvCache::kPagePositions;
    args_.head_dim = step.head_dim;
    args_.scale = step.scale;
    args_.soft_cap = step.soft_cap;
  }

  const kernels::AttendArgs& of(std::span<const BatchItem> batch, const AttentionValues& values, const Block& block,
                                std::int64_t kv_head) {
    queries_.clear();
    outs_.clear();
    first_.clear();
    end_.clear();
    for (std::size_t t = block.first; t < block.first + block.n; ++t) {
      const BatchItem& item = batch[t];
      const std::int64_t end = step_->causal ? item.position + 1 : cache_->length(item.sequence);
      const std::int64_t first = step_->window == 0 ? 0 : std::max<std::int64_t>(0, item.position + 1 - step_->window);
      for (std::int64_t h = kv_head * heads_per_kv_; h < (kv_head + 1) * heads_per_kv_; ++h) {
        queries_.push_back(values.query[t] + h * step_->head_dim);
        outs_.push_back(values.out[t] + h * step_->head_dim);
        first_.push_back(first);
        end_.push_back(end);
      }
    }
    cache_->head_pages(step_->kv_layer, batch[block.first].sequence, kv_head, keys_, values_);
    const auto n_queries = std::ssize(queries_);
    const std::size_t needed = kernels::attend_scratch(n_queries, step_->head_dim, KvCache::kPagePositions);
    if (n_scratch_ < needed) {
      scratch_ = std::make_unique_for_overwrite<float[]>(needed);
      n_scratch_ = needed;
    }
    args_.q = queries_.data();
    args_.out = outs_.data();
    args_.n_queries = n_queries;
    args_.first = first_.data();
    args_.end = end_.data();
    args_.k_pages = keys_.data();
    args_.v_pages = values_.data();
    args_.scratch = scratch_.get();
    return args_;
  }

 private:
  const models::AttentionStep* step_;
  const KvCache* cache_;
  std::int64_t heads_per_kv_;
  kernels::AttendArgs args_{};
  std::vector<const float*> queries_;
  std::vector<float*> outs_;
  std::vector<std::int64_t> first_;
  std::vector<std::int64_t> end_;
  std::vector<const void*> keys_;
  std::vector<const void*> values_;
  std::unique_ptr<float[]> scratch_;
  std::size_t n_scratch_ = 0;
};

}  // namespace

void run_attention(const models::AttentionStep& s, std::span<const BatchItem> batch, const AttentionValues& values,
                   const kernels::Kernels& kernels, KvCache& cache, sys::ThreadPool& pool) {
  const kernels::Kernels::Cache& keys = *kernels.cache(*cache.formats().keys);
  const kernels::Kernels::Cache& kept_values = *kernels.cache(*cache.formats().values);
  pool.parallel_for(std::ssize(batch), 8, [&](std::int64_t begin, std::int64_t end) {
    for (auto t = static_cast<std::size_t>(begin); t < static_cast<std::size_t>(end); ++t) {
      for (std::int64_t head = 0; head < s.n_kv_heads; ++head) {
        const KvCache::Rows rows = cache.rows(s.kv_layer, batch[t].sequence, batch[t].position, head);
        keys.store(values.key[t] + head * s.head_dim, s.head_dim, rows.key);
        kept_values.store(values.value[t] + head * s.head_dim, s.head_dim, rows.value);
      }
    }
  });
  const auto most = static_cast<std::size_t>(std::max<std::int64_t>(1, kBlockQueries / (s.n_heads / s.n_kv_heads)));
  const std::vector<Block> blocks = blocks_of(batch, most);
  // A short context makes pieces so small that several are handed out at once, all as large as the largest at most.
  constexpr std::int64_t kLeastProducts = std::int64_t{1} << 15;
  std::int64_t longest = 1;  // tokens of a block times positions that they see
  for (const Block& block : blocks) {
    const std::int64_t end = std::int64_t{batch[block.first + block.n - 1].position} + 1;
    longest = std::max(longest, end * static_cast<std::int64_t>(block.n));
  }
  const std::int64_t chunk =
      std::max<std::int64_t>(1, kLeastProducts / (2 * longest * s.head_dim * (s.n_heads / s.n_kv_heads)));
  pool.parallel_for(std::ssize(blocks) * s.n_kv_heads, chunk, [&](std::int64_t begin, std::int64_t end) {
    BlockArguments arguments(s, cache, keys, kept_values);
    for (std::int64_t i = begin; i < end; ++i) {
      const Block& block = blocks[static_cast<std::size_t>(i / s.n_kv_heads)];
      kernels.table.attend(arguments.of(batch, values, block, i % s.n_kv_heads));
    }
  });
}

}  // namespace tern::engine
