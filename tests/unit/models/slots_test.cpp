// Slots: two values that are alive at once never share a buffer, on random programs too.
#include "models/slots.hpp"

#include <gtest/gtest.h>

#include <set>

#include "base/random.hpp"

namespace tern::models {
namespace {

// Runs the program over an array of slots, each remembering whose value it holds.
void expect_sound(const std::vector<Value>& values, const std::vector<Usage>& operations) {
  const SlotAssignment slots = assign_slots(values, operations);
  ASSERT_EQ(slots.slot_of.size(), values.size());
  std::vector<ValueId> holds(slots.slot_widths.size(), kNone);
  for (const std::int64_t width : slots.slot_widths) EXPECT_EQ(width % 16, 0);
  for (std::size_t i = 0; i < operations.size(); ++i) {
    std::set<int> inputs;
    for (const auto value : operations[i].reads) {
      const int slot = slots.slot_of[static_cast<std::size_t>(value)];
      ASSERT_NE(slot, kNone);
      EXPECT_EQ(holds[static_cast<std::size_t>(slot)], value)
          << "operation " << i << " reads a value that was overwritten";
      inputs.insert(slot);
    }
    std::set<int> outputs;
    for (const auto value : operations[i].writes) {
      const int slot = slots.slot_of[static_cast<std::size_t>(value)];
      ASSERT_NE(slot, kNone);
      EXPECT_FALSE(inputs.contains(slot)) << "operation " << i << " writes over its own input";
      EXPECT_TRUE(outputs.insert(slot).second) << "operation " << i << " writes twice into one slot";
      EXPECT_GE(slots.slot_widths[static_cast<std::size_t>(slot)], values[static_cast<std::size_t>(value)].width);
      holds[static_cast<std::size_t>(slot)] = value;
    }
  }
}

TEST(Slots, RandomProgramsNeverReadAnOverwrittenValue) {
  Random random(1);
  for (int program = 0; program < 300; ++program) {
    std::vector<Value> values;
    std::vector<Usage> operations;
    const std::size_t n_operations = 1 + random.below(40);
    for (std::size_t i = 0; i < n_operations; ++i) {
      Usage usage;
      const std::size_t n_reads = values.empty() ? 0 : random.below(4);
      for (std::size_t r = 0; r < n_reads; ++r) {
        // Mostly what was made last, sometimes something old.
        const std::size_t back =
            random.below(5) == 0 ? random.below(values.size()) : random.below(std::min<std::size_t>(values.size(), 3));
        usage.reads.push_back(static_cast<ValueId>(values.size() - 1 - back));
      }
      const std::size_t n_writes = random.below(4);  // none: a head; several: products of one input
      for (std::size_t w = 0; w < n_writes; ++w) {
        usage.writes.push_back(static_cast<ValueId>(values.size()));
        values.push_back({"v", static_cast<std::int64_t>(1 + random.below(100))});
      }
      operations.push_back(std::move(usage));
    }
    expect_sound(values, operations);
    if (HasFailure()) FAIL() << "program " << program;
  }
}

TEST(Slots, AChainNeedsTwoAndKeepsNothingLonger) {
  std::vector<Value> values(50, {"v", 33});
  std::vector<Usage> operations;
  for (int i = 0; i < 50; ++i) operations.push_back({i == 0 ? std::vector<int>{} : std::vector<int>{i - 1}, {i}});
  expect_sound(values, operations);
  const auto slots = assign_slots(values, operations);
  EXPECT_EQ(slots.slot_widths, (std::vector<std::int64_t>{48, 48}));
}

TEST(Slots, TheBestFittingFreeSlotIsTakenAndTheWidestGrows) {
  // Values of 16, 64 and 32 are free when one of 30 is wanted: the third. Then one of 100: the widest left grows.
  const std::vector<Value> values{{"a", 16}, {"b", 64}, {"c", 32}, {"d", 30}, {"e", 100}};
  const std::vector<Usage> operations{{{}, {0, 1, 2}}, {{0, 1, 2}, {}}, {{}, {3}}, {{}, {4}}, {{3, 4}, {}}};
  expect_sound(values, operations);
  const auto slots = assign_slots(values, operations);
  EXPECT_EQ(slots.slot_of[3], slots.slot_of[2]);
  EXPECT_EQ(slots.slot_widths.size(), 3U);
  // d is dead after its writing unless it is read: it is, so e takes b's slot, which grows.
  EXPECT_EQ(slots.slot_of[4], slots.slot_of[1]);
  EXPECT_EQ(slots.slot_widths[static_cast<std::size_t>(slots.slot_of[4])], 112);
}

TEST(Slots, AValueNobodyWritesHasNone) {
  const auto slots = assign_slots({{"a", 8}, {"logits", 100}}, {{{}, {0}}, {{0}, {}}});
  EXPECT_EQ(slots.slot_of[1], kNone);
  EXPECT_EQ(slots.slot_widths, (std::vector<std::int64_t>{16}));
}

}  // namespace
}  // namespace tern::models
