// Models in parts: names, keys, which tensor goes where, and the whole model again from any part.
#include "files/gguf_split.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "files/gguf_reader.hpp"
#include "files/gguf_set_writer.hpp"
#include "formats/all.hpp"
#include "tests/unit/files/helpers.hpp"

namespace tern::files {
namespace {

using test::bytes_of;
using test::message_of;
using test::slurp;
using Counts = std::vector<std::size_t>;

GgufLayout layout_of(std::initializer_list<std::int64_t> lengths) {
  GgufLayout layout;
  layout.metadata.set("general.architecture", "test");
  for (const std::int64_t n : lengths) {
    EXPECT_TRUE(layout.add_tensor(fmt::format("t{}", layout.tensors().size()), vector_shape(n), formats::kF32));
  }
  return layout;
}

std::vector<std::byte> body(const PlannedTensor& tensor) {
  return std::vector<std::byte>(static_cast<std::size_t>(tensor.n_bytes), static_cast<std::byte>(tensor.name.back()));
}

// Every byte of a tensor is the last letter of its name.
Result<void> write_parts(std::vector<PlannedPart> parts, bool overwrite = false) {
  TERN_TRY(GgufSetWriter writer, GgufSetWriter::create(std::move(parts), overwrite));
  std::size_t index = 0;
  for (const PlannedPart& part : writer.parts()) {
    for (const PlannedTensor& tensor : part.layout.tensors()) {
      TERN_TRY_DO(writer.begin_tensor(index++));
      TERN_TRY_DO(writer.write(body(tensor)));
      TERN_TRY_DO(writer.end_tensor());
    }
  }
  return writer.commit();
}

TEST(GgufSplit, ANameSaysPrefixNumberAndCount) {
  EXPECT_EQ(split_path("a/m", 1, 3), "a/m-00002-of-00003.gguf");
  const auto name = split_name("a/m-00002-of-00003.gguf");
  ASSERT_TRUE(name);
  EXPECT_EQ(name->prefix, "a/m");
  EXPECT_EQ(name->no, 1U);
  EXPECT_EQ(name->count, 3U);
  for (const char* wrong : {"m.gguf", "m-0002-of-0003.gguf", "m-00000-of-00003.gguf", "m-00004-of-00003.gguf",
                            "m-0000x-of-00003.gguf", "m-00001-of-00003.bin", "-00001-of-00003.gguf",
                            "a/-00001-of-00003.gguf", "m-00001_of_00003.gguf", "m-+0001-of-00003.gguf"}) {
    EXPECT_FALSE(split_name(wrong)) << wrong;
  }
}

TEST(GgufSplit, TensorsAreCountedIntoParts) {
  const GgufLayout layout = layout_of({8, 8, 8, 8, 8});
  EXPECT_EQ(*group_tensors(layout.tensors(), {.max_tensors = 2}), (Counts{2, 2, 1}));
  EXPECT_EQ(*group_tensors(layout.tensors(), {.max_tensors = 5}), (Counts{5}));
  EXPECT_EQ(*group_tensors(layout.tensors(), {.max_tensors = 2, .no_tensor_in_first = true}), (Counts{0, 2, 2, 1}));
  EXPECT_EQ(*group_tensors(layout.tensors(), {}), (Counts{5}));
  EXPECT_EQ(*group_tensors({}, {}), (Counts{0}));
  GgufLayout many;
  for (int i = 0; i < 300; ++i) {
    ASSERT_TRUE(many.add_tensor(fmt::format("t{}", i), vector_shape(8), formats::kF32));
  }
  EXPECT_EQ(*group_tensors(many.tensors(), {}), (Counts{128, 128, 44})) << "128 where nobody says otherwise";
}

TEST(GgufSplit, BytesArePaddedTo32AndTheLimitItselfFits) {
  const GgufLayout layout = layout_of({1, 8, 8, 24, 1});  // 32, 32, 32, 96, 32 bytes when padded
  EXPECT_EQ(*group_tensors(layout.tensors(), {.max_bytes = 64}), (Counts{2, 1, 1, 1}));
  EXPECT_EQ(*group_tensors(layout.tensors(), {.max_bytes = 96}), (Counts{3, 1, 1}));
  EXPECT_EQ(*group_tensors(layout.tensors(), {.max_bytes = 1}), (Counts{1, 1, 1, 1, 1})) << "never an empty part";
  EXPECT_EQ(*group_tensors(layout.tensors(), {.max_bytes = 1, .no_tensor_in_first = true}), (Counts{0, 1, 1, 1, 1, 1}));
}

TEST(GgufSplit, ImpossibleRulesAreRefused) {
  const GgufLayout layout = layout_of({8});
  EXPECT_FALSE(group_tensors(layout.tensors(), {.max_tensors = 0}));
  EXPECT_FALSE(group_tensors(layout.tensors(), {.max_bytes = 0}));
  EXPECT_FALSE(group_tensors(layout.tensors(), {.max_tensors = 1, .max_bytes = 1}));
  const std::vector<PlannedTensor> tensors(65536, PlannedTensor{"t", vector_shape(8), &formats::kF32, 32, 0});
  EXPECT_NE(message_of(group_tensors(tensors, {.max_tensors = 1})).find("65536 parts, expected at most 65535"),
            std::string::npos);
}

TEST(GgufSplit, TheFirstPartHasTheMetadataAndAllHaveTheirPlace) {
  const auto parts = split_layout(layout_of({8, 8, 8}), Counts{2, 1}, "m");
  ASSERT_TRUE(parts);
  ASSERT_EQ(parts->size(), 2U);
  const auto keys = [](const PlannedPart& part) {
    std::vector<std::string> names;
    for (const auto& entry : part.layout.metadata.entries()) names.push_back(entry.key);
    return names;
  };
  EXPECT_EQ(keys((*parts)[0]),
            (std::vector<std::string>{"general.architecture", "split.no", "split.tensors.count", "split.count"}));
  EXPECT_EQ(keys((*parts)[1]), (std::vector<std::string>{"split.no", "split.tensors.count", "split.count"}));
  EXPECT_EQ(*(*parts)[1].layout.metadata.find(kSplitNo), MetaValue(std::uint16_t{1}));
  EXPECT_EQ(*(*parts)[1].layout.metadata.find(kSplitCount), MetaValue(std::uint16_t{2}));
  EXPECT_EQ(*(*parts)[1].layout.metadata.find(kSplitTensors), MetaValue(std::int32_t{3}));
}

TEST(GgufSplit, AModelIsWholeAgainFromEachOfItsParts) {
  const tern::test::TemporaryFolder folder;
  const auto parts = split_layout(layout_of({8, 100, 3, 8}), Counts{0, 1, 2, 1}, folder.file("m"));
  ASSERT_TRUE(write_parts(*parts));
  std::uint64_t n_bytes = 0;
  for (const PlannedPart& part : *parts) n_bytes += std::filesystem::file_size(part.path);
  for (const PlannedPart& given : *parts) {
    const auto file = GgufFile::open(given.path);
    ASSERT_TRUE(file) << message_of(file);
    EXPECT_EQ(file->name(), given.path);
    EXPECT_EQ(file->architecture(), "test");
    EXPECT_EQ(file->metadata().size(), 1U) << "the keys of the place are gone";
    EXPECT_EQ(file->file_bytes(), n_bytes);
    ASSERT_EQ(file->parts().size(), 4U);
    EXPECT_EQ(file->parts()[2].n_tensors, 2U);
    EXPECT_EQ(file->parts()[2].path, (*parts)[2].path);
    ASSERT_EQ(file->tensors().size(), 4U);
    for (const GgufTensor& tensor : file->tensors()) {
      EXPECT_EQ(file->find(tensor.name), &tensor);
      for (const std::byte b : file->bytes(tensor)) ASSERT_EQ(b, static_cast<std::byte>(tensor.name.back()));
      file->release(tensor);
    }
    EXPECT_EQ(file->find("t3")->part, 3U);
    EXPECT_EQ(file->find("t0")->part, 1U);
  }
}

TEST(GgufSplit, OnePartInMemoryIsItselfAlone) {
  const tern::test::TemporaryFolder folder;
  const auto parts = split_layout(layout_of({8, 8}), Counts{1, 1}, folder.file("m"));
  ASSERT_TRUE(write_parts(*parts));
  const std::string first = slurp((*parts)[0].path);
  const std::string second = slurp((*parts)[1].path);
  const auto alone = GgufFile::parse(bytes_of(second), "second");
  ASSERT_TRUE(alone) << message_of(alone);
  EXPECT_EQ(alone->tensors().size(), 1U);
  EXPECT_TRUE(alone->metadata().contains(kSplitCount));
  const std::vector<std::span<const std::byte>> both{bytes_of(first), bytes_of(second)};
  const auto whole = GgufFile::parse_parts(both, "both");
  ASSERT_TRUE(whole) << message_of(whole);
  EXPECT_EQ(whole->tensors().size(), 2U);
  const std::vector<std::span<const std::byte>> reversed{bytes_of(second), bytes_of(first)};
  EXPECT_NE(message_of(GgufFile::parse_parts(reversed, "both")).find("expected part 1"), std::string::npos);
}

TEST(GgufSplit, NumbersThatMeanDifferentTypesFollowTheFirstPartsArchitecture) {
  // Type 36 with this size is I2_S in BitNet's files alone, and the second part does not say whose it is.
  const tern::test::TemporaryFolder folder;
  GgufLayout layout;
  layout.metadata.set("general.architecture", "bitnet-b1.58");
  ASSERT_TRUE(layout.add_tensor("a", vector_shape(8), formats::kF32));
  ASSERT_TRUE(layout.add_tensor("b", matrix_shape(256, 4), formats::kI2_S));
  const auto parts = split_layout(layout, Counts{1, 1}, folder.file("m"));
  ASSERT_TRUE(write_parts(*parts));
  const auto file = GgufFile::open((*parts)[1].path);
  ASSERT_TRUE(file) << message_of(file);
  EXPECT_EQ(file->find("b")->format, &formats::kI2_S);
}

TEST(GgufSplit, AnExistingPartIsSeenBeforeAnythingIsWritten) {
  const tern::test::TemporaryFolder folder;
  const auto parts = split_layout(layout_of({8, 8, 8}), Counts{1, 1, 1}, folder.file("m"));
  std::ofstream((*parts)[2].path) << "old";
  EXPECT_NE(message_of(write_parts(*parts)).find("m-00003-of-00003.gguf: exists already"), std::string::npos);
  EXPECT_FALSE(std::filesystem::exists((*parts)[0].path));
  EXPECT_EQ(slurp((*parts)[2].path), "old");
  ASSERT_TRUE(write_parts(*parts, true));
  EXPECT_TRUE(GgufFile::open((*parts)[2].path));
}

TEST(GgufSplit, AWritingThatIsGivenUpLeavesNothing) {
  const tern::test::TemporaryFolder folder;
  {
    const auto parts = split_layout(layout_of({8, 8, 8}), Counts{1, 1, 1}, folder.file("m"));
    auto writer = GgufSetWriter::create(*parts, false);
    ASSERT_TRUE(writer);
    ASSERT_TRUE(writer->begin_tensor(0));
    ASSERT_TRUE(writer->write(body(parts->front().layout.tensors()[0])));
    ASSERT_TRUE(writer->end_tensor());
    ASSERT_TRUE(writer->begin_tensor(1));
    EXPECT_FALSE(writer->commit()) << "tensors are missing";
  }
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

}  // namespace
}  // namespace tern::files
