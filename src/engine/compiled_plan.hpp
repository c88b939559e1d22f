// A plan made ready to run: tensors bound to kernels, neighbouring products of one input joined so that it is rounded
// once, and every value given a buffer slot that is reused when the value is no longer needed. Immutable after
// compile(); any number of sessions share it.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <variant>
#include <vector>

#include "kernels/kernels.hpp"
#include "models/model_file.hpp"
#include "ops/matrix.hpp"
#include "ops/rope.hpp"
#include "sys/page_arena.hpp"

namespace tern::engine {

using Slot = int;  // index of a buffer [n_tokens][slot width]

struct EmbedOp {
  Slot out;
  const ops::Matrix* table;
  float scale;
};
struct NormOp {
  Slot in;
  Slot out;
  std::int64_t width;
  std::int64_t group_width;
  models::NormStep::Kind kind;
  float eps;
  const float* weight;  // [group_width] or null
  const float* bias;
};
/// Products that read one input in one form.
struct LinearOp {
  struct Part {
    Slot out;
    const ops::Matrix* matrix;
    const float* bias;   // [n_rows] or null
    float output_scale;  // 1 where there is none
  };
  Slot in;
  std::int64_t k;
  std::vector<Part> parts;
};
struct RopeOp {
  Slot in;
  Slot out;
  std::int64_t n_heads;
  std::int64_t head_dim;
  std::size_t kind;  // index into rope_kinds
};
struct AttentionOp {
  Slot query;
  Slot key;
  Slot value;
  Slot out;
  models::AttentionStep step;
};
/// out = function(gate) * up, or function(gate) where up is kNone.
struct GluOp {
  Slot gate;
  Slot up;
  Slot out;
  std::int64_t width;
  kernels::GluFn function;
};
struct AddOp {
  Slot a;
  Slot b;
  Slot out;
  std::int64_t width;
};
struct ScaleOp {
  Slot in;
  Slot out;
  std::int64_t width;
  float factor;
};
struct PoolOp {
  Slot in;
  std::int64_t width;
  models::Pooling kind;
};
struct HeadOp {
  Slot in;
  std::int64_t k;
  const ops::Matrix* matrix;
  float soft_cap;
};
using Op = std::variant<EmbedOp, NormOp, LinearOp, RopeOp, AttentionOp, GluOp, AddOp, ScaleOp, PoolOp, HeadOp>;

class CompiledPlan {
 public:
  /// `model` and `kernels` must outlive the result. `copies_weights`: matrices that are read for each token are copied
  /// into memory with 2 MiB pages; otherwise they are used where the file is mapped, wherever their layout allows.
  /// `n_threads` pack and copy, at most as many as the process may use. Errors name the tensor. Throws std::bad_alloc.
  [[nodiscard]] static Result<CompiledPlan> compile(const models::ModelFile& model, const kernels::Kernels& kernels,
                                                    bool copies_weights = false, int n_threads = 1);

  [[nodiscard]] const std::vector<Op>& ops() const { return ops_; }
  [[nodiscard]] const std::vector<std::int64_t>& slot_widths() const { return slot_widths_; }  // multiples of 16 floats
  [[nodiscard]] const std::vector<ops::RopeKind>& rope_kinds() const { return rope_kinds_; }
  /// Width of the logits; 0 for a model that ends in pooling.
  [[nodiscard]] std::int64_t n_vocab() const { return n_vocab_; }
  /// none for a model that ends in a head.
  [[nodiscard]] models::Pooling pooling() const { return pooling_; }
  [[nodiscard]] std::int64_t embedding_width() const { return embedding_width_; }
  /// Bytes of weights copied into packed layouts, apart from those in weights().
  [[nodiscard]] std::uint64_t packed_bytes() const { return packed_bytes_; }
  /// The memory that matrices were copied into; empty where they were not.
  [[nodiscard]] const sys::PageArena& weights() const { return weights_; }

 private:
  friend class PlanCompiler;
  CompiledPlan() = default;

  sys::PageArena weights_;
  std::vector<Op> ops_;
  std::vector<std::int64_t> slot_widths_;
  std::vector<ops::RopeKind> rope_kinds_;
  std::vector<std::unique_ptr<ops::Matrix>> matrices_;
  std::vector<std::unique_ptr<std::vector<float>>> vectors_;
  std::int64_t n_vocab_ = 0;
  models::Pooling pooling_ = models::Pooling::none;
  std::int64_t embedding_width_ = 0;
  std::uint64_t packed_bytes_ = 0;
};

}  // namespace tern::engine
