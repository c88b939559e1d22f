// Attention of a sequence over itself, in tiles of queries: scores of a tile against the keys it may see, softmax,
// values. Nothing is kept for the backward pass but queries, keys and values: it computes the scores again, which is
// cheaper than to store them (the idea of arXiv 2205.14135).
#include <algorithm>
#include <cmath>

#include "train/loops.hpp"
#include "train/steps/step.hpp"

namespace tern::train {
namespace {

class Attention final : public TrainStep {
 public:
  Attention(const models::AttentionStep& step, const Shared& shared, Layout& layout)
      : shared_(shared),
        step_(step),
        q_(layout.value(step.query)),
        k_(layout.value(step.key)),
        v_(layout.value(step.value)),
        out_(layout.value(step.out)),
        d_q_(layout.gradient(step.query)),
        d_k_(layout.gradient(step.key)),
        d_v_(layout.gradient(step.value)),
        d_out_(layout.gradient(step.out)),
        begins_q_(!layout.accumulates(step.query)),
        begins_k_(!layout.accumulates(step.key)),
        begins_v_(!layout.accumulates(step.value)) {
    layout.want_temporary(3 * kTile * shared.n_tokens);
  }

  void forward(const Lane& lane) const override {
    float* scores = lane.temporary;
    for (std::int64_t head = 0; head < step_.n_heads; ++head) {
      for (std::int64_t first = 0; first < lane.n_tokens(); first += kTile) {
        const Tile tile = tile_at(lane, head, first);
        weights(lane, tile, scores, nullptr);
        multiply(tile.n_rows, step_.head_dim, tile.n_keys, 1.0F, {scores, tile.n_keys},
                 {lane.at(v_) + tile.first_key * v_.width + tile.kv_column, v_.width}, 0.0F,
                 lane.at(out_) + first * out_.width + tile.column, out_.width);
      }
    }
  }

  void backward(const Lane& lane) const override {
    if (begins_k_) std::fill_n(lane.at(d_k_), lane.n_tokens() * k_.width, 0.0F);
    if (begins_v_) std::fill_n(lane.at(d_v_), lane.n_tokens() * v_.width, 0.0F);
    float* p = lane.temporary;
    float* d = p + kTile * lane.n_tokens();
    float* slopes = d + kTile * lane.n_tokens();
    for (std::int64_t head = 0; head < step_.n_heads; ++head) {
      for (std::int64_t first = 0; first < lane.n_tokens(); first += kTile) {
        const Tile tile = tile_at(lane, head, first);
        const bool capped = step_.soft_cap != 0.0F;
        weights(lane, tile, p, capped ? slopes : nullptr);
        const std::int64_t key = tile.first_key;
        const float* d_out = lane.at(d_out_) + first * out_.width + tile.column;
        multiply(tile.n_keys, step_.head_dim, tile.n_rows, 1.0F, {p, tile.n_keys, true}, {d_out, out_.width}, 1.0F,
                 lane.at(d_v_) + key * v_.width + tile.kv_column, v_.width);
        multiply(tile.n_rows, tile.n_keys, step_.head_dim, 1.0F, {d_out, out_.width},
                 {lane.at(v_) + key * v_.width + tile.kv_column, v_.width, true}, 0.0F, d, tile.n_keys);
        for (std::int64_t r = 0; r < tile.n_rows; ++r) {
          const Seen seen = seen_by(tile, r);
          float* row = d + r * tile.n_keys;
          std::fill_n(row, seen.first, 0.0F);
          loops::softmax_backward(p + r * tile.n_keys + seen.first, step_.scale, seen.last - seen.first,
                                  row + seen.first);
          std::fill(row + seen.last, row + tile.n_keys, 0.0F);
          if (!capped) continue;
          for (std::int64_t i = seen.first; i < seen.last; ++i) row[i] *= slopes[r * tile.n_keys + i];
        }
        multiply(tile.n_rows, step_.head_dim, tile.n_keys, 1.0F, {d, tile.n_keys},
                 {lane.at(k_) + key * k_.width + tile.kv_column, k_.width}, begins_q_ ? 0.0F : 1.0F,
                 lane.at(d_q_) + first * q_.width + tile.column, q_.width);
        multiply(tile.n_keys, step_.head_dim, tile.n_rows, 1.0F, {d, tile.n_keys, true},
                 {lane.at(q_) + first * q_.width + tile.column, q_.width}, 1.0F,
                 lane.at(d_k_) + key * k_.width + tile.kv_column, k_.width);
      }
    }
  }

