// safetensors against files written by the PyPI package (tests/golden/make/make_safetensors.py).
#include "files/safetensors.hpp"

#include <gtest/gtest.h>

#include <filesystem>

#include "files/checkpoint.hpp"
#include "tests/unit/files/helpers.hpp"

namespace tern::files {
namespace {

using nlohmann::json;
using test::bytes_of;
using test::hex_of;
using test::message_of;
using test::slurp;
using test::slurp_json;

std::string golden(const std::string& file) {
  return tern::test::source_file("tests/golden/data/safetensors/" + file);
}

std::string file_of(const std::string& header, const std::string& data) {
  std::string out(8, '\0');
  for (std::size_t i = 0; i < 8; ++i) out[i] = static_cast<char>(header.size() >> (8 * i));
  return out + header + data;
}

void expect_same(const StoredTensor& tensor, const json& want) {
  SCOPED_TRACE(tensor.name);
  EXPECT_EQ(dtype_name(tensor.dtype), want["dtype"]);
  EXPECT_EQ(json(tensor.shape), want["shape"]);
  EXPECT_EQ(hex_of(tensor.bytes), want["hex"]);
  if (!want.contains("f32")) {
    const auto refused = to_f32(tensor);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::unsupported);
    return;
  }
  const auto values = to_f32(tensor);
  ASSERT_TRUE(values) << message_of(values);
  EXPECT_EQ(json(*values), want["f32"]);
  for (std::int64_t row = 0; row < tensor.n_rows(); ++row) {
    std::vector<float> one(static_cast<std::size_t>(tensor.row_length()));
    ASSERT_TRUE(rows_to_f32(tensor, row, 1, one));
    for (std::size_t i = 0; i < one.size(); ++i) {
      EXPECT_EQ(one[i], (*values)[static_cast<std::size_t>(row) * one.size() + i]);
    }
  }
}

TEST(Safetensors, ReadsEveryTensorThePackageWrote) {
  const json expected = slurp_json(golden("expected.json"));
  const auto file = SafetensorsFile::open(golden("single.safetensors"));
  ASSERT_TRUE(file) << message_of(file);
  ASSERT_EQ(file->tensors().size(), expected["single"].size());
  for (const json& want : expected["single"]) {
    const StoredTensor* tensor = file->find(want["name"].get<std::string>());
    ASSERT_NE(tensor, nullptr) << want["name"];
    expect_same(*tensor, want);
  }
  EXPECT_EQ(file->find("absent"), nullptr);
  EXPECT_EQ(json(file->metadata()), expected["metadata"]);
}

TEST(Safetensors, GivesShapesInTernsOrder) {
  const auto file = SafetensorsFile::open(golden("single.safetensors"));
  ASSERT_TRUE(file);
  EXPECT_EQ(file->find("four")->gguf_shape()->text(), "[2, 3, 1, 2]");
  EXPECT_EQ(file->find("u8")->gguf_shape()->text(), "[3, 2]");
  EXPECT_EQ(file->find("scalar")->gguf_shape()->text(), "[1]");
  EXPECT_FALSE(file->find("empty")->gguf_shape());
}

TEST(Safetensors, RefusesRowsThatAreNotThere) {
  const auto file = SafetensorsFile::open(golden("single.safetensors"));
  ASSERT_TRUE(file);
  const StoredTensor& tensor = *file->find("f32");
  std::vector<float> two(10);
  EXPECT_TRUE(rows_to_f32(tensor, 1, 2, two));
  EXPECT_FALSE(rows_to_f32(tensor, 2, 2, two));
  EXPECT_FALSE(rows_to_f32(tensor, -1, 2, two));
  EXPECT_FALSE(rows_to_f32(tensor, 0, 1, two));
}

TEST(Safetensors, EveryPrefixOfAFileIsRefused) {
  const std::string whole = slurp(golden("single.safetensors"));
  for (std::size_t n = 0; n < whole.size(); ++n) {
    const std::string prefix = whole.substr(0, n);
    const auto cut = SafetensorsFile::parse(bytes_of(prefix), "cut");
    ASSERT_FALSE(cut) << n;
    EXPECT_EQ(cut.error().code, ErrorCode::bad_input) << cut.error().message;
  }
}

TEST(Safetensors, HolesAndEmptyTensorsAreFine) {
  const std::string bytes = file_of(
      R"({"b":{"dtype":"U8","shape":[2],"data_offsets":[4,6]},"e":{"dtype":"F32","shape":[0,3],"data_offsets":[5,5]},)"
      R"("a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}})",
      "A---BC");
  const auto file = SafetensorsFile::parse(bytes_of(bytes), "holes");
  ASSERT_TRUE(file) << message_of(file);
  EXPECT_EQ(file->tensors()[0].name, "a");
  EXPECT_EQ(hex_of(file->find("b")->bytes), "4243");
}

