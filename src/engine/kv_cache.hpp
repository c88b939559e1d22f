// The keys and values of past positions, in pages of a fixed number of positions that are taken from one pool as
// sequences grow. A page holds its positions for every layer; within a layer keys (then values) are stored head by
// head, so one attention head reads consecutive rows. Page boundaries derive from absolute positions: how a prompt was
// split into batches leaves no trace.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/error.hpp"
#include "formats/f16.hpp"
#include "models/plan.hpp"
#include "tensor/aligned_buffer.hpp"

namespace tern::engine {

/// What keys and values are kept in.
struct CacheFormats {
  const formats::Format* keys = &formats::kF16;
  const formats::Format* values = &formats::kF16;

  [[nodiscard]] static CacheFormats both(const formats::Format& format) { return {&format, &format}; }
};

class KvCache {
 public:
  static constexpr std::int64_t kPagePositions = 64;

  /// Shapes come from the plan's attention steps. max_positions counts over all sequences together. `formats` passed
  /// check_formats().
  KvCache(const models::Plan& plan, const CacheFormats& formats, int n_sequences, std::int64_t max_positions);

  /// Errors: unsupported for a format whose blocks do not divide the heads of the plan.
  [[nodiscard]] static Result<void> check_formats(const models::Plan& plan, const CacheFormats& formats);

  [[nodiscard]] const CacheFormats& formats() const { return formats_; }

  [[nodiscard]] int n_sequences() const { return static_cast<int>(sequences_.size()); }
  [[nodiscard]] std::int64_t length(int sequence) const {
    return sequences_[static_cast<std::size_t>(sequence)].length;
  }
  /// Bytes of one position over all layers.
  [[nodiscard]] std::uint64_t bytes_per_position() const { return page_bytes_ / kPagePositions; }

  /// Makes room for positions [length, length + n) of a sequence. Errors: out_of_memory when the pool is used up.
  [[nodiscard]] Result<void> extend(int sequence, std::int64_t n);
  /// Forgets positions from `length` on; pages that become empty go back to the pool.
  void truncate(int sequence, std::int64_t length);

  /// Where one position's key and value of one head lie.
  struct Rows {
    std::byte* key;
    std::byte* value;
  };
  [[nodiscard]] Rows rows(int layer, int sequence, std::int64_t position, std::int64_t kv_head);

  /// Pointers for one head: pages [n_pages] of keys and of values; rows of a page lie one after the other.
  void head_pages(int layer, int sequence, std::int64_t kv_head, std::vector<const void*>& keys,
                  std::vector<const void*>& values) const;
  [[nodiscard]] std::size_t key_row_bytes(int layer) const { return at(layer).key_row_bytes; }
  [[nodiscard]] std::size_t value_row_bytes(int layer) const { return at(layer).value_row_bytes; }

 private:
  struct Layer {
    std::size_t key_row_bytes = 0;
    std::size_t value_row_bytes = 0;
    std::size_t key_offset = 0;  // within a page
    std::size_t value_offset = 0;
  };
  struct Sequence {
    std::int64_t length = 0;
    std::vector<std::size_t> pages;
  };

  [[nodiscard]] const Layer& at(int layer) const { return layers_[static_cast<std::size_t>(layer)]; }

  CacheFormats formats_;
  std::size_t page_bytes_ = 0;
  std::size_t max_pages_ = 0;
  std::vector<Layer> layers_;
  std::vector<Sequence> sequences_;
  std::vector<AlignedBuffer> pages_;  // allocated when first needed
  std::vector<std::size_t> free_pages_;
};

}  // namespace tern::engine
