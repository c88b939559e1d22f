// JSON, npy and the detection of kinds.
#include <gtest/gtest.h>

#include <array>

#include "files/json.hpp"
#include "files/kind.hpp"
#include "files/npy.hpp"
#include "tests/unit/files/helpers.hpp"

namespace tern::files {
namespace {

using test::bytes_of;
using test::message_of;
using test::slurp;

Result<nlohmann::json> parse(const std::string& text, int max_depth = kMaxJsonDepth) {
  return parse_json(bytes_of(text), "text", {.max_depth = max_depth});
}

TEST(Json, BuildsTheSameValueAsTheLibraryItself) {
  for (const std::string text : {R"({"a":[1,-2,3.5,true,false,null,"x"],"b":{"c":{},"d":[]},"e":18446744073709551615})",
                                 "[]", "3", "\"\\u00fc\"", R"([[[]],{"":[{}]}])", " [ 1 , 2 ] \n"}) {
    const auto parsed = parse(text);
    ASSERT_TRUE(parsed) << message_of(parsed);
    EXPECT_EQ(*parsed, nlohmann::json::parse(text));
  }
}

TEST(Json, RefusesWhatIsNotJson) {
  for (const std::string text :
       {"", "{", "[1,]", "{\"a\" 1}", "nul", "[1] x", "\"\xff\"", "{\"a\":01}", "[NaN]", "'a'"}) {
    const auto parsed = parse(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().code, ErrorCode::bad_input);
    EXPECT_EQ(parsed.error().message.find('\n'), std::string::npos);
    EXPECT_TRUE(parsed.error().message.starts_with("text: not valid JSON at byte ")) << parsed.error().message;
  }
}

TEST(Json, RefusesADuplicateKey) {
  EXPECT_EQ(message_of(parse(R"({"a":1,"b":{"a":2},"a":3})")),
            "text: the key \"a\" is there twice in one object, expected once");
}

TEST(Json, RefusesDeepNestingWithoutUsingTheStack) {
  EXPECT_TRUE(parse("[[[]]]", 3));
  EXPECT_EQ(message_of(parse("[[[[]]]]", 3)), "text: nested deeper than 3");
  EXPECT_FALSE(parse(std::string(10'000'000, '[')));
  EXPECT_FALSE(parse([] {
    std::string text;
    for (int i = 0; i < 100'000; ++i) text += "{\"a\":";
    return text;
  }()));
}

TEST(Npy, ReadsBackWhatItWrites) {
  const tern::test::TemporaryFolder folder;
  const std::vector<float> values{1, 2, 3, 4, 5, -0.5F};
  for (const auto& shape : {std::vector<std::int64_t>{6}, {2, 3}, {1, 2, 3}, {6, 1, 1, 1, 1}}) {
    ASSERT_TRUE(write_npy(folder.file("x.npy"), shape, std::span<const float>(values), true));
    const auto read = read_npy(folder.file("x.npy"));
    ASSERT_TRUE(read) << message_of(read);
    EXPECT_EQ(read->shape, shape);
    EXPECT_EQ(read->values, values);
  }
  const std::array<std::int64_t, 2> wrong{2, 2};
  EXPECT_FALSE(write_npy(folder.file("y.npy"), wrong, std::span<const float>(values), true));
}

TEST(Npy, WritesThePaddedHeaderOfTheFormat) {
  const tern::test::TemporaryFolder folder;
  const std::array<std::int64_t, 1> shape{2};
  const std::array<std::int32_t, 2> values{1, -1};
  ASSERT_TRUE(write_npy(folder.file("x.npy"), shape, std::span<const std::int32_t>(values), false));
  const std::string bytes = slurp(folder.file("x.npy"));
  const std::string dict = "{'descr': '<i4', 'fortran_order': False, 'shape': (2,), }";
  std::string expected("\x93NUMPY\x01\x00", 8);
  expected += static_cast<char>(118);
  expected += '\0';
  expected += dict + std::string(118 - dict.size() - 1, ' ') + "\n";
  expected += std::string("\1\0\0\0\xff\xff\xff\xff", 8);
  EXPECT_EQ(bytes, expected);
}

TEST(Npy, WritesRowByRowAndCounts) {
  const tern::test::TemporaryFolder folder;
  const std::array<std::int64_t, 2> shape{2, 2};
  const std::array<float, 2> row{1, 2};
  auto writer = NpyWriter::create(folder.file("x.npy"), shape, false);
  ASSERT_TRUE(writer);
  ASSERT_TRUE(writer->write(row));
  EXPECT_FALSE(writer->commit());
  ASSERT_TRUE(writer->write(row));
  EXPECT_FALSE(writer->write(row));
  ASSERT_TRUE(writer->commit());
  EXPECT_EQ(read_npy(folder.file("x.npy"))->values, (std::vector<float>{1, 2, 1, 2}));
}

TEST(Npy, RefusesOtherTypesOrdersAndSizes) {
  const auto file = [](const std::string& dict, std::size_t n_bytes) {
    std::string bytes("\x93NUMPY\x01\x00", 8);
    bytes += static_cast<char>(dict.size());
    bytes += '\0';
    return bytes + dict + std::string(n_bytes, '\0');
  };
  const auto refusal = [](const std::string& bytes) { return message_of(parse_npy(bytes_of(bytes), "x")); };
  EXPECT_EQ(refusal(file("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }", 8)), "");
  EXPECT_EQ(refusal(file("{'descr': '<f4', 'fortran_order': False, 'shape': (), }", 4)), "");
  EXPECT_NE(refusal(file("{'descr': '<f8', 'fortran_order': False, 'shape': (2,), }", 16)), "");
  EXPECT_NE(refusal(file("{'descr': '<f4', 'fortran_order': True, 'shape': (2,), }", 8)), "");
  EXPECT_NE(refusal(file("{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }", 8)), "");
  EXPECT_NE(refusal(file("{'descr': '<f4', 'fortran_order': False, 'shape': (-3,), }", 8)), "");
  EXPECT_NE(refusal(file("{'descr': '<f4', 'fortran_order': False, 'shape': (4611686018427387904, 4), }", 8)), "");
  EXPECT_NE(refusal(file("{'descr': '<f4', 'fortran_order': False}", 8)), "");
  EXPECT_NE(refusal("PK\3\4"), "");
  EXPECT_NE(refusal(""), "");
}

TEST(Kind, IsFoundByContentAlone) {
  const tern::test::TemporaryFolder folder;
  const auto kind_of_copy = [&](const std::string& golden) {
    const std::string path = folder.file("misleading.txt");
    std::filesystem::copy_file(tern::test::source_file("tests/golden/data/" + golden), path,
                               std::filesystem::copy_options::overwrite_existing);
    return detect_kind(path)->kind;
  };
  EXPECT_EQ(kind_of_copy("gguf/align_8.gguf"), FileKind::gguf);
  EXPECT_EQ(kind_of_copy("safetensors/single.safetensors"), FileKind::checkpoint);
  EXPECT_EQ(kind_of_copy("llama2c/v0_shared.bin"), FileKind::llama2c);
  EXPECT_EQ(kind_of_copy("llama2c/v0_own_classifier.bin"), FileKind::llama2c);
  EXPECT_EQ(kind_of_copy("llama2c/v1_shared.bin"), FileKind::llama2c);
  EXPECT_EQ(kind_of_copy("gguf/expected.json"), FileKind::unknown);
  EXPECT_EQ(detect_kind(tern::test::source_file("tests/golden/data/safetensors/sharded"))->what,
            "a folder with model.safetensors.index.json");
  EXPECT_EQ(detect_kind(folder.path())->kind, FileKind::unknown);
  EXPECT_EQ(detect_kind(folder.file("absent")).error().code, ErrorCode::not_found);
}

}  // namespace
}  // namespace tern::files
