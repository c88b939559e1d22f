#include "engine/token_ops.hpp"

#include "base/error.hpp"
#include "ops/norm.hpp"

namespace tern::engine {
TokenOps::TokenOps(const CompiledPlan& plan, const kernels::Kernels& kernels, const Slots& slots)
    : plan_(&plan), kernels_(&kernels), slots_(&slots), rope_tables_(plan.rope_kinds().size()) {}

void TokenOps::begin(std::span<const BatchItem> batch) {
  batch_ = batch;
  std::vector<std::int32_t> positions;
  for (const BatchItem& item : batch) positions.push_back(item.position);
  for (std::size_t i = 0; i < rope_tables_.size(); ++i) rope_tables_[i].compute(plan_->rope_kinds()[i], positions);
}

void TokenOps::run(const Op& op, std::size_t t) const {
  std::visit(
      [&]<class O>(const O& one) {
        if constexpr (kOnTokensAlone<O>) {
          apply(one, t);
        } else {
          TERN_CHECK(false);
        }
      },
      op);
}

void TokenOps::apply(const EmbedOp& op, std::size_t t) const {
  float* out = slots_->row(op.out, t);
  op.table->decode_row(batch_[t].token, out);
  if (op.scale == 1.0F) return;
  for (std::int64_t i = 0; i < op.table->k(); ++i) out[i] *= op.scale;
}

void TokenOps::apply(const NormOp& op, std::size_t t) const {
  const float* in = slots_->row(op.in, t);
  float* out = slots_->row(op.out, t);
  for (std::int64_t g = 0; g < op.width; g += op.group_width) {
    if (op.kind == models::NormStep::Kind::rms) {
      kernels_->table.rms_norm(in + g, op.weight, op.group_width, op.eps, out + g);
    } else {
      ops::layer_norm(in + g, op.weight, op.bias, op.group_width, op.eps, out + g);
    }
  }
}

void TokenOps::apply(const RopeOp& op, std::size_t t) const {
  const ops::RopeKind& kind = plan_->rope_kinds()[op.kind];
  const ops::RopeTable& table = rope_tables_[op.kind];
  const std::size_t half = kind.inverse_frequency.size();
  ops::rotate(kind, table.cosine.data() + t * half, table.sine.data() + t * half, slots_->row(op.in, t), op.n_heads,
              op.head_dim, slots_->row(op.out, t));
}

void TokenOps::apply(const GluOp& op, std::size_t t) const {
  const float* up = op.up == models::kNone ? nullptr : slots_->row(op.up, t);
  op.function(slots_->row(op.gate, t), up, op.width, slots_->row(op.out, t));
}

void TokenOps::apply(const AddOp& op, std::size_t t) const {
  const float* a = slots_->row(op.a, t);
  const float* b = slots_->row(op.b, t);
  float* out = slots_->row(op.out, t);
  for (std::int64_t i = 0; i < op.width; ++i) out[i] = a[i] + b[i];
}

void TokenOps::apply(const ScaleOp& op, std::size_t t) const {
  const float* in = slots_->row(op.in, t);
  float* out = slots_->row(op.out, t);
  for (std::int64_t i = 0; i < op.width; ++i) out[i] = in[i] * op.factor;
}

}  // namespace tern::engine
