// The writer of safetensors against the reference library: the same bytes, and what it refuses.
#include "files/safetensors_writer.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "files/safetensors.hpp"
#include "tests/support/data.hpp"

namespace tern::files {
namespace {

std::string slurp(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

// TENSORS of golden/make/make_safetensors_written.py, in its order.
std::vector<SafetensorsTensor> golden_tensors() {
  return {{"z.weight", Dtype::f32, {3, 5}},
          {"a.weight", Dtype::f32, {2}},
          {"packed", Dtype::u8, {3, 7}},
          {"packed_scale", Dtype::f32, {1}},
          {"half", Dtype::f16, {5}},
          {"brain", Dtype::bf16, {2, 3}},
          {"step", Dtype::i64, {}},
          {"empty", Dtype::f32, {0, 4}},
          {"double", Dtype::f64, {1}},
          {"flag", Dtype::boolean, {3}},
          {"n", Dtype::i32, {2}},
          {"tiny", Dtype::i8, {1}},
          {"ünïcode \"name\"\n\x01\x7f\\/", Dtype::u8, {1}},
          {"i16", Dtype::i16, {1}},
          {"u16", Dtype::u16, {1}},
          {"u32", Dtype::u32, {1}},
          {"u64", Dtype::u64, {1}},
          {"e4m3", Dtype::f8_e4m3, {2}},
          {"e5m2", Dtype::f8_e5m2, {3}},
          {"B", Dtype::bf16, {1}},
          {"A", Dtype::f16, {1}}};
}

std::string golden_bytes(std::size_t t, std::uint64_t n_bytes) {
  std::string out;
  for (std::size_t i = 0; i < n_bytes; ++i) out += static_cast<char>((7 * i + 13 * t + 1) % 251);
  return out;
}

TEST(SafetensorsWriter, WritesTheReferenceLibrarysBytes) {
  const auto unsorted = golden_tensors();
  auto tensors = unsorted;
  sort_as_reference(tensors);
  std::string data;
  for (const SafetensorsTensor& tensor : tensors) {
    const auto t =
        static_cast<std::size_t>(std::ranges::find(unsorted, tensor.name, &SafetensorsTensor::name) - unsorted.begin());
    data += golden_bytes(t, tensor.n_bytes().value());
  }
  // In pieces of any size: they need not end with a tensor.
  for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, data.size()}) {
    const test::TemporaryFolder folder;
    auto writer = SafetensorsWriter::create(folder.file("x"), tensors, {{"format", "pt"}}, false);
    ASSERT_TRUE(writer);
    for (std::size_t at = 0; at < data.size(); at += piece) {
      ASSERT_TRUE(writer->write(std::as_bytes(std::span(data)).subspan(at, std::min(piece, data.size() - at))));
    }
    ASSERT_TRUE(writer->commit());
    EXPECT_EQ(slurp(folder.file("x")), slurp(test::source_file("tests/golden/data/safetensors/written.safetensors")));
    EXPECT_EQ(slurp(folder.file("x")).size(), writer->file_bytes());
  }
}

TEST(SafetensorsWriter, IsReadBackWithItsMetadata) {
  const test::TemporaryFolder folder;
  const SafetensorsMetadata metadata{{"recipe", std::string(50'000, 'x') + "\"\n\\ü"}, {"step", "12"}};
  auto writer =
      SafetensorsWriter::create(folder.file("x"), {{"b", Dtype::i64, {2}}, {"a", Dtype::f32, {1, 1}}}, metadata, false);
  ASSERT_TRUE(writer);
  const std::string data = golden_bytes(0, 20);
  ASSERT_TRUE(writer->begin_tensor(0));
  ASSERT_TRUE(writer->write(std::as_bytes(std::span(data)).first(16)));
  ASSERT_TRUE(writer->begin_tensor(1));
  ASSERT_TRUE(writer->write(std::as_bytes(std::span(data)).subspan(16)));
  ASSERT_TRUE(writer->commit());
  const auto file = SafetensorsFile::open(folder.file("x"));
  ASSERT_TRUE(file);
  EXPECT_EQ(file->metadata(), metadata);
  ASSERT_EQ(file->tensors().size(), 2U);
  EXPECT_EQ(file->tensors()[0].name, "b");  // the order given
  EXPECT_EQ(file->tensors()[0].dtype, Dtype::i64);
  EXPECT_EQ(file->tensors()[1].shape, (std::vector<std::int64_t>{1, 1}));
  EXPECT_EQ(file->tensors()[1].bytes[0], static_cast<std::byte>(data[16]));
}

TEST(SafetensorsWriter, HoldsNothingAtAllToo) {
  const test::TemporaryFolder folder;
  auto writer = SafetensorsWriter::create(folder.file("x"), {}, {}, false);
  ASSERT_TRUE(writer);
  ASSERT_TRUE(writer->commit());
  const auto file = SafetensorsFile::open(folder.file("x"));
  ASSERT_TRUE(file) << file.error().message;
  EXPECT_TRUE(file->tensors().empty());
}

TEST(SafetensorsWriter, RefusesBytesThatAreTooManyOrMissing) {
  const test::TemporaryFolder folder;
  auto writer = SafetensorsWriter::create(folder.file("x"), {{"a", Dtype::f32, {2}}, {"b", Dtype::u8, {1}}}, {}, false);
  ASSERT_TRUE(writer);
  const std::string data(10, 'x');
  EXPECT_FALSE(writer->write(std::as_bytes(std::span(data))));
  ASSERT_TRUE(writer->write(std::as_bytes(std::span(data)).first(7)));
  EXPECT_FALSE(writer->begin_tensor(1));
  EXPECT_FALSE(writer->commit());
  ASSERT_TRUE(writer->write(std::as_bytes(std::span(data)).first(1)));
  EXPECT_TRUE(writer->begin_tensor(1));
  EXPECT_FALSE(writer->begin_tensor(2));
  EXPECT_FALSE(std::filesystem::exists(folder.file("x")));
}

TEST(SafetensorsWriter, LeavesTheOldFileUntilItIsWhole) {
  const test::TemporaryFolder folder;
  ASSERT_TRUE(sys::write_file(folder.file("x"), "old", false));
  EXPECT_FALSE(SafetensorsWriter::create(folder.file("x"), {}, {}, false));
  {
    auto writer = SafetensorsWriter::create(folder.file("x"), {{"a", Dtype::u8, {1}}}, {}, true);
    ASSERT_TRUE(writer);
  }
  EXPECT_EQ(slurp(folder.file("x")), "old");
  auto writer = SafetensorsWriter::create(folder.file("x"), {}, {}, true);
  ASSERT_TRUE(writer);
  ASSERT_TRUE(writer->seal());
  EXPECT_EQ(slurp(folder.file("x")), "old");
  ASSERT_TRUE(writer->publish());
  EXPECT_NE(slurp(folder.file("x")), "old");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.path()), std::filesystem::directory_iterator()),
            1);
}

TEST(SafetensorsWriter, RefusesNamesAndShapesThatReadersWould) {
  const test::TemporaryFolder folder;
  const auto message = [&](std::vector<SafetensorsTensor> tensors, const SafetensorsMetadata& metadata = {}) {
    const auto writer = SafetensorsWriter::create(folder.file("x"), std::move(tensors), metadata, false);
    return writer ? std::string("taken") : writer.error().message;
  };
  EXPECT_NE(message({{"a", Dtype::u8, {1}}, {"a", Dtype::u8, {1}}}).find("two tensors"), std::string::npos);
  EXPECT_NE(message({{"__metadata__", Dtype::u8, {1}}}).find("no name"), std::string::npos);
  EXPECT_NE(message({{"", Dtype::u8, {1}}}).find("no name"), std::string::npos);
  EXPECT_NE(message({{"\xff", Dtype::u8, {1}}}).find("no name"), std::string::npos);
  EXPECT_NE(message({}, {{"a", "\xff"}}).find("not UTF-8"), std::string::npos);
  EXPECT_NE(message({{"a", Dtype::u8, {-1}}}).find("63 bits"), std::string::npos);
  EXPECT_NE(message({{"a", Dtype::f64, {std::int64_t{1} << 61}}}).find("63 bits"), std::string::npos);
  EXPECT_NE(message({{"a", Dtype::u8, std::vector<std::int64_t>(9, 1)}}).find("dimensions"), std::string::npos);
  EXPECT_NE(message({}, {{"a", std::string(100'000'000, 'x')}}).find("header"), std::string::npos);
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

}  // namespace
}  // namespace tern::files
