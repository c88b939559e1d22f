#include "engine/compiled_plan.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "models/rope_scaling.hpp"
#include "models/slots.hpp"
#include "sys/cpu.hpp"
#include "sys/thread_pool.hpp"

namespace tern::engine {
namespace {

using models::kNone;

ops::Rounding rounding_of(const models::ActivationPolicy& policy) {
  switch (policy.mode) {
    case models::ActivationPolicy::Mode::partner:
      return ops::Rounding::partner;
    case models::ActivationPolicy::Mode::none:
      return ops::Rounding::none;
    case models::ActivationPolicy::Mode::per_token:
      return policy.bits == 4 ? ops::Rounding::per_token_4bit : ops::Rounding::per_token;
  }
  return ops::Rounding::partner;
}

}  // namespace

// Turns steps into operations over values first, then values into slots.
class PlanCompiler {
 public:
  PlanCompiler(const models::ModelFile& model, const kernels::Kernels& kernels, bool copies_weights, int n_threads)
      : model_(model),
        plan_(model.plan()),
        kernels_(kernels),
        copies_weights_(copies_weights),
        pool_(std::min(n_threads, sys::usable_cores())) {}

  Result<CompiledPlan> run() {
    for (const models::Step& step : plan_.steps) {
      TERN_TRY_DO(std::visit([&](const auto& s) { return add(s); }, step));
    }
    const models::SlotAssignment slots = models::assign_slots(plan_.values, usage_);
    out_.slot_widths_ = slots.slot_widths;
    for (Op& op : out_.ops_) {
      std::visit([&](auto& o) { to_slots(o, slots.slot_of); }, op);
    }
    return std::move(out_);
  }

 private:
  // Until run() ends, the Slot fields of operations hold ValueIds.
  void append(Op op, const models::Step& step) {
    out_.ops_.push_back(std::move(op));
    usage_.push_back(models::usage_of(step));
  }

  Result<ops::Matrix*> matrix(models::TensorId id, ops::Rounding rounding, ops::Input input,
                              const kernels::Packing& packing) {
    const TensorView* view = model_.tensor(id);
    TERN_CHECK(view != nullptr);
    const auto key = std::make_tuple(static_cast<const void*>(view->bytes.data()), rounding, input);
    if (const auto found = bound_.find(key); found != bound_.end()) return found->second;
    TERN_TRY(ops::Matrix bound, ops::Matrix::bind(*view, rounding, kernels_, input, packing));
    out_.packed_bytes_ += bound.packed_bytes();
    out_.matrices_.push_back(std::make_unique<ops::Matrix>(std::move(bound)));
    bound_[key] = out_.matrices_.back().get();
    return out_.matrices_.back().get();
  }

  /// A matrix of which all rows are read for every token, unlike those of an embedding.
  Result<const ops::Matrix*> streamed(models::TensorId id, ops::Rounding rounding, ops::Input input = ops::Input::any) {
    const kernels::Packing packing{.pool = &pool_, .arena = copies_weights_ ? &out_.weights_ : nullptr};
    TERN_TRY(ops::Matrix * bound, matrix(id, rounding, input, packing));
    if (!copies_weights_) return bound;
    out_.packed_bytes_ -= bound->packed_bytes();
    // A large embedding would else be in memory twice for a moment.
    bound->move_weights(packing, [&](std::span<const std::byte> bytes) { model_.file().release(bytes); });
    model_.file().release(model_.tensor(id)->bytes);
    return bound;
  }

  // A vector tensor as floats, or null where an optional one is absent.
  const float* vector(models::TensorId id) {
    const TensorView* view = model_.tensor(id);
    if (view == nullptr) return nullptr;
    auto values = std::make_unique<std::vector<float>>(static_cast<std::size_t>(view->shape.n_elements()));
    view->format->decode_row(view->bytes.data(), view->shape.row_length(), 1.0F, values->data());
    out_.vectors_.push_back(std::move(values));
    return out_.vectors_.back()->data();
  }

