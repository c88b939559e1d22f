#include "engine/session.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <mutex>
#include <new>
#include <optional>

#include "base/words.hpp"
#include "sys/clock.hpp"
#include "sys/memory.hpp"

namespace tern::engine {
namespace {

SessionOptions with_defaults(SessionOptions options, const Model& model) {
  if (options.n_ctx == 0) options.n_ctx = model.parameters().n_ctx_train;
  return options;
}

/// Adds the time for which it lives to `*sum`; null: nothing, and no clock is read.
class AddTime {
 public:
  explicit AddTime(double* sum) : sum_(sum) {
    if (sum_ != nullptr) watch_.emplace();
  }
  ~AddTime() {
    if (sum_ != nullptr) *sum_ += watch_->seconds();
  }
  AddTime(const AddTime&) = delete;
  AddTime& operator=(const AddTime&) = delete;

 private:
  double* sum_;
  std::optional<sys::Stopwatch> watch_;
};

}  // namespace

Session::Session(std::shared_ptr<const Model> model, const SessionOptions& options)
    : model_(std::move(model)),
      options_(options),
      pool_(options.n_threads),
      cache_(model_->file().plan(), options.cache, options.n_sequences, options.n_ctx * options.n_sequences),
      slots_(model_->plan().slot_widths(), options.n_batch),
      token_ops_(model_->plan(), model_->kernels(), slots_) {
  const std::vector<Op>& ops = model_->plan().ops();
  ahead_.resize(ops.size());
  cuts_.resize(ops.size());
  passed_over_.resize(ops.size());
  for (std::size_t i = 0; pool_.n_threads() > 1 && i < ops.size(); ++i) ahead_[i] = weights_ahead(ops, i, pool_);
  if (model_->plan().pooling() != models::Pooling::none) {
    pooled_ = Pool(model_->plan().pooling(), model_->plan().embedding_width(), options.n_sequences);
  }
}

Result<std::unique_ptr<Session>> Session::make(std::shared_ptr<const Model> model, const SessionOptions& wanted) {
  SessionOptions options = with_defaults(wanted, *model);
  if (options.n_threads < 1 || options.n_threads > 1024) {
    return fail(ErrorCode::usage, "number of threads is {}, expected 1 to 1024", options.n_threads);
  }
  if (options.n_ctx < 1 || options.n_sequences < 1 || options.n_batch < 1) {
    return fail(ErrorCode::usage, "context {}, sequences {} and batch {} must be at least 1", options.n_ctx,
                options.n_sequences, options.n_batch);
  }
  // Bounds beyond any use, so that no product below overflows.
  if (options.n_ctx > std::int64_t{1} << 30 || options.n_sequences > 65536) {
    return fail(ErrorCode::usage, "context {} and sequences {} must be at most {} and 65536", options.n_ctx,
                options.n_sequences, std::int64_t{1} << 30);
  }
  options.n_batch = std::min({options.n_batch, options.n_ctx * options.n_sequences, std::int64_t{1} << 20});
  std::uint64_t needed = 0;
  for (const std::int64_t slot_width : model->plan().slot_widths()) {
    needed += static_cast<std::uint64_t>(slot_width * options.n_batch) * sizeof(float);
  }
  for (const formats::Format* format : {options.cache.keys, options.cache.values}) {
    if (model->kernels().cache(*format) != nullptr) continue;
    return fail(ErrorCode::usage, "keys and values are not kept in {}; there are {}", format->name,
                fmt::format("{}", fmt::join(kernels::cache_format_names(), ", ")));
  }
  TERN_TRY_DO(KvCache::check_formats(model->file().plan(), options.cache));
  const KvCache probe(model->file().plan(), options.cache, 1, 1);
  const std::int64_t paged_ctx =
      (options.n_ctx + KvCache::kPagePositions - 1) / KvCache::kPagePositions * KvCache::kPagePositions;
  const auto kv =
      static_cast<double>(probe.bytes_per_position()) * static_cast<double>(paged_ctx) * options.n_sequences;
  const double total = static_cast<double>(needed) + kv;
  const std::uint64_t available = sys::available_memory();
  if (total > static_cast<double>(available)) {
    return fail(
        ErrorCode::out_of_memory,
        "a context of {} tokens x {} sequences needs {}, but only {} of memory are free; use a smaller context (-c)",
        options.n_ctx, options.n_sequences, human_bytes(static_cast<std::uint64_t>(std::min(total, 1e18))),
        human_bytes(available));
  }
  try {
    return std::unique_ptr<Session>(new Session(std::move(model), options));
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::out_of_memory, "not enough memory for the session's buffers; use a smaller context (-c)");
  }
}

