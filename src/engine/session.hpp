// Runs batches through a model: an array of {token, position, sequence, want_logits} in, logits of the asked-for tokens
// out. One prompt is the simplest batch. Within one instruction set the logits of a token depend on its sequence's
// tokens alone: not on threads, on how the prompt was split into batches, or on what else is in the batch.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "engine/attention.hpp"
#include "engine/batch.hpp"
#include "engine/kv_cache.hpp"
#include "engine/model.hpp"
#include "engine/op_times.hpp"
#include "engine/pieces.hpp"
#include "engine/pool.hpp"
#include "engine/slots.hpp"
#include "engine/token_ops.hpp"
#include "ops/columns.hpp"
#include "sys/thread_pool.hpp"

namespace tern::engine {

struct SessionOptions {
  int n_threads = 1;
  std::int64_t n_ctx = 0;  // positions a sequence may have; 0: what the model was trained with
  int n_sequences = 1;
  std::int64_t n_batch = 256;  // tokens computed at once; a longer batch is cut, without effect on the result
  CacheFormats cache = {};
};

class Session {
 public:
  /// Errors: out_of_memory when the buffers cannot fit; usage for impossible options.
  [[nodiscard]] static Result<std::unique_ptr<Session>> make(std::shared_ptr<const Model> model,
                                                             const SessionOptions& options);

  /// Runs the items in order. Errors: usage (token outside the vocabulary, position that does not continue its
  /// sequence, context full: both numbers are named); the sequences are then as before.
  [[nodiscard]] Result<void> decode(std::span<const BatchItem> batch);

  /// Logits [n_vocab] of the i-th item of the last batch that wanted them.
  [[nodiscard]] std::span<const float> logits(std::size_t i) const;
  [[nodiscard]] std::size_t n_logits() const { return n_logits_; }

  /// The pooled vector [embedding_width] of a sequence, all of whose tokens went through decode(). Requires a model
  /// that ends in pooling and at least one token.
  [[nodiscard]] std::vector<float> embedding(int sequence) const;

  /// Positions a sequence holds; forgetting them from `length` on.
  [[nodiscard]] std::int64_t length(int sequence) const { return cache_.length(sequence); }
  void truncate(int sequence, std::int64_t length) { cache_.truncate(sequence, length); }

  /// From now on the time of each operation is added to `times`, which must outlive the session or the next call; null:
  /// no longer. Vectors are made as long as the plan. Costs some 50 nanoseconds an operation, of those that work on
  /// tokens alone as much for each token.
  void time_operations(OpTimes* times);

  /// By operation of the plan, what products have left out since the session began.
  [[nodiscard]] std::span<const ops::PassedOver> passed_over() const { return passed_over_; }

  [[nodiscard]] const Model& model() const { return *model_; }
  [[nodiscard]] const SessionOptions& options() const { return options_; }
  [[nodiscard]] std::uint64_t kv_bytes() const;

 private:
  Session(std::shared_ptr<const Model> model, const SessionOptions& options);
  [[nodiscard]] Result<void> check(std::span<const BatchItem> batch) const;
  void run(std::span<const BatchItem> batch);

  /// Runs the operations [first, last), none or some, which work on tokens alone, and rounds the input of a LinearOp
  /// behind them into columns_.
  void run_on_tokens(std::size_t first, std::size_t last, std::span<const BatchItem> batch);
  /// `body` for all pieces of the products of the current operation, which have n_cols columns.
  template <class Products>
  void for_pieces(const Products& op, std::int64_t n_cols, const std::function<void(const Piece&)>& body);

  void apply(const LinearOp& op, std::span<const BatchItem> batch);
  void apply(const AttentionOp& op, std::span<const BatchItem> batch);
  void apply(const PoolOp& op, std::span<const BatchItem> batch);
  void apply(const HeadOp& op, std::span<const BatchItem> batch);

  struct Cut {
    std::int64_t n_cols = 0;
    std::vector<Piece> pieces;
  };

  std::shared_ptr<const Model> model_;
  SessionOptions options_;
  sys::ThreadPool pool_;
  KvCache cache_;
  Slots slots_;
  TokenOps token_ops_;
  ops::Columns columns_;
  AlignedBuffer head_input_;
  Pool pooled_;
  std::vector<float> logits_;  // [n_logits][n_vocab]
  std::size_t n_logits_ = 0;
  std::size_t current_op_ = 0;
  std::vector<std::vector<sys::ThreadPool::Ahead>> ahead_;  // [ops]: pieces.hpp
  std::vector<Cut> cuts_;                                   // [ops]: as in the last step
  OpTimes* times_ = nullptr;
  std::vector<ops::PassedOver> passed_over_;  // [ops]
};

}  // namespace tern::engine