  Result<void> add(const models::EmbedStep& s) {
    TERN_TRY(const ops::Matrix* table, matrix(s.table, ops::Rounding::partner, ops::Input::any, {.pool = &pool_}));
    append(EmbedOp{s.out, table, s.scale}, s);
    return {};
  }
  Result<void> add(const models::NormStep& s) {
    const bool keeps_zeros = s.kind == models::NormStep::Kind::rms && s.bias == kNone;
    if (keeps_zeros && mostly_zero_.contains(s.in)) mostly_zero_.insert(s.out);
    const std::int64_t width = plan_.value(s.in).width;
    append(NormOp{s.in, s.out, width, s.group_width == 0 ? width : s.group_width, s.kind, s.eps, vector(s.weight),
                  vector(s.bias)},
           s);
    return {};
  }
  Result<void> add(const models::LinearStep& s) {
    if (s.activation.mode == models::ActivationPolicy::Mode::per_token && s.activation.bits != 8 &&
        s.activation.bits != 4) {
      return fail(ErrorCode::unsupported, "{}: activations of {} bits per token; the engine rounds to 8 or 4",
                  plan_.tensor(s.weight).name, s.activation.bits);
    }
    // Packing by columns takes a copy, so only where weights are copied anyway.
    const bool by_columns = copies_weights_ && mostly_zero_.contains(s.in);
    TERN_TRY(const ops::Matrix* bound,
             streamed(s.weight, rounding_of(s.activation), by_columns ? ops::Input::mostly_zero : ops::Input::any));
    const float* scale = vector(s.output_scale);
    LinearOp::Part part{s.out, bound, vector(s.bias), scale == nullptr ? 1.0F : *scale};
    if (!out_.ops_.empty()) {
      auto* before = std::get_if<LinearOp>(&out_.ops_.back());
      if (before != nullptr && before->in == s.in &&
          before->parts.front().matrix->input_form() == bound->input_form()) {
        before->parts.push_back(part);
        usage_.back().writes.push_back(s.out);
        return {};
      }
    }
    append(LinearOp{s.in, plan_.value(s.in).width, {part}}, s);
    return {};
  }
  Result<void> add(const models::RopeStep& s) {
    models::RopeFrequencies frequencies = models::rope_frequencies(s);
    ops::RopeKind kind{s.n_rotary, s.pairing == models::RopeStep::Pairing::half_split, std::move(frequencies.inverse),
                       frequencies.magnitude};
    if (const float* factors = vector(s.factors)) {
      for (std::size_t i = 0; i < kind.inverse_frequency.size(); ++i) kind.inverse_frequency[i] /= factors[i];
    }
    auto& kinds = out_.rope_kinds_;
    const auto found = std::ranges::find(kinds, kind);
    const auto index = static_cast<std::size_t>(found - kinds.begin());
    if (found == kinds.end()) kinds.push_back(std::move(kind));
    append(RopeOp{s.in, s.out, s.n_heads, s.head_dim, index}, s);
    return {};
  }
  Result<void> add(const models::AttentionStep& s) {
    append(AttentionOp{s.query, s.key, s.value, s.out, s}, s);
    return {};
  }
  Result<void> add(const models::UnaryStep& s) {
    if (s.function == models::Unary::relu2) mostly_zero_.insert(s.out);
    append(GluOp{s.in, kNone, s.out, plan_.value(s.in).width, function(s.function)}, s);
    return {};
  }
  Result<void> add(const models::GluStep& s) {
    if (s.function == models::Unary::relu2) mostly_zero_.insert(s.out);
    append(GluOp{s.gate, s.up, s.out, plan_.value(s.gate).width, function(s.function)}, s);
    return {};
  }
  Result<void> add(const models::AddStep& s) {
    append(AddOp{s.a, s.b, s.out, plan_.value(s.a).width}, s);
    return {};
  }
  Result<void> add(const models::ScaleStep& s) {
    append(ScaleOp{s.in, s.out, plan_.value(s.in).width, s.factor}, s);
    return {};
  }
  Result<void> add(const models::PoolStep& s) {
    out_.pooling_ = s.kind;
    out_.embedding_width_ = plan_.value(s.in).width;
    append(PoolOp{s.in, out_.embedding_width_, s.kind}, s);
    return {};
  }
  Result<void> add(const models::HeadStep& s) {
    TERN_TRY(const ops::Matrix* bound, streamed(s.weight, ops::Rounding::partner));
    out_.n_vocab_ = bound->n_rows();
    append(HeadOp{s.in, plan_.value(s.in).width, bound, s.soft_cap}, s);
    return {};
  }

  [[nodiscard]] kernels::GluFn function(models::Unary unary) const {
    switch (unary) {
      case models::Unary::silu:
        return kernels_.table.silu_glu;
      case models::Unary::relu2:
        return kernels_.table.relu2_glu;
      case models::Unary::gelu_tanh:
        return kernels_.table.gelu_glu;
    }
    return nullptr;
  }

  using SlotMap = std::vector<int>;
  static Slot at(const SlotMap& map, Slot value) {
    return value == kNone ? kNone : map[static_cast<std::size_t>(value)];
  }
  static void to_slots(EmbedOp& o, const SlotMap& m) { o.out = at(m, o.out); }
  static void to_slots(LinearOp& o, const SlotMap& m) {
    o.in = at(m, o.in);
    for (auto& part : o.parts) part.out = at(m, part.out);
  }
  static void to_slots(AttentionOp& o, const SlotMap& m) {
    o.query = at(m, o.query);
    o.key = at(m, o.key);
    o.value = at(m, o.value);
    o.out = at(m, o.out);
  }
  static void to_slots(GluOp& o, const SlotMap& m) {
    o.gate = at(m, o.gate);
    o.up = at(m, o.up);
    o.out = at(m, o.out);
  }
  static void to_slots(AddOp& o, const SlotMap& m) {
    o.a = at(m, o.a);
    o.b = at(m, o.b);
    o.out = at(m, o.out);
  }
  static void to_slots(PoolOp& o, const SlotMap& m) { o.in = at(m, o.in); }
  static void to_slots(HeadOp& o, const SlotMap& m) { o.in = at(m, o.in); }
  template <typename InOut>
  static void to_slots(InOut& o, const SlotMap& m) {
    o.in = at(m, o.in);
    o.out = at(m, o.out);
  }

  const models::ModelFile& model_;
  const models::Plan& plan_;
  const kernels::Kernels& kernels_;
  CompiledPlan out_;
  std::vector<models::Usage> usage_;
  std::map<std::tuple<const void*, ops::Rounding, ops::Input>, ops::Matrix*> bound_;
  bool copies_weights_;
  sys::ThreadPool pool_;
  /// Values behind a squared ReLU: of a trained BitNet's five in six are zero once they are rounded
  /// (bench/studies/down_projection_sparsity.py).
  std::set<models::ValueId> mostly_zero_;
};

Result<CompiledPlan> CompiledPlan::compile(const models::ModelFile& model, const kernels::Kernels& kernels,
                                           bool copies_weights, int n_threads) {
  return PlanCompiler(model, kernels, copies_weights, n_threads).run();
}

}  // namespace tern::engine
