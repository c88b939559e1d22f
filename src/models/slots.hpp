// Gives values buffers: a value's slot is free again after the last operation that reads it.
#pragma once

#include <cstdint>
#include <vector>

#include "models/plan.hpp"

namespace tern::models {

/// Which values each operation reads and writes, in order.
struct Usage {
  std::vector<ValueId> reads;
  std::vector<ValueId> writes;
};

/// Of one step of a plan. The logits of a head are no value.
[[nodiscard]] Usage usage_of(const Step& step);

struct SlotAssignment {
  std::vector<int> slot_of;               // by ValueId; kNone for a value nobody writes
  std::vector<std::int64_t> slot_widths;  // floats a token, rounded up to 16 so that columns stay 64-byte aligned
};

/// An operation's outputs never share a slot with its inputs. A value that several operations write (a sum that grows)
/// keeps the slot of the first.
[[nodiscard]] SlotAssignment assign_slots(const std::vector<Value>& values, const std::vector<Usage>& operations);

}  // namespace tern::models
