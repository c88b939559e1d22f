// Runs tests of a benchmark on one model with one number of threads: the same tokens every time, which follow from
// sequence and position alone. Every depth has sequences of its own: a context that is once filled to it serves every
// later test of that depth, however tests of other depths come in between. Not generation as people use it: nothing is
// sampled, and the next token does not depend on the last one's logits.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "base/progress.hpp"
#include "engine/session.hpp"
#include "lab/bench_plan.hpp"
#include "lab/bench_repeat.hpp"

namespace tern::lab {

class BenchSession {
 public:
  /// A session that is large enough for every one of `tests` (not empty). n_batch 0: the engine's own. The context may
  /// be longer than what the model was trained with. Errors: those of Session::make; usage for an embedding model that
  /// is to generate.
  [[nodiscard]] static Result<BenchSession> make(std::shared_ptr<const engine::Model> model, int n_threads,
                                                 std::span<const BenchTest> tests, std::int64_t n_batch,
                                                 const engine::CacheFormats& cache);

  /// The seconds that the test took, and who disturbed it; filling the context up to its depth is not timed. Errors:
  /// the session's; cancelled.
  [[nodiscard]] Result<Timed> run(const BenchTest& test, const Progress& progress);

  /// The same test with a clock at every operation: the fastest of a few runs. Errors: as run().
  [[nodiscard]] Result<engine::OpTimes> time_operations(const BenchTest& test, const Progress& progress);

  /// By operation, what the last run left out.
  [[nodiscard]] std::span<const ops::PassedOver> passed_over() const { return passed_over_; }
  [[nodiscard]] std::int64_t n_batch() const { return session_->options().n_batch; }
  /// Bytes of one position in the cache over all layers.
  [[nodiscard]] double kv_bytes_per_position() const;

 private:
  BenchSession() = default;
  /// The first of the sequences that belong to the test's depth.
  [[nodiscard]] int first_sequence(const BenchTest& test) const;
  [[nodiscard]] std::int32_t token(int sequence, std::int64_t position) const;
  [[nodiscard]] Result<void> go_to(const BenchTest& test, const Progress& progress);
  [[nodiscard]] std::vector<engine::BatchItem> prompt_of(const BenchTest& test) const;

  [[nodiscard]] Result<void> decode_all(const BenchTest& test, const Progress& progress);

  std::unique_ptr<engine::Session> session_;
  std::vector<ops::PassedOver> passed_over_;
  std::vector<std::int64_t> depths_;
  int n_sequences_ = 1;  // of each depth
};

}  // namespace tern::lab