 private:
  static constexpr std::int64_t kTile = 64;

  /// Some queries of a head, and the keys that any of them sees.
  struct Tile {
    std::int64_t column;     // of the head in a query
    std::int64_t kv_column;  // and in a key or value
    std::int64_t first;
    std::int64_t n_rows;
    std::int64_t first_key;
    std::int64_t n_keys;
  };
  struct Seen {
    std::int64_t first;  // keys of the tile that a query sees: [first, last)
    std::int64_t last;
  };

  [[nodiscard]] Tile tile_at(const Lane& lane, std::int64_t head, std::int64_t first) const {
    Tile tile{};
    tile.column = head * step_.head_dim;
    tile.kv_column = head / (step_.n_heads / step_.n_kv_heads) * step_.head_dim;
    tile.first = first;
    tile.n_rows = std::min(kTile, lane.n_tokens() - first);
    tile.first_key = step_.window == 0 ? 0 : std::max<std::int64_t>(0, first + 1 - step_.window);
    tile.n_keys = (step_.causal ? first + tile.n_rows : lane.n_tokens()) - tile.first_key;
    return tile;
  }

  [[nodiscard]] Seen seen_by(const Tile& tile, std::int64_t row) const {
    const std::int64_t position = tile.first + row;
    const std::int64_t first = step_.window == 0 ? 0 : std::max<std::int64_t>(0, position + 1 - step_.window);
    return {first - tile.first_key, step_.causal ? position + 1 - tile.first_key : tile.n_keys};
  }

  // p [n_rows, n_keys]: the softmax of each query's scores, zero for keys it does not see. `slopes`, of the same shape,
  // gets the slope of the soft cap at each score.
  void weights(const Lane& lane, const Tile& tile, float* p, float* slopes) const {
    multiply(tile.n_rows, tile.n_keys, step_.head_dim, step_.scale,
             {lane.at(q_) + tile.first * q_.width + tile.column, q_.width},
             {lane.at(k_) + tile.first_key * k_.width + tile.kv_column, k_.width, true}, 0.0F, p, tile.n_keys);
    for (std::int64_t r = 0; r < tile.n_rows; ++r) {
      const Seen seen = seen_by(tile, r);
      float* row = p + r * tile.n_keys;
      if (step_.soft_cap != 0.0F) {
        for (std::int64_t i = seen.first; i < seen.last; ++i) {
          const float t = std::tanh(row[i] / step_.soft_cap);
          row[i] = t * step_.soft_cap;
          if (slopes != nullptr) slopes[r * tile.n_keys + i] = 1.0F - t * t;
        }
      }
      std::fill_n(row, seen.first, 0.0F);
      std::fill(row + seen.last, row + tile.n_keys, 0.0F);
      const float sum = loops::exponentials(seen.last - seen.first, row + seen.first);
      loops::scale(1.0F / sum, seen.last - seen.first, row + seen.first);
    }
  }

  void multiply(std::int64_t m, std::int64_t n, std::int64_t k, float alpha, linalg::Operand a, linalg::Operand b,
                float beta, float* c, std::int64_t c_stride) const {
    shared_.blas.multiply(m, n, k, alpha, a, b, beta, c, c_stride);
  }

  const Shared& shared_;
  models::AttentionStep step_;
  Place q_;
  Place k_;
  Place v_;
  Place out_;
  Place d_q_;
  Place d_k_;
  Place d_v_;
  Place d_out_;
  bool begins_q_;
  bool begins_k_;
  bool begins_v_;
};

}  // namespace

StepPointer make_step(const models::AttentionStep& step, const Shared& shared, Layout& layout) {
  return std::make_unique<Attention>(step, shared, layout);
}

}  // namespace tern::train
