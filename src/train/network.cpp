#include "train/network.hpp"

#include <algorithm>
#include <set>

#include "base/words.hpp"
#include "sys/memory.hpp"
#include "train/flops.hpp"

namespace tern::train {

/// Scratch memory for lanes: as many pieces as threads that ever worked at once. What a piece holds never matters.
class Network::ScratchPool {
 public:
  ScratchPool(std::int64_t scratch, std::int64_t temporary) : scratch_(scratch), temporary_(temporary) {}

  /// Lends a piece for the lifetime of the object.
  class Loan {
   public:
    explicit Loan(ScratchPool& pool) : pool_(pool), piece_(pool.take()) {}
    ~Loan() { pool_.give_back(std::move(piece_)); }
    Loan(const Loan&) = delete;
    Loan& operator=(const Loan&) = delete;
    [[nodiscard]] float* scratch() { return piece_.data(); }
    [[nodiscard]] float* temporary() { return piece_.data() + pool_.scratch_; }

   private:
    ScratchPool& pool_;
    Floats piece_;
  };

 private:
  Floats take() {
    const std::lock_guard lock(mutex_);
    if (free_.empty()) return Floats(scratch_ + temporary_);
    Floats piece = std::move(free_.back());
    free_.pop_back();
    return piece;
  }
  void give_back(Floats piece) {
    const std::lock_guard lock(mutex_);
    free_.push_back(std::move(piece));
  }

  std::int64_t scratch_;
  std::int64_t temporary_;
  std::mutex mutex_;
  std::vector<Floats> free_;
};

Result<std::unique_ptr<Network>> Network::make(const models::Plan& plan, Parameters& parameters, Weights& weights,
                                               const linalg::Blas& blas, const kernels::Kernels& kernels, Size size,
                                               sys::ThreadPool& pool) {
  TERN_CHECK(size.n_tokens > 0 && size.n_sequences > 0);
  if (plan.steps.empty() || !std::holds_alternative<models::HeadStep>(plan.steps.back())) {
    return fail(ErrorCode::unsupported, "the model ends in pooling; Tern trains models that predict the next token");
  }
  // The same layout, with the rounded inputs that linear steps will ask for: enough to say no before memory is taken.
  PlanLayout probe(plan, weights.options().activation_bits != 0);
  for (const models::Step& step : plan.steps) {
    const auto* linear = std::get_if<models::LinearStep>(&step);
    if (linear != nullptr && weights.options().activation_bits != 0) static_cast<void>(probe.rounded(linear->in));
  }
  const double needed = 4.0 * static_cast<double>(probe.saved_width()) * static_cast<double>(size.n_tokens) *
                        static_cast<double>(size.n_sequences);
  const std::uint64_t available = sys::available_memory();
  if (needed > static_cast<double>(available)) {
    return fail(ErrorCode::out_of_memory,
                "{} sequences of {} tokens at once need {}, but only {} of memory are free; use a smaller microbatch",
                size.n_sequences, size.n_tokens, human_bytes(static_cast<std::uint64_t>(std::min(needed, 1e18))),
                human_bytes(available));
  }
  try {
    return std::unique_ptr<Network>(
        new Network(plan, {blas, kernels, &parameters, &weights, size.n_tokens}, size, pool));
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::out_of_memory, "not enough memory to train; use a smaller microbatch or context");
  }
}

namespace {

/// Pieces of gradients may be added in any order by any thread because no two steps have a tensor in common (embedding
/// and head, which may, never work at the same time).
bool shares_no_tensor(const models::Plan& plan) {
  std::set<models::TensorId> seen;
  const auto is_new = [&](models::TensorId id) { return id == models::kNone || seen.insert(id).second; };
  return std::ranges::all_of(plan.steps, [&](const models::Step& step) {
    if (const auto* linear = std::get_if<models::LinearStep>(&step))
      return is_new(linear->weight) && is_new(linear->bias);
    if (const auto* norm = std::get_if<models::NormStep>(&step)) return is_new(norm->weight) && is_new(norm->bias);
    return true;
  });
}

}  // namespace

