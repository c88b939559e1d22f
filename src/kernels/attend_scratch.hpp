// The scratch memory of attention: how much it is, and how it is cut up. Local to every file that includes this: the
// sets are compiled for different instructions.
#pragma once

#include <cstdint>

namespace tern::kernels {
namespace {

struct AttendScratch {
  std::int64_t width;  // head_dim with zeros up to a multiple of 16
  float* q;            // [n_queries][width]
  float* sums;         // [n_queries][width] weighted values, not yet divided
  float* page;         // [page_positions][width] keys, then values
  float* scores;       // [n_queries][page_positions], then weights; those of places that are not seen: 0
  float* top;          // [n_queries] the largest score so far
  float* total;        // [n_queries] the sum of the weights

  static constexpr std::int64_t width_of(std::int64_t head_dim) { return (head_dim + 15) / 16 * 16; }
  /// Floats in all.
  static constexpr std::int64_t size(std::int64_t n_queries, std::int64_t head_dim, std::int64_t page_positions) {
    return (2 * n_queries + page_positions) * width_of(head_dim) + n_queries * (page_positions + 2);
  }
  AttendScratch(float* memory, std::int64_t n_queries, std::int64_t head_dim, std::int64_t page_positions)
      : width(width_of(head_dim)),
        q(memory),
        sums(q + n_queries * width),
        page(sums + n_queries * width),
        scores(page + page_positions * width),
        top(scores + n_queries * page_positions),
        total(top + n_queries) {}
};

}  // namespace
}  // namespace tern::kernels
