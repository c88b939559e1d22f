// The head of a model in training, joined with the cross-entropy: logits of a block of tokens, their losses, and back,
// so that [tokens x vocabulary] is never stored whole. It works on all sequences of a microbatch at once, between the
// forward and the backward pass of the other steps.
#pragma once

#include <cstdint>
#include <vector>

#include "sys/thread_pool.hpp"
#include "train/steps/step.hpp"

namespace tern::train {

class Head {
 public:
  Head(const models::HeadStep& step, const Shared& shared, const Layout& layout);

  [[nodiscard]] std::int64_t n_vocab() const { return weight_->shape.n_rows(); }
  /// Losses in nats, -log p(next token), of every token of the microbatch: `losses` [all_tokens].
  void forward(const Microbatch& batch, sys::ThreadPool& pool, float* losses);
  /// The same, with the gradients of factor * (sum of the losses) for the head's input and table.
  void forward_backward(const Microbatch& batch, float factor, sys::ThreadPool& pool, float* losses);
  /// logits [all_tokens, n_vocab]
  void logits(const Microbatch& batch, sys::ThreadPool& pool, float* out) const;

 private:
  void block_of_losses(const Microbatch& batch, std::int64_t first, std::int64_t last, float factor,
                       sys::ThreadPool& pool, float* losses, bool backward);
  void multiply(const Microbatch& batch, std::int64_t token, std::int64_t n, float* out) const;

  const Shared& shared_;
  Parameter* weight_;
  float soft_cap_;
  Place in_;
  Place d_in_;
  std::int64_t tile_;   // tokens a thread takes at once
  std::int64_t block_;  // tokens whose logits are held at once
  Floats scores_;       // [block, n_vocab]
  Floats slopes_;       // of the soft cap, [block / tile, n_vocab]: a row for each tile; empty without
};

}  // namespace tern::train
