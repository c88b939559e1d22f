#include "engine/slots.hpp"

#include <algorithm>

namespace tern::engine {

SlotAssignment assign_slots(const std::vector<models::Value>& values, const std::vector<Usage>& operations) {
  SlotAssignment out;
  out.slot_of.assign(values.size(), models::kNone);
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
    std::vector<models::ValueId> ended = operations[i].reads;
    ended.insert(ended.end(), operations[i].writes.begin(), operations[i].writes.end());
    std::ranges::sort(ended);
    ended.erase(std::unique(ended.begin(), ended.end()), ended.end());
    for (const auto value : ended) {
      const auto v = static_cast<std::size_t>(value);
      if (last_use[v] == i && out.slot_of[v] != models::kNone) free_slots.push_back(out.slot_of[v]);
    }
  }
  return out;
}

}  // namespace tern::engine
