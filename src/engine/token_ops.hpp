// Operations that work on each token alone: look-ups of embeddings, norms, rotations, activation functions, additions.
// Neighbours in a plan run one after the other on a token, whose values stay in the first caches meanwhile; on a whole
// batch each would read from memory what the one before it wrote there.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>
#include <vector>

#include "engine/batch.hpp"
#include "engine/compiled_plan.hpp"
#include "engine/slots.hpp"
#include "kernels/kernels.hpp"
#include "ops/rope.hpp"

namespace tern::engine {

template <class O>
inline constexpr bool kOnTokensAlone =
    std::is_same_v<O, EmbedOp> || std::is_same_v<O, NormOp> || std::is_same_v<O, RopeOp> || std::is_same_v<O, GluOp> ||
    std::is_same_v<O, AddOp> || std::is_same_v<O, ScaleOp>;

[[nodiscard]] inline bool works_on_tokens_alone(const Op& op) {
  return std::visit([]<class O>(const O&) { return kOnTokensAlone<O>; }, op);
}

class TokenOps {
 public:
  /// All must outlive the object.
  TokenOps(const CompiledPlan& plan, const kernels::Kernels& kernels, const Slots& slots);

  /// Before the operations of a step; the batch must stay until the step is done.
  void begin(std::span<const BatchItem> batch);

  /// Runs an operation that works on tokens alone on the token of index t of the batch.
  void run(const Op& op, std::size_t t) const;

 private:
  void apply(const EmbedOp& op, std::size_t t) const;
  void apply(const NormOp& op, std::size_t t) const;
  void apply(const RopeOp& op, std::size_t t) const;
  void apply(const GluOp& op, std::size_t t) const;
  void apply(const AddOp& op, std::size_t t) const;
  void apply(const ScaleOp& op, std::size_t t) const;

  const CompiledPlan* plan_;
  const kernels::Kernels* kernels_;
  const Slots* slots_;
  std::span<const BatchItem> batch_;         // of the step in hand
  std::vector<ops::RopeTable> rope_tables_;  // by rope kind, for the step in hand
};

}  // namespace tern::engine