std::uint64_t Session::kv_bytes() const {
  return cache_.bytes_per_position() * static_cast<std::uint64_t>(options_.n_ctx * options_.n_sequences);
}

Result<void> Session::check(std::span<const BatchItem> batch) const {
  std::vector<std::int64_t> next(static_cast<std::size_t>(options_.n_sequences));
  for (int s = 0; s < options_.n_sequences; ++s) next[static_cast<std::size_t>(s)] = cache_.length(s);
  for (const BatchItem& item : batch) {
    if (item.want_logits && model_->plan().n_vocab() == 0) {
      return fail(ErrorCode::usage,
                  "this is an embedding model (pooling: {}): it has no logits to choose words by; use tern embed",
                  models::pooling_name(model_->plan().pooling()));
    }
    if (item.token < 0 || item.token >= model_->parameters().n_vocab) {
      return fail(ErrorCode::usage, "token {} is outside the vocabulary of {}", item.token,
                  model_->parameters().n_vocab);
    }
    if (item.sequence < 0 || item.sequence >= options_.n_sequences) {
      return fail(ErrorCode::usage, "sequence {} of {} does not exist", item.sequence, options_.n_sequences);
    }
    auto& expected = next[static_cast<std::size_t>(item.sequence)];
    if (item.position != expected) {
      return fail(ErrorCode::usage, "position {} does not continue sequence {}, which has {} tokens", item.position,
                  item.sequence, expected);
    }
    if (++expected > options_.n_ctx) {
      return fail(ErrorCode::usage, "the text is longer than the context of {} tokens; use a larger context (-c)",
                  options_.n_ctx);
    }
  }
  return {};
}

Result<void> Session::decode(std::span<const BatchItem> batch) {
  TERN_TRY_DO(check(batch));
  std::vector<std::int64_t> before;
  for (int s = 0; s < options_.n_sequences; ++s) before.push_back(cache_.length(s));
  const auto wanted = static_cast<std::size_t>(std::ranges::count(batch, true, &BatchItem::want_logits));
  n_logits_ = 0;
  const std::size_t n_floats = wanted * static_cast<std::size_t>(model_->plan().n_vocab());
  constexpr std::size_t kSmall = std::size_t{1} << 26;  // floats; below, asking the system costs more than it saves
  if (n_floats > std::max(kSmall, logits_.capacity()) && n_floats > sys::available_memory() / sizeof(float)) {
    return fail(ErrorCode::out_of_memory, "no memory for the logits of {} tokens; ask for fewer at once", wanted);
  }
  auto done = [&]() -> Result<void> {
    try {
      logits_.resize(n_floats);
      while (!batch.empty()) {
        const auto part = batch.first(std::min(batch.size(), static_cast<std::size_t>(options_.n_batch)));
        for (const BatchItem& item : part) TERN_TRY_DO(cache_.extend(item.sequence, 1));
        run(part);
        batch = batch.subspan(part.size());
      }
    } catch (const std::bad_alloc&) {
      return fail(ErrorCode::out_of_memory, "no memory to compute {} tokens at once; ask for fewer", batch.size());
    }
    return {};
  }();
  if (!done) {
    n_logits_ = 0;
    for (int s = 0; s < options_.n_sequences; ++s) cache_.truncate(s, before[static_cast<std::size_t>(s)]);
  }
  return done;
}

