// Formats for rows that another does not divide, and the lines that say so.
#include "convert/type_rules.hpp"

#include <gtest/gtest.h>

#include "formats/all.hpp"

namespace tern::convert {
namespace {

using formats::Format;

TEST(TypeRules, RowsThatDoNotDivideFallBackAsLlamaQuantizeDoes) {
  using namespace formats;
  const auto fitting = [](const Format& wanted, std::int64_t k) { return &fitting_format(wanted, k); };
  for (const Format* format : kAll) EXPECT_EQ(fitting(*format, 256), format) << format->name;
  EXPECT_EQ(fitting(kQ4_K, 160), &kQ5_0);
  EXPECT_EQ(fitting(kQ5_K, 160), &kQ5_1);
  EXPECT_EQ(fitting(kQ6_K, 160), &kQ8_0);
  for (const Format* format : {&kQ2_K, &kQ3_K, &kTQ1_0, &kTQ2_0})
    EXPECT_EQ(fitting(*format, 160), &kQ4_0) << format->name;
  EXPECT_EQ(fitting(kI2_S, 160), &kF16) << "keeps -s, 0, +s";
  for (const Format* format : kAll) {
    const Format* odd = fitting(*format, 172);
    EXPECT_EQ(odd, format->block_values == 1 ? format : &kF16) << format->name;
  }
}

TEST(FallbackNotes, SayOnceWhatManyTensorsShare) {
  using namespace formats;
  FallbackNotes notes;
  EXPECT_TRUE(notes.lines().empty());
  for (int i = 0; i < 32; ++i) notes.add(fmt::format("blk.{}.ffn_up.weight", i), kQ4_K, kQ5_0, 64);
  notes.add("blk.0.attn_v.weight", kQ6_K, kQ8_0, 64);
  for (int i = 0; i < 4; ++i) notes.add(fmt::format("blk.{}.ffn_down.weight", i), kQ4_K, kF16, 172);
  EXPECT_EQ(notes.lines(), (std::vector<std::string>{
                               "36 tensors: rows of 64 and 172 do not divide by 256 (Q4_K); Q5_0 instead, F16 for 4",
                               "blk.0.attn_v.weight: rows of 64 do not divide by 256 (Q6_K); Q8_0 instead"}));
  for (const std::int64_t length : {10, 20, 30, 40}) notes.add("x", kQ6_K, kF16, length);
  EXPECT_EQ(notes.lines().back(),
            "5 tensors: rows of 10, 20, 30, 40 and others do not divide by 256 (Q6_K); F16 instead, Q8_0 for 1");
}

}  // namespace
}  // namespace tern::convert