Network::Network(const models::Plan& plan, Shared shared, Size size, sys::ThreadPool& pool)
    : shared_(std::move(shared)),
      size_(size),
      pool_(pool),
      layout_(plan, shared_.weights->options().activation_bits != 0),
      flops_per_token_(flops_of_training(plan, size.n_tokens)) {
  TERN_CHECK(shares_no_tensor(plan));
  for (std::size_t i = 0; i < plan.steps.size(); ++i) {
    layout_.begin(i);
    std::visit(
        [&](const auto& step) {
          using Kind = std::decay_t<decltype(step)>;
          if constexpr (std::is_same_v<Kind, models::HeadStep>) {
            head_ = std::make_unique<Head>(step, shared_, layout_);
          } else if constexpr (!std::is_same_v<Kind, models::PoolStep>) {
            steps_.push_back(make_step(step, shared_, layout_));
          }
        },
        plan.steps[i]);
  }
  const std::int64_t all_tokens = size.n_tokens * size.n_sequences;
  saved_ = Floats(layout_.saved_width() * all_tokens);
  partials_ = Floats(layout_.partial_width() * size.n_sequences);
  const std::int64_t scratch = layout_.scratch_width() * size.n_tokens;
  scratch_ = std::make_unique<ScratchPool>(scratch, layout_.temporary_floats());
  losses_.resize(static_cast<std::size_t>(all_tokens));
}

Network::~Network() = default;

void Network::begin() {
  for (const StepPointer& step : steps_) step->begin();
}

Microbatch Network::microbatch(std::span<const std::int32_t> tokens) {
  return {.n_sequences = std::ssize(tokens) / (size_.n_tokens + 1),
          .n_tokens = size_.n_tokens,
          .tokens = tokens.data(),
          .saved = saved_.data(),
          .partials = partials_.data()};
}

void Network::forward(const Microbatch& batch) {
  pool_.parallel_for(batch.n_sequences, 1, [&](std::int64_t begin, std::int64_t end) {
    ScratchPool::Loan memory(*scratch_);
    for (std::int64_t s = begin; s < end; ++s) {
      const Lane lane{&batch, s, memory.scratch(), memory.temporary()};
      for (const StepPointer& step : steps_) step->forward(lane);
    }
  });
}

void Network::backward(const Microbatch& batch) {
  std::fill_n(batch.partials, layout_.partial_width() * batch.n_sequences, 0.0F);
  pool_.parallel_for(batch.n_sequences, 1, [&](std::int64_t begin, std::int64_t end) {
    ScratchPool::Loan memory(*scratch_);
    for (std::int64_t s = begin; s < end; ++s) {
      const Lane lane{&batch, s, memory.scratch(), memory.temporary()};
      for (std::size_t i = steps_.size(); i-- > 0;) steps_[i]->backward(lane);
    }
  });
}

void Network::add_gradients(const Microbatch& batch) {
  struct Piece {
    const TrainStep* step;
    std::int64_t number;
  };
  std::vector<Piece> pieces;
  for (const StepPointer& step : steps_) {
    for (std::int64_t i = 0; i < step->n_pieces(batch); ++i) pieces.push_back({step.get(), i});
  }
  pool_.parallel_for(std::ssize(pieces), 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const Piece& piece = pieces[static_cast<std::size_t>(i)];
      piece.step->add_gradient(batch, piece.number);
    }
  });
}

template <class F>
void Network::each_microbatch(std::span<const std::int32_t> tokens, F f) {
  const auto row = static_cast<std::size_t>(size_.n_tokens + 1);
  TERN_CHECK(tokens.size() % row == 0);
  while (!tokens.empty()) {
    const auto part = tokens.first(std::min(tokens.size(), row * static_cast<std::size_t>(size_.n_sequences)));
    f(microbatch(part));
    tokens = tokens.subspan(part.size());
  }
}

double Network::forward_backward(std::span<const std::int32_t> tokens, float factor) {
  double sum = 0.0;
  each_microbatch(tokens, [&](const Microbatch& batch) {
    forward(batch);
    head_->forward_backward(batch, factor, pool_, losses_.data());
    backward(batch);
    add_gradients(batch);
    for (std::int64_t t = 0; t < batch.all_tokens(); ++t)
      sum += static_cast<double>(losses_[static_cast<std::size_t>(t)]);
  });
  return sum;
}

std::vector<float> Network::losses(std::span<const std::int32_t> tokens) {
  std::vector<float> out;
  each_microbatch(tokens, [&](const Microbatch& batch) {
    forward(batch);
    head_->forward(batch, pool_, losses_.data());
    out.insert(out.end(), losses_.begin(), losses_.begin() + batch.all_tokens());
  });
  return out;
}

std::vector<float> Network::logits(std::span<const std::int32_t> tokens) {
  std::vector<float> out;
  each_microbatch(tokens, [&](const Microbatch& batch) {
    forward(batch);
    const std::size_t before = out.size();
    out.resize(before + static_cast<std::size_t>(batch.all_tokens() * head_->n_vocab()));
    head_->logits(batch, pool_, out.data() + before);
  });
  return out;
}

}  // namespace tern::train
