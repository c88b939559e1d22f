#include "models/slots.hpp"

#include <algorithm>

namespace tern::models {
namespace {

// Which values a step reads and writes; the logits are no slot.
struct UsageOf {
  Usage operator()(const EmbedStep& s) const { return {{}, {s.out}}; }
  Usage operator()(const NormStep& s) const { return {{s.in}, {s.out}}; }
  Usage operator()(const LinearStep& s) const { return {{s.in}, {s.out}}; }
  Usage operator()(const RopeStep& s) const { return {{s.in}, {s.out}}; }
  Usage operator()(const AttentionStep& s) const { return {{s.query, s.key, s.value}, {s.out}}; }
  Usage operator()(const UnaryStep& s) const { return {{s.in}, {s.out}}; }
  Usage operator()(const GluStep& s) const { return {{s.gate, s.up}, {s.out}}; }
  Usage operator()(const AddStep& s) const { return {{s.a, s.b}, {s.out}}; }
  Usage operator()(const ScaleStep& s) const { return {{s.in}, {s.out}}; }
  Usage operator()(const PoolStep& s) const { return {{s.in}, {}}; }
  Usage operator()(const HeadStep& s) const { return {{s.in}, {}}; }
};

}  // namespace

Usage usage_of(const Step& step) {
  return std::visit(UsageOf{}, step);
}

SlotAssignment assign_slots(const std::vector<Value>& values, const std::vector<Usage>& operations) {
  SlotAssignment out;
  out.slot_of.assign(values.size(), kNone);
  std::vector<std::size_t> last_use(values.size(), 0);
  for (std::size_t i = 0; i < operations.size(); ++i) {
    for (const auto value : operations[i].reads) last_use[static_cast<std::size_t>(value)] = i;
    for (const auto value : operations[i].writes) {
      last_use[static_cast<std::size_t>(value)] = std::max(last_use[static_cast<std::size_t>(value)], i);
    }
  }
  std::vector<int> free_slots;
  for (std::size_t i = 0; i < operations.size(); ++i) {
    for (const auto value : operations[i].writes) {
      const auto v = static_cast<std::size_t>(value);
      if (out.slot_of[v] != kNone) continue;  // written before: a sum that grows
      const std::int64_t width = (values[v].width + 15) / 16 * 16;
      // The free slot that fits best, else the widest (it grows), else a new one.
      auto best = free_slots.end();
      for (auto it = free_slots.begin(); it != free_slots.end(); ++it) {
        if (best == free_slots.end()) {
          best = it;
          continue;
        }
        const std::int64_t have = out.slot_widths[static_cast<std::size_t>(*it)];
        const std::int64_t best_width = out.slot_widths[static_cast<std::size_t>(*best)];
        const bool fits = have >= width;
        const bool best_fits = best_width >= width;
        if ((fits && (!best_fits || have < best_width)) || (!fits && !best_fits && have > best_width)) best = it;
      }
      int slot = 0;
      if (best == free_slots.end()) {
        slot = static_cast<int>(out.slot_widths.size());
        out.slot_widths.push_back(width);
      } else {
        slot = *best;
        free_slots.erase(best);
        auto& have = out.slot_widths[static_cast<std::size_t>(slot)];
        have = std::max(have, width);
      }
      out.slot_of[v] = slot;
    }
    std::vector<ValueId> ended = operations[i].reads;
    ended.insert(ended.end(), operations[i].writes.begin(), operations[i].writes.end());
    std::ranges::sort(ended);
    ended.erase(std::unique(ended.begin(), ended.end()), ended.end());
    for (const auto value : ended) {
      const auto v = static_cast<std::size_t>(value);
      if (last_use[v] == i && out.slot_of[v] != kNone) free_slots.push_back(out.slot_of[v]);
    }
  }
  return out;
}

}  // namespace tern::models