std::span<const float> Session::logits(std::size_t i) const {
  TERN_CHECK(i < n_logits_);
  const auto n_vocab = static_cast<std::size_t>(model_->plan().n_vocab());
  return std::span(logits_).subspan(i * n_vocab, n_vocab);
}

void Session::run(std::span<const BatchItem> batch) {
  token_ops_.begin(batch);
  const std::vector<Op>& ops = model_->plan().ops();
  for (current_op_ = 0; current_op_ < ops.size(); ++current_op_) {
    const std::size_t first = current_op_;
    while (current_op_ < ops.size() && works_on_tokens_alone(ops[current_op_])) ++current_op_;
    run_on_tokens(first, current_op_, batch);
    if (current_op_ == ops.size()) return;
    const AddTime timed(times_ == nullptr ? nullptr : &times_->whole[current_op_]);
    std::visit(
        [&]<class O>(const O& op) {
          if constexpr (kOnTokensAlone<O>) {
            TERN_CHECK(false);
          } else {
            apply(op, batch);
          }
        },
        ops[current_op_]);
  }
}

void Session::run_on_tokens(std::size_t first, std::size_t last, std::span<const BatchItem> batch) {
  const auto ops = std::span(model_->plan().ops());
  const auto* product = last < ops.size() ? std::get_if<LinearOp>(&ops[last]) : nullptr;
  if (first == last && product == nullptr) return;
  std::optional<sys::Stopwatch> clock;
  if (times_ != nullptr) clock.emplace();
  if (product != nullptr) {
    const ops::Matrix& matrix = *product->parts.front().matrix;
    const SlotRows in = slots_.rows(product->in);
    columns_.begin(matrix.input_form(), model_->kernels(), in.data, in.width, std::ssize(batch), matrix.k());
  }
  // The time that all threads spend in each operation, and in rounding; it is the share of each in the time of all.
  const std::size_t n_ops = last - first;
  std::vector<double> spent(times_ == nullptr ? 0 : n_ops + 1);
  std::mutex adding;
  // Few tokens are shared out one by one. Norms and the like take microseconds each; how many at once is not critical.
  const std::int64_t n_at_once = std::clamp<std::int64_t>(std::ssize(batch) / pool_.n_threads(), 1, 4);
  pool_.parallel_for(std::ssize(batch), n_at_once, [&](std::int64_t begin, std::int64_t end) {
    std::vector<double> here(spent.size());
    for (auto t = static_cast<std::size_t>(begin); t < static_cast<std::size_t>(end); ++t) {
      for (std::size_t i = 0; i < n_ops; ++i) {
        const AddTime timed(here.empty() ? nullptr : &here[i]);
        token_ops_.run(ops[first + i], t);
      }
      if (product == nullptr) continue;
      const AddTime timed(here.empty() ? nullptr : &here[n_ops]);
      columns_.round(static_cast<std::int64_t>(t));
    }
    if (here.empty()) return;
    const std::lock_guard lock(adding);
    for (std::size_t i = 0; i < here.size(); ++i) spent[i] += here[i];
  });
  if (times_ == nullptr) return;
  double sum = 0.0;
  for (const double seconds : spent) sum += seconds;
  const double scale = sum > 0.0 ? clock->seconds() / sum : 0.0;
  for (std::size_t i = 0; i < n_ops; ++i) times_->whole[first + i] += scale * spent[i];
  if (product == nullptr) return;
  times_->whole[last] += scale * spent[n_ops];
  times_->rounding[last] += scale * spent[n_ops];
}

void Session::time_operations(OpTimes* times) {
  times_ = times;
  if (times == nullptr) return;
  times->whole.resize(model_->plan().ops().size());
  times->rounding.resize(model_->plan().ops().size());
}

template <class Products>
void Session::for_pieces(const Products& op, std::int64_t n_cols, const std::function<void(const Piece&)>& body) {
  Cut& cut = cuts_[current_op_];
  if (cut.n_cols != n_cols) cut = {n_cols, pieces_of(op, n_cols, pool_.n_threads())};
  // Many columns are bound by arithmetic: memory does not matter then.
  constexpr std::int64_t kFew = 8;
  std::span<const sys::ThreadPool::Ahead> ahead;
  if (n_cols <= kFew) ahead = ahead_[current_op_];
  pool_.parallel_for(
      std::ssize(cut.pieces), 1,
      [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; ++i) body(cut.pieces[static_cast<std::size_t>(i)]);
      },
      ahead);
}

