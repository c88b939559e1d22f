#include "engine/kv_cache.hpp"

#include <algorithm>
#include <cstring>
#include <new>

#include "base/half.hpp"

namespace tern::engine {

KvCache::KvCache(const models::Plan& plan, KvType type, int n_sequences, std::int64_t max_positions) : type_(type) {
  for (const models::Step& step : plan.steps) {
    const auto* attention = std::get_if<models::AttentionStep>(&step);
    if (attention == nullptr) continue;
    const auto bytes =
        static_cast<std::size_t>(attention->n_kv_heads * attention->head_dim * kPagePositions) * element_bytes();
    Layer layer{attention->n_kv_heads, attention->head_dim, page_bytes_, page_bytes_ + bytes};
    page_bytes_ += 2 * bytes;
    layers_.push_back(layer);
  }
  sequences_.resize(static_cast<std::size_t>(n_sequences));
  // Every sequence may leave a page half full.
  max_pages_ = static_cast<std::size_t>((max_positions + kPagePositions - 1) / kPagePositions + n_sequences - 1);
}

Result<void> KvCache::extend(int sequence, std::int64_t n) {
  Sequence& s = sequences_[static_cast<std::size_t>(sequence)];
  const auto needed = static_cast<std::size_t>((s.length + n + kPagePositions - 1) / kPagePositions);
  while (s.pages.size() < needed) {
    if (free_pages_.empty()) {
      if (pages_.size() >= max_pages_) {
        return fail(ErrorCode::out_of_memory,
                    "the key/value cache is full: {} pages of {} positions; use a larger context (-c)", max_pages_,
                    kPagePositions);
      }
      try {
        pages_.emplace_back(page_bytes_);
      } catch (const std::bad_alloc&) {
        return fail(ErrorCode::out_of_memory, "no memory for a key/value page of {} bytes; use a smaller context (-c)",
                    page_bytes_);
      }
      free_pages_.push_back(pages_.size() - 1);
    }
    s.pages.push_back(free_pages_.back());
    free_pages_.pop_back();
  }
  s.length += n;
  return {};
}

void KvCache::truncate(int sequence, std::int64_t length) {
  Sequence& s = sequences_[static_cast<std::size_t>(sequence)];
  s.length = std::clamp<std::int64_t>(length, 0, s.length);
  const auto needed = static_cast<std::size_t>((s.length + kPagePositions - 1) / kPagePositions);
  while (s.pages.size() > needed) {
    free_pages_.push_back(s.pages.back());
    s.pages.pop_back();
  }
}

std::size_t KvCache::row_stride(int layer) const {
  return static_cast<std::size_t>(layers_[static_cast<std::size_t>(layer)].head_dim) * element_bytes();
}

void KvCache::store(int layer, int sequence, std::int64_t position, const float* key, const float* value) {
  const Layer& l = layers_[static_cast<std::size_t>(layer)];
  const Sequence& s = sequences_[static_cast<std::size_t>(sequence)];
  std::byte* page = pages_[s.pages[static_cast<std::size_t>(position / kPagePositions)]].data();
  const std::int64_t row = position % kPagePositions;
  const auto write = [&](std::size_t offset, const float* values) {
    for (std::int64_t head = 0; head < l.n_kv_heads; ++head) {
      const float* from = values + head * l.head_dim;
      std::byte* to =
          page + offset + static_cast<std::size_t>((head * kPagePositions + row) * l.head_dim) * element_bytes();
      if (type_ == KvType::f32) {
        std::memcpy(to, from, static_cast<std::size_t>(l.head_dim) * sizeof(float));
      } else {
        auto* half = reinterpret_cast<std::uint16_t*>(to);
        for (std::int64_t i = 0; i < l.head_dim; ++i) half[i] = fp32_to_fp16(from[i]);
      }
    }
  };
  write(l.key_offset, key);
  write(l.value_offset, value);
}

void KvCache::head_pages(int layer, int sequence, std::int64_t kv_head, std::vector<const void*>& keys,
                         std::vector<const void*>& values) const {
  const Layer& l = layers_[static_cast<std::size_t>(layer)];
  const Sequence& s = sequences_[static_cast<std::size_t>(sequence)];
  const std::size_t head_offset = static_cast<std::size_t>(kv_head * kPagePositions * l.head_dim) * element_bytes();
  keys.clear();
  values.clear();
  for (const std::size_t page : s.pages) {
    keys.push_back(pages_[page].data() + l.key_offset + head_offset);
    values.push_back(pages_[page].data() + l.value_offset + head_offset);
  }
}

}  // namespace tern::engine
