// The keys and values of past positions, in pages of a fixed number of positions that are taken from one pool as
// sequences grow. A page holds its positions for every layer; within a layer keys (then values) are stored head by
// head, so one attention head reads consecutive rows. Page boundaries derive from absolute positions: how a prompt was
// split into batches leaves no trace.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/error.hpp"
#include "models/plan.hpp"
#include "tensor/aligned_buffer.hpp"

namespace tern::engine {

enum class KvType : std::uint8_t { f16, f32 };

class KvCache {
 public:
  static constexpr std::int64_t kPagePositions = 64;

  /// Shapes come from the plan's attention steps. max_positions counts over all sequences together.
  KvCache(const models::Plan& plan, KvType type, int n_sequences, std::int64_t max_positions);

  [[nodiscard]] KvType type() const { return type_; }
  [[nodiscard]] int n_sequences() const { return static_cast<int>(sequences_.size()); }
  [[nodiscard]] std::int64_t length(int sequence) const {
    return sequences_[static_cast<std::size_t>(sequence)].length;
  }
  /// Bytes of one position over all layers; of everything if the cache were full.
  [[nodiscard]] std::uint64_t bytes_per_position() const { return page_bytes_ / kPagePositions; }

  /// Makes room for positions [length, length + n) of a sequence. Errors: out_of_memory when the pool is used up.
  [[nodiscard]] Result<void> extend(int sequence, std::int64_t n);
  /// Forgets positions from `length` on; pages that become empty go back to the pool.
  void truncate(int sequence, std::int64_t length);

  /// Stores one position's keys and values [n_kv_heads * head_dim] of a layer.
  void store(int layer, int sequence, std::int64_t position, const float* key, const float* value);

  /// Pointers for one head: pages [n_pages] of keys and of values, and the bytes between two positions.
  void head_pages(int layer, int sequence, std::int64_t kv_head, std::vector<const void*>& keys,
                  std::vector<const void*>& values) const;
  [[nodiscard]] std::size_t row_stride(int layer) const;

 private:
  struct Layer {
    std::int64_t n_kv_heads = 0;
    std::int64_t head_dim = 0;
    std::size_t key_offset = 0;  // within a page
    std::size_t value_offset = 0;
  };
  struct Sequence {
    std::int64_t length = 0;
    std::vector<std::size_t> pages;
  };

  [[nodiscard]] std::size_t element_bytes() const { return type_ == KvType::f16 ? 2 : 4; }

  KvType type_;
  std::size_t page_bytes_ = 0;
  std::size_t max_pages_ = 0;
  std::vector<Layer> layers_;
  std::vector<Sequence> sequences_;
  std::vector<AlignedBuffer> pages_;  // allocated when first needed
  std::vector<std::size_t> free_pages_;
};

}  // namespace tern::engine