void Session::apply(const LinearOp& op, std::span<const BatchItem> batch) {
  const std::int64_t n_cols = std::ssize(batch);
  for (const LinearOp::Part& part : op.parts) {
    const ops::PassedOver part_passed = part.matrix->passed_over(columns_);
    passed_over_[current_op_].bytes += part_passed.bytes;
    passed_over_[current_op_].products += part_passed.products;
  }
  for_pieces(op, n_cols, [&](const Piece& piece) {
    const LinearOp::Part& part = op.parts[piece.part];
    const ops::Block& block = piece.block;
    const SlotRows outs = slots_.rows(part.out);
    part.matrix->multiply(block, columns_, outs.data, outs.width);
    if (part.bias == nullptr && part.output_scale == 1.0F) return;
    for (std::int64_t t = block.first_column; t < block.last_column; ++t) {
      float* out = outs[static_cast<std::size_t>(t)];
      for (std::int64_t r = block.first_row; r < block.last_row; ++r) {
        out[r] = out[r] * part.output_scale + (part.bias == nullptr ? 0.0F : part.bias[r]);
      }
    }
  });
}

void Session::apply(const AttentionOp& op, std::span<const BatchItem> batch) {
  run_attention(op.step, batch,
                {slots_.rows(op.query), slots_.rows(op.key), slots_.rows(op.value), slots_.rows(op.out)},
                model_->kernels(), cache_, pool_);
}

void Session::apply(const PoolOp& op, std::span<const BatchItem> batch) {
  for (std::size_t t = 0; t < batch.size(); ++t)
    pooled_.add(batch[t].sequence, batch[t].position, slots_.row(op.in, t));
}

std::vector<float> Session::embedding(int sequence) const {
  TERN_CHECK(model_->plan().pooling() != models::Pooling::none);
  return pooled_.result(sequence);
}

void Session::apply(const HeadOp& op, std::span<const BatchItem> batch) {
  const auto stride = static_cast<std::size_t>((op.k + 15) / 16 * 16);
  std::vector<std::size_t> wanted;
  for (std::size_t t = 0; t < batch.size(); ++t) {
    if (batch[t].want_logits) wanted.push_back(t);
  }
  if (wanted.empty()) return;
  const std::size_t needed = wanted.size() * stride * sizeof(float);
  if (head_input_.size() < needed) head_input_ = AlignedBuffer(needed);
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    std::memcpy(head_input_.as<float>() + i * stride, slots_.row(op.in, wanted[i]),
                static_cast<std::size_t>(op.k) * sizeof(float));
  }
  const auto n_cols = std::ssize(wanted);
  {
    const AddTime timed(times_ == nullptr ? nullptr : &times_->rounding[current_op_]);
    columns_.prepare(op.matrix->input_form(), model_->kernels(), head_input_.as<float>(), stride, n_cols, op.k, pool_);
  }
  const auto n_vocab = static_cast<std::size_t>(op.matrix->n_rows());
  float* out = logits_.data() + n_logits_ * n_vocab;
  for_pieces(op, n_cols, [&](const Piece& piece) {
    const ops::Block& block = piece.block;
    op.matrix->multiply(block, columns_, out, n_vocab);
    if (op.soft_cap == 0.0F) return;
    for (std::int64_t c = block.first_column; c < block.last_column; ++c) {
      for (std::int64_t r = block.first_row; r < block.last_row; ++r) {
        float& logit = out[static_cast<std::size_t>(c) * n_vocab + static_cast<std::size_t>(r)];
        logit = op.soft_cap * std::tanh(logit / op.soft_cap);
      }
    }
  });
  n_logits_ += wanted.size();
}

}  // namespace tern::engine
