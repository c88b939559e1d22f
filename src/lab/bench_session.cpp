// Implementation of bench_session.hpp.
#include "lab/bench_session.hpp"

#include <algorithm>

#include "base/random.hpp"

namespace tern::lab {
namespace {

Error stopped() {
  return {.code = ErrorCode::cancelled, .message = "stopped while measuring"};
}

}  // namespace

Result<BenchSession> BenchSession::make(std::shared_ptr<const engine::Model> model, int n_threads,
                                        std::span<const BenchTest> tests, std::int64_t n_batch,
                                        const engine::CacheFormats& cache) {
  TERN_CHECK(!tests.empty());
  BenchSession made;
  engine::SessionOptions options{.n_threads = n_threads, .cache = cache};
  if (n_batch > 0) options.n_batch = n_batch;
  options.n_ctx = 1;
  for (const BenchTest& test : tests) {
    options.n_ctx = std::max(options.n_ctx, test.n_ctx());
    made.n_sequences_ = std::max(made.n_sequences_, test.n_sequences);
    if (std::ranges::find(made.depths_, test.n_depth) == made.depths_.end()) made.depths_.push_back(test.n_depth);
    if (test.generates() && model->plan().n_vocab() == 0) {
      return fail(ErrorCode::usage,
                  "this is an embedding model, which generates nothing: use -n 0 to time prompts alone");
    }
  }
  // Lists of tests are short; what is too many the session refuses.
  options.n_sequences = made.n_sequences_ * static_cast<int>(made.depths_.size());
  auto session = engine::Session::make(std::move(model), options);
  if (!session) return in_context("the tests of -p, -n, -d and -s", std::move(session).error());
  made.session_ = std::move(*session);
  return made;
}

double BenchSession::kv_bytes_per_position() const {
  const engine::SessionOptions& options = session_->options();
  return static_cast<double>(session_->kv_bytes()) /
         (static_cast<double>(options.n_ctx) * static_cast<double>(options.n_sequences));
}

std::int32_t BenchSession::token(int sequence, std::int64_t position) const {
  const auto n_vocab = static_cast<std::uint64_t>(session_->model().parameters().n_vocab);
  const std::uint64_t place = static_cast<std::uint64_t>(sequence) << 32 | static_cast<std::uint64_t>(position);
  return static_cast<std::int32_t>(Random(place).below(n_vocab));
}

int BenchSession::first_sequence(const BenchTest& test) const {
  const auto depth = std::ranges::find(depths_, test.n_depth);
  TERN_CHECK(depth != depths_.end());
  return static_cast<int>(depth - depths_.begin()) * n_sequences_;
}

// Every sequence of the test holds n_depth positions.
Result<void> BenchSession::go_to(const BenchTest& test, const Progress& progress) {
  for (int i = 0; i < test.n_sequences; ++i) {
    const int s = first_sequence(test) + i;
    if (session_->length(s) > test.n_depth) session_->truncate(s, test.n_depth);
    while (session_->length(s) < test.n_depth) {
      if (progress.cancelled()) return std::unexpected(stopped());
      const std::int64_t first = session_->length(s);
      std::vector<engine::BatchItem> items;
      for (std::int64_t p = first; p < std::min(test.n_depth, first + n_batch()); ++p) {
        items.push_back({token(s, p), static_cast<std::int32_t>(p), s, false});
      }
      TERN_TRY_DO(session_->decode(items));
    }
  }
  return {};
}

std::vector<engine::BatchItem> BenchSession::prompt_of(const BenchTest& test) const {
  const bool has_head = session_->model().plan().n_vocab() > 0;
  std::vector<engine::BatchItem> items;
  for (int i = 0; i < test.n_sequences; ++i) {
    const int s = first_sequence(test) + i;
    const std::int64_t end = test.n_depth + test.n_prompt;
    for (std::int64_t p = test.n_depth; p < end; ++p) {
      items.push_back({token(s, p), static_cast<std::int32_t>(p), s, has_head && p + 1 == end});
    }
  }
  return items;
}

Result<Timed> BenchSession::run(const BenchTest& test, const Progress& progress) {
  TERN_TRY_DO(go_to(test, progress));
  const auto before = session_->passed_over();
  passed_over_.assign(before.begin(), before.end());
  TERN_TRY(const Timed done, timed(test.n_threads, [&] { return decode_all(test, progress); }));
  for (std::size_t i = 0; i < passed_over_.size(); ++i) {
    const ops::PassedOver& now = session_->passed_over()[i];
    passed_over_[i] = {.bytes = now.bytes - passed_over_[i].bytes, .products = now.products - passed_over_[i].products};
  }
  return done;
}

Result<void> BenchSession::decode_all(const BenchTest& test, const Progress& progress) {
  if (!test.generates()) return session_->decode(prompt_of(test));
  const int first = first_sequence(test);
  std::vector<engine::BatchItem> items(static_cast<std::size_t>(test.n_sequences));
  for (std::int64_t p = test.n_depth; p < test.n_depth + test.n_gen; ++p) {
    if (progress.cancelled()) return std::unexpected(stopped());
    for (int i = 0; i < test.n_sequences; ++i) {
      const int s = first + i;
      items[static_cast<std::size_t>(i)] = {token(s, p), static_cast<std::int32_t>(p), s, true};
    }
    TERN_TRY_DO(session_->decode(items));
  }
  return {};
}

Result<engine::OpTimes> BenchSession::time_operations(const BenchTest& test, const Progress& progress) {
  constexpr int kRuns = 3;
  engine::OpTimes best;
  double least = 0.0;
  for (int i = 0; i < kRuns; ++i) {
    TERN_TRY_DO(go_to(test, progress));  // not timed
    engine::OpTimes times;
    session_->time_operations(&times);
    const auto done = run(test, progress);
    session_->time_operations(nullptr);
    if (!done) return std::unexpected(done.error());
    if (i == 0 || done->seconds < least) {
      least = done->seconds;
      best = std::move(times);
    }
  }
  return best;
}

}  // namespace tern::lab
