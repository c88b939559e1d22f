// Metadata: order, typed getters and their refusals, copies that stand alone.
#include "files/metadata.hpp"
#include "files/weight_transform.hpp"

#include <gtest/gtest.h>

#include <array>
#include <limits>

#include "tests/unit/files/helpers.hpp"

namespace tern::files {
namespace {

using test::message_of;

TEST(Metadata, KeepsTheOrderOfItsKeysThroughReplacingAndErasing) {
  Metadata metadata;
  metadata.set("a", std::uint32_t{1});
  metadata.set("b", "two");
  metadata.set("c", 3.0F);
  metadata.set("a", std::uint32_t{9});
  EXPECT_TRUE(metadata.erase("b"));
  EXPECT_FALSE(metadata.erase("b"));
  metadata.set("d", true);
  ASSERT_EQ(metadata.size(), 3U);
  EXPECT_EQ(metadata.entries()[0].key, "a");
  EXPECT_EQ(metadata.entries()[1].key, "c");
  EXPECT_EQ(metadata.entries()[2].key, "d");
  EXPECT_EQ(*metadata.get_u64("a"), 9U);
  EXPECT_EQ(*metadata.get_f32("c"), 3.0F);
  EXPECT_TRUE(*metadata.get_bool("d"));
}

TEST(Metadata, ReadsAnyIntegerTypeAsAnInteger) {
  Metadata metadata;
  metadata.set("u8", std::uint8_t{200});
  metadata.set("i8", std::int8_t{-7});
  metadata.set("i16", std::int16_t{300});
  metadata.set("u64", std::numeric_limits<std::uint64_t>::max());
  EXPECT_EQ(*metadata.get_u64("u8"), 200U);
  EXPECT_EQ(*metadata.get_i64("i8"), -7);
  EXPECT_EQ(*metadata.get_u64("i16"), 300U);
  EXPECT_EQ(*metadata.get_u64("u64"), std::numeric_limits<std::uint64_t>::max());
  EXPECT_FALSE(metadata.get_i64("u64"));
  EXPECT_EQ(message_of(metadata.get_u64("i8")), "metadata key i8 is int8 (-7), expected an integer of at least 0");
}

TEST(Metadata, DoesNotTakeABooleanOrAFloatForAnInteger) {
  Metadata metadata;
  metadata.set("flag", true);
  metadata.set("float", 1.0F);
  EXPECT_EQ(message_of(metadata.get_u64("flag")),
            "metadata key flag is boolean (true), expected an integer of at least 0");
  EXPECT_FALSE(metadata.get_i64("float"));
  EXPECT_FALSE(metadata.get_bool("float"));
}

TEST(Metadata, TellsAMissingKeyFromAWrongType) {
  Metadata metadata;
  metadata.set("text", "hello");
  const auto missing = metadata.get_u64("absent");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, ErrorCode::not_found);
  EXPECT_EQ(missing.error().message, "metadata key absent is missing, expected an integer of at least 0");
  const auto wrong = metadata.get_u64("text");
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().code, ErrorCode::bad_input);
  ASSERT_TRUE(metadata.optional_u64("absent"));
  EXPECT_FALSE(metadata.optional_u64("absent")->has_value());
  EXPECT_FALSE(metadata.optional_u64("text"));
  EXPECT_EQ(*metadata.optional_strings("absent"), nullptr);
  EXPECT_EQ(metadata.get_strings("absent").error().code, ErrorCode::not_found);
  EXPECT_EQ(metadata.get_strings("text").error().code, ErrorCode::bad_input);
}

TEST(Metadata, RefusesADoubleThatNoFloatCanHold) {
  Metadata metadata;
  metadata.set("large", 1e300);
  metadata.set("fine", 0.5);
  EXPECT_EQ(*metadata.get_f32("fine"), 0.5F);
  EXPECT_FALSE(metadata.get_f32("large"));
}

TEST(Metadata, ReadsArrays) {
  Metadata metadata;
  metadata.set("ints", std::vector<std::int32_t>{-1, 2});
  metadata.set("too_large", std::vector<std::uint64_t>{std::numeric_limits<std::uint64_t>::max()});
  metadata.set("floats", std::vector<float>{0.5F});
  metadata.set("doubles", std::vector<double>{0.25});
  metadata.set("flags", std::vector<bool>{true, false});
  metadata.set("strings", MetaStrings(std::array<std::string, 3>{"a", "", "ccc"}));
  EXPECT_EQ(*metadata.get_i64s("ints"), (std::vector<std::int64_t>{-1, 2}));
  EXPECT_FALSE(metadata.get_i64s("too_large"));
  EXPECT_FALSE(metadata.get_i64s("flags"));
  EXPECT_EQ(*metadata.get_f32s("floats"), std::vector<float>{0.5F});
  EXPECT_EQ(*metadata.get_f32s("doubles"), std::vector<float>{0.25F});
  EXPECT_EQ(*metadata.get_bools("flags"), (std::vector<bool>{true, false}));
  const MetaStrings& strings = **metadata.get_strings("strings");
  ASSERT_EQ(strings.size(), 3U);
  EXPECT_EQ(strings[0], "a");
  EXPECT_EQ(strings[1], "");
  EXPECT_EQ(strings[2], "ccc");
}

TEST(Metadata, ACopyStandsAlone) {
  auto original = std::make_unique<Metadata>();
  original->set("strings", MetaStrings(std::array<std::string, 2>{"long enough to live on the heap", "b"}));
  const Metadata copy = *original;
  original.reset();
  EXPECT_EQ((**copy.get_strings("strings"))[0], "long enough to live on the heap");
}

TEST(Metadata, ShowsAValueInOneShortLine) {
  EXPECT_EQ(MetaValue(std::uint32_t{7}).text(), "7");
  EXPECT_EQ(MetaValue("a\nb").text(), "a\\x0ab");
  EXPECT_EQ(MetaValue(std::vector<std::int32_t>{1, 2}).text(), "[1, 2]");
  EXPECT_EQ(MetaValue(std::vector<std::int32_t>{1, 2}).type_text(), "an array of 2 int32");
  const MetaValue many(std::vector<std::uint8_t>(100000, 1));
  EXPECT_LT(many.text(30).size(), 70U);
  EXPECT_NE(many.text(30).find("100,000 in all"), std::string::npos) << many.text(30);
}

TEST(Metadata, FindsKeysThatTransformTheWeights) {
  Metadata metadata;
  metadata.set("general.architecture", "qwen35");
  metadata.set("qwen35.rope.dimension_count", std::uint32_t{64});
  EXPECT_FALSE(weight_transform_key(metadata));
  metadata.set("some.rotation", false);
  EXPECT_FALSE(weight_transform_key(metadata)) << "a flag that is off transforms nothing";
  metadata.set("prism.hadamard.version", std::uint32_t{1});
  EXPECT_EQ(weight_transform_key(metadata), "prism.hadamard.version");
}

}  // namespace
}  // namespace tern::files
