#include "engine/kv_cache.hpp"

#include <algorithm>
#include <new>

namespace tern::engine {
namespace {

std::size_t row_bytes(const formats::Format& format, std::int64_t head_dim) {
  return static_cast<std::size_t>(format.row_bytes(head_dim));
}

}  // namespace

KvCache::KvCache(const models::Plan& plan, const CacheFormats& formats, int n_sequences, std::int64_t max_positions)
    : formats_(formats) {
  for (const models::Step& step : plan.steps) {
    const auto* attention = std::get_if<models::AttentionStep>(&step);
    if (attention == nullptr) continue;
    Layer layer{.key_row_bytes = row_bytes(*formats.keys, attention->head_dim),
                .value_row_bytes = row_bytes(*formats.values, attention->head_dim)};
    const auto rows = static_cast<std::size_t>(attention->n_kv_heads * kPagePositions);
    layer.key_offset = page_bytes_;
    layer.value_offset = layer.key_offset + rows * layer.key_row_bytes;
    page_bytes_ = layer.value_offset + rows * layer.value_row_bytes;
    layers_.push_back(layer);
  }
  sequences_.resize(static_cast<std::size_t>(n_sequences));
  // Every sequence may leave a page half full.
  max_pages_ = static_cast<std::size_t>((max_positions + kPagePositions - 1) / kPagePositions + n_sequences - 1);
}

Result<void> KvCache::check_formats(const models::Plan& plan, const CacheFormats& formats) {
  for (const models::Step& step : plan.steps) {
    const auto* attention = std::get_if<models::AttentionStep>(&step);
    if (attention == nullptr) continue;
    for (const formats::Format* format : {formats.keys, formats.values}) {
      if (format->fits_row(attention->head_dim)) continue;
      return fail(ErrorCode::unsupported,
                  "a cache in {} takes heads in blocks of {}, but this model's have {} values; use F16", format->name,
                  format->block_values, attention->head_dim);
    }
  }
  return {};
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

KvCache::Rows KvCache::rows(int layer, int sequence, std::int64_t position, std::int64_t kv_head) {
  const Layer& l = at(layer);
  const Sequence& s = sequences_[static_cast<std::size_t>(sequence)];
  std::byte* page = pages_[s.pages[static_cast<std::size_t>(position / kPagePositions)]].data();
  const auto row = static_cast<std::size_t>(kv_head * kPagePositions + position % kPagePositions);
  return {page + l.key_offset + row * l.key_row_bytes, page + l.value_offset + row * l.value_row_bytes};
}

void KvCache::head_pages(int layer, int sequence, std::int64_t kv_head, std::vector<const void*>& keys,
                         std::vector<const void*>& values) const {
  const Layer& l = at(layer);
  const Sequence& s = sequences_[static_cast<std::size_t>(sequence)];
  const auto first_row = static_cast<std::size_t>(kv_head * kPagePositions);
  keys.clear();
  values.clear();
  for (const std::size_t page : s.pages) {
    keys.push_back(pages_[page].data() + l.key_offset + first_row * l.key_row_bytes);
    values.push_back(pages_[page].data() + l.value_offset + first_row * l.value_row_bytes);
  }
}

}  // namespace tern::engine
