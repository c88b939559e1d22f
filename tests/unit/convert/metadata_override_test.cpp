// KEY=TYPE:VALUE: the four types, their limits, and what a file does not let happen to it.
#include "convert/metadata_override.hpp"

#include <gtest/gtest.h>

#include "tests/support/models.hpp"

namespace tern::convert {
namespace {

TEST(MetadataOverride, HasTheFourTypesOfLlamaQuantize) {
  const auto value = [](std::string_view text) { return test::must(parse_metadata_override(text)).value; };
  EXPECT_EQ(value("k=int:0"), files::MetaValue(std::uint32_t{0}));
  EXPECT_EQ(value("k=int:4294967295"), files::MetaValue(std::uint32_t{4294967295U}));
  EXPECT_EQ(value("k=float:1e-5"), files::MetaValue(1e-5F));
  EXPECT_EQ(value("k=float:-3"), files::MetaValue(-3.0F));
  EXPECT_EQ(value("k=bool:true"), files::MetaValue(true));
  EXPECT_EQ(value("k=bool:false"), files::MetaValue(false));
  EXPECT_EQ(value("k=str:"), files::MetaValue(std::string()));
  EXPECT_EQ(value("k=str:a=b:c"), files::MetaValue(std::string("a=b:c")));
  EXPECT_EQ(value("k=str:" + std::string(127, 'x')), files::MetaValue(std::string(127, 'x')));
  EXPECT_EQ(test::must(parse_metadata_override("a.b.c=int:7")).key, "a.b.c");
  EXPECT_EQ(test::must(parse_metadata_override(std::string(127, 'k') + "=int:7")).key, std::string(127, 'k'));
}

TEST(MetadataOverride, EachMistakeHasItsLine) {
  struct Row {
    std::string text;
    std::string message;
  };
  const std::string types = "expected KEY=int:N, KEY=float:X, KEY=bool:true or KEY=str:TEXT";
  const std::string whole = "int: takes a whole number from 0 to 4294967295";
  const std::string number = "float: takes a number that fits into 32 bits, such as 1e-5";
  const Row rows[] = {
      {"", "'' has no '=', expected KEY=TYPE:VALUE, for example llama.context_length=int:4096"},
      {"k", "'k' has no '=', expected KEY=TYPE:VALUE, for example llama.context_length=int:4096"},
      {"=int:1", "'=int:1' has no key before '=', expected KEY=TYPE:VALUE, for example llama.context_length=int:4096"},
      {"k=", "'k=': " + types},
      {"k=7", "'k=7': " + types},
      {"k=INT:7", "'k=INT:7': " + types},
      {"k=u32:7", "'k=u32:7': " + types},
      {"k=int:", "'k=int:': " + whole},
      {"k=int:-1", "'k=int:-1': " + whole},
      {"k=int:4294967296", "'k=int:4294967296': " + whole},
      {"k=int:99999999999999999999", "'k=int:99999999999999999999': " + whole},
      {"k=int:7x", "'k=int:7x': " + whole},
      {"k=int: 7", "'k=int: 7': " + whole},
      {"k=int:1.5", "'k=int:1.5': " + whole},
      {"k=float:", "'k=float:': " + number},
      {"k=float:nan", "'k=float:nan': " + number},
      {"k=float:inf", "'k=float:inf': " + number},
      {"k=float:1e39", "'k=float:1e39': " + number},
      {"k=float:1e999", "'k=float:1e999': " + number},
      {"k=float:1,5", "'k=float:1,5': " + number},
      {"k=bool:1", "'k=bool:1': bool: takes true or false"},
      {"k=bool:True", "'k=bool:True': bool: takes true or false"},
  };
  for (const Row& row : rows) {
    const auto refused = parse_metadata_override(row.text);
    ASSERT_FALSE(refused) << row.text;
    EXPECT_EQ(refused.error().message, row.message);
    EXPECT_EQ(refused.error().code, ErrorCode::usage);
  }
  const auto long_key = parse_metadata_override(std::string(128, 'k') + "=int:7");
  EXPECT_NE(long_key.error().message.find("the key has 128 bytes, expected at most 127"), std::string::npos);
  const auto long_text = parse_metadata_override("k=str:" + std::string(128, 'x'));
  EXPECT_NE(long_text.error().message.find("str: takes at most 127 bytes, got 128"), std::string::npos);
}

TEST(MetadataOverride, SetsAndAddsAndTheLastOfAKeyCounts) {
  files::Metadata metadata;
  metadata.set("a", std::uint64_t{1});
  metadata.set("list", std::vector<std::int32_t>{1, 2});
  std::vector<MetadataOverride> overrides;
  for (const char* text : {"a=int:2", "b=str:x", "b=str:y", "list=int:3"})
    overrides.push_back(test::must(parse_metadata_override(text)));
  test::must(override_metadata(overrides, metadata));
  EXPECT_EQ(*metadata.find("a"), files::MetaValue(std::uint32_t{2}));
  EXPECT_EQ(*metadata.find("b"), files::MetaValue(std::string("y")));
  EXPECT_EQ(*metadata.find("list"), files::MetaValue(std::uint32_t{3}));
}

TEST(MetadataOverride, AnotherKindThanTheFilesIsRefused) {
  files::Metadata metadata;
  metadata.set("n", std::uint32_t{4});
  metadata.set("x", 0.5);
  metadata.set("b", true);
  metadata.set("s", std::string("llama"));
  const auto refusal = [&](std::string_view text) {
    const MetadataOverride override = test::must(parse_metadata_override(text));
    const auto done = override_metadata({&override, 1}, metadata);
    return done ? "accepted" : done.error().message;
  };
  EXPECT_EQ(refusal("n=float:4"), "n: the file has uint32 4 there; use int:");
  EXPECT_EQ(refusal("x=int:1"), "x: the file has float64 0.5 there; use float:");
  EXPECT_EQ(refusal("b=int:1"), "b: the file has boolean true there; use bool:");
  EXPECT_EQ(refusal("s=bool:true"), "s: the file has string llama there; use str:");
  EXPECT_EQ(refusal("x=float:1"), "accepted");
  EXPECT_EQ(refusal("split.count=int:2"), "split.count: says how a model is divided into files; see tern split");
}

}  // namespace
}  // namespace tern::convert
