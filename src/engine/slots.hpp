// The buffers that hold the values of a step: each slot of a compiled plan has a row for every token of the batch.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "engine/compiled_plan.hpp"
#include "tensor/aligned_buffer.hpp"

namespace tern::engine {

/// One value of every token of the batch.
struct SlotRows {
  float* data = nullptr;
  std::size_t width = 0;
  [[nodiscard]] float* operator[](std::size_t token) const { return data + token * width; }
};

class Slots {
 public:
  /// widths: CompiledPlan::slot_widths(). Throws std::bad_alloc.
  Slots(std::span<const std::int64_t> widths, std::int64_t n_batch) {
    for (const std::int64_t width : widths) {
      buffers_.emplace_back(static_cast<std::size_t>(width * n_batch) * sizeof(float));
      rows_.push_back({buffers_.back().as<float>(), static_cast<std::size_t>(width)});
    }
  }

  [[nodiscard]] SlotRows rows(Slot slot) const { return rows_[static_cast<std::size_t>(slot)]; }
  [[nodiscard]] float* row(Slot slot, std::size_t token) const { return rows(slot)[token]; }

 private:
  std::vector<AlignedBuffer> buffers_;
  std::vector<SlotRows> rows_;
};

}  // namespace tern::engine
