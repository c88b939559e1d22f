#include "train/steps/head.hpp"

#include <algorithm>
#include <cmath>

#include "train/loops.hpp"
#include "train/steps/tiles.hpp"

namespace tern::train {
Head::Head(const models::HeadStep& step, const Shared& shared, const Layout& layout)
    : shared_(shared),
      weight_(shared.parameters->of(step.weight)),
      soft_cap_(step.soft_cap),
      in_(layout.value(step.in)),
      d_in_(layout.gradient(step.in)),
      tile_(head_tile(n_vocab())),
      block_(head_block(n_vocab())),
      scores_(block_ * n_vocab()),
      slopes_(soft_cap_ == 0.0F ? 0 : block_ / tile_ * n_vocab()) {}

void Head::multiply(const Microbatch& batch, std::int64_t token, std::int64_t n, float* out) const {
  shared_.blas.multiply(n, n_vocab(), in_.width, 1.0F, {batch.at(in_) + token * in_.width, in_.width},
                        {weight_->master.data(), in_.width, true}, 0.0F, out, n_vocab());
}

void Head::forward(const Microbatch& batch, sys::ThreadPool& pool, float* losses) {
  for (std::int64_t first = 0; first < batch.all_tokens(); first += block_) {
    block_of_losses(batch, first, std::min(first + block_, batch.all_tokens()), 0.0F, pool, losses, false);
  }
}

void Head::forward_backward(const Microbatch& batch, float factor, sys::ThreadPool& pool, float* losses) {
  for (std::int64_t first = 0; first < batch.all_tokens(); first += block_) {
    const std::int64_t last = std::min(first + block_, batch.all_tokens());
    block_of_losses(batch, first, last, factor, pool, losses, true);
    const std::int64_t n_pieces = (n_vocab() + kGradientRows - 1) / kGradientRows;
    pool.parallel_for(n_pieces, 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t piece = begin; piece < end; ++piece) {
        const std::int64_t row = piece * kGradientRows;
        shared_.blas.multiply(std::min(kGradientRows, n_vocab() - row), in_.width, last - first, 1.0F,
                              {scores_.data() + row, n_vocab(), true}, {batch.at(in_) + first * in_.width, in_.width},
                              1.0F, weight_->gradient.data() + row * in_.width, in_.width);
      }
    });
  }
}

void Head::block_of_losses(const Microbatch& batch, std::int64_t first, std::int64_t last, float factor,
                           sys::ThreadPool& pool, float* losses, bool backward) {
  const std::int64_t n_tiles = (last - first + tile_ - 1) / tile_;
  pool.parallel_for(n_tiles, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t tile = begin; tile < end; ++tile) {
      const std::int64_t token = first + tile * tile_;
      const std::int64_t n = std::min(tile_, last - token);
      float* scores = scores_.data() + tile * tile_ * n_vocab();
      multiply(batch, token, n, scores);
      for (std::int64_t t = 0; t < n; ++t) {
        float* row = scores + t * n_vocab();
        float* slopes = soft_cap_ == 0.0F ? nullptr : slopes_.data() + tile * n_vocab();
        if (slopes != nullptr) {
          for (std::int64_t i = 0; i < n_vocab(); ++i) {
            const float bent = std::tanh(row[i] / soft_cap_);
            row[i] = bent * soft_cap_;
            slopes[i] = 1.0F - bent * bent;
          }
        }
        const std::int64_t place = token + t;
        const std::int32_t next = batch.tokens_of(place / batch.n_tokens)[place % batch.n_tokens + 1];
        const float most = loops::largest(row, n_vocab());
        const float score = row[next] - most;
        const float sum = loops::exponentials(n_vocab(), row);
        losses[place] = std::log(sum) - score;
        if (!backward) continue;
        loops::scale(factor / sum, n_vocab(), row);
        row[next] -= factor;
        if (slopes == nullptr) continue;
        for (std::int64_t i = 0; i < n_vocab(); ++i) row[i] *= slopes[i];
      }
      if (!backward) continue;
      shared_.blas.multiply(n, in_.width, n_vocab(), 1.0F, {scores, n_vocab()}, {weight_->master.data(), in_.width},
                            0.0F, batch.at(d_in_) + token * in_.width, in_.width);
    }
  });
}

void Head::logits(const Microbatch& batch, sys::ThreadPool& pool, float* out) const {
  pool.parallel_for(batch.all_tokens(), tile_, [&](std::int64_t begin, std::int64_t end) {
    multiply(batch, begin, end - begin, out + begin * n_vocab());
    if (soft_cap_ == 0.0F) return;
    for (std::int64_t i = begin * n_vocab(); i < end * n_vocab(); ++i) {
      out[i] = std::tanh(out[i] / soft_cap_) * soft_cap_;
    }
  });
}

}  // namespace tern::train