TEST(Checkpoint, ReadsAShardedFolder) {
  const json expected = slurp_json(golden("expected.json"));
  auto opened = Checkpoint::open(golden("sharded/"));
  ASSERT_TRUE(opened) << message_of(opened);
  const Checkpoint checkpoint = *std::move(opened);
  ASSERT_EQ(checkpoint.tensors().size(), expected["sharded"].size());
  for (const json& want : expected["sharded"]) {
    const StoredTensor* tensor = checkpoint.find(want["name"].get<std::string>());
    ASSERT_NE(tensor, nullptr);
    expect_same(*tensor, want);
    checkpoint.release(*tensor);
    expect_same(*tensor, want);  // released bytes come back from the file
  }
  EXPECT_EQ(checkpoint.tensors()[0]->name, "a.weight");
  EXPECT_EQ(checkpoint.find("absent"), nullptr);
  EXPECT_EQ(checkpoint.folder(), golden("sharded"));
}

TEST(Checkpoint, ReadsASingleFile) {
  const auto checkpoint = Checkpoint::open(golden("single.safetensors"));
  ASSERT_TRUE(checkpoint) << message_of(checkpoint);
  EXPECT_EQ(checkpoint->folder() + "/", golden(""));
  EXPECT_NE(checkpoint->find("bf16"), nullptr);
}

TEST(Checkpoint, RefusesAFolderWithoutWeights) {
  const tern::test::TemporaryFolder folder;
  const auto checkpoint = Checkpoint::open(folder.path());
  ASSERT_FALSE(checkpoint);
  EXPECT_EQ(checkpoint.error().code, ErrorCode::not_found);
}

TEST(Checkpoint, RefusesABadIndex) {
  const tern::test::TemporaryFolder folder;
  const auto with_index = [&](const std::string& index) {
    std::ofstream(folder.file("model.safetensors.index.json")) << index;
    return message_of(Checkpoint::open(folder.path()));
  };
  std::ofstream(folder.file("one.safetensors"), std::ios::binary)
      << file_of(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}})", "A");
  std::ofstream(folder.file("two.safetensors"), std::ios::binary) << file_of(
      R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}})",
      "A");
  EXPECT_EQ(with_index(R"({"weight_map":{"a":"one.safetensors"}})"), "");
  EXPECT_NE(with_index(R"({"weight_map":{"a":"../one.safetensors"}})").find("same folder"), std::string::npos);
  EXPECT_NE(with_index(R"({"weight_map":{"a":"/etc/passwd"}})").find("same folder"), std::string::npos);
  EXPECT_NE(with_index(R"({"weight_map":{"a":".."}})").find("same folder"), std::string::npos);
  EXPECT_NE(with_index(R"({"weight_map":{"c":"one.safetensors"}})").find("should be in"), std::string::npos);
  EXPECT_NE(with_index(R"({"weight_map":{"a":"absent.safetensors"}})").find("no such file"), std::string::npos);
  EXPECT_NE(with_index(R"({"weight_map":{"a":"one.safetensors","b":"two.safetensors"}})").find("expected once"),
            std::string::npos);
  EXPECT_NE(with_index(R"({"weight_map":{"a":3}})").find("not a string"), std::string::npos);
  EXPECT_NE(with_index(R"({"weight_map":[]})").find("weight_map"), std::string::npos);
  EXPECT_NE(with_index(R"({"weight_map":{}})").find("empty"), std::string::npos);
  EXPECT_NE(with_index("[]").find("weight_map"), std::string::npos);
  EXPECT_NE(with_index("{").find("not valid JSON"), std::string::npos);
}

TEST(Checkpoint, ReadsTheReferenceModels) {
  TERN_NEEDS_DATA();
  const auto checkpoint = Checkpoint::open(tern::test::data_folder() + "/models/reference-bitnet");
  ASSERT_TRUE(checkpoint) << message_of(checkpoint);
  EXPECT_NE(checkpoint->find("model.embed_tokens.weight"), nullptr);
  const auto sharded = Checkpoint::open(tern::test::data_folder() + "/golden/llama-rope-scaled-sharded");
  ASSERT_TRUE(sharded) << message_of(sharded);
  EXPECT_GT(sharded->n_files(), 1U);
}

}  // namespace
}  // namespace tern::files
