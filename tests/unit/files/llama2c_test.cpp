// llama2.c checkpoints against a numpy writing of the format (tests/golden/make/make_llama2c.py).
#include "files/llama2c.hpp"

#include <gtest/gtest.h>

#include "formats/all.hpp"
#include "tests/unit/files/helpers.hpp"

namespace tern::files {
namespace {

using nlohmann::json;
using test::bytes_of;
using test::hex_of;
using test::message_of;
using test::slurp;

std::string golden(const std::string& file) {
  return tern::test::source_file("tests/golden/data/llama2c/" + file);
}

TEST(Llama2c, ReadsBothVersionsWithAndWithoutASharedClassifier) {
  const json files = test::slurp_json(golden("expected.json"));
  ASSERT_EQ(files.size(), 4U);
  for (const json& expected : files) {
    SCOPED_TRACE(expected["file"].get<std::string>());
    const auto file = Llama2cFile::open(golden(expected["file"]));
    ASSERT_TRUE(file) << message_of(file);
    EXPECT_EQ(file->config().version, expected["version"]);
    EXPECT_EQ(file->config().shared_classifier, expected["shared"]);
    EXPECT_EQ(file->config().seq_len, expected["seq_len"]);
    EXPECT_EQ(file->config().vocab_size, 10);
    EXPECT_EQ(file->config().kv_dim(), 4);
    ASSERT_EQ(file->tensors().size(), expected["tensors"].size());
    for (const json& want : expected["tensors"]) {
      SCOPED_TRACE(want["name"].get<std::string>());
      const Llama2cTensor* tensor = file->find(want["name"].get<std::string>());
      ASSERT_NE(tensor, nullptr);
      ASSERT_EQ(tensor->shape.n_dims, static_cast<int>(want["shape"].size()));
      for (std::size_t d = 0; d < want["shape"].size(); ++d) EXPECT_EQ(tensor->shape.ne[d], want["shape"][d]);
      EXPECT_EQ(hex_of(file->view(*tensor).bytes), want["hex"]);
      EXPECT_EQ(file->view(*tensor).format, &formats::kF32);
    }
  }
}

TEST(Llama2c, RefusesAFileOfAnyOtherSize) {
  const std::string whole = slurp(golden("v0_shared.bin"));
  for (std::size_t n = 0; n < whole.size(); ++n) {
    const std::string prefix = whole.substr(0, n);
    const auto cut = Llama2cFile::parse(bytes_of(prefix), "cut");
    ASSERT_FALSE(cut) << n;
    EXPECT_EQ(cut.error().code, ErrorCode::bad_input);
  }
  const std::string longer = whole + "x";
  EXPECT_FALSE(Llama2cFile::parse(bytes_of(longer), "longer"));
}

TEST(Llama2c, RefusesTheQuantisedVersion) {
  std::string bytes = slurp(golden("v1_shared.bin"));
  bytes[4] = 2;
  const auto file = Llama2cFile::parse(bytes_of(bytes), "v2");
  ASSERT_FALSE(file);
  EXPECT_EQ(file.error().code, ErrorCode::unsupported);
}

TEST(Llama2c, ReadsStories260K) {
  TERN_NEEDS_DATA();
  const auto file = Llama2cFile::open(tern::test::data_folder() + "/models/llama2c-stories260K/stories260K.bin");
  ASSERT_TRUE(file) << message_of(file);
  const Llama2cConfig& config = file->config();
  EXPECT_EQ(config.dim, 64);
  EXPECT_EQ(config.hidden_dim, 172);
  EXPECT_EQ(config.n_layers, 5);
  EXPECT_EQ(config.n_heads, 8);
  EXPECT_EQ(config.n_kv_heads, 4);
  EXPECT_EQ(config.vocab_size, 512);
  EXPECT_TRUE(config.shared_classifier);
}

}  // namespace
}  // namespace tern::files
