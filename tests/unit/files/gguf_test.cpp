// GGUF against files written by the PyPI package `gguf` (tests/golden/make/make_gguf.py): every value compared, and our
// writer's bytes compared with the package's.
#include <gtest/gtest.h>

#include <algorithm>

#include "files/gguf_reader.hpp"
#include "files/gguf_writer.hpp"
#include "formats/all.hpp"
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
  return tern::test::source_file("tests/golden/data/gguf/" + file);
}

json as_json(const MetaValue& value) {
  return std::visit(
      [](const auto& held) -> json {
        using Held = std::remove_cvref_t<decltype(held)>;
        json out = json::array();
        if constexpr (std::same_as<Held, MetaStrings>) {
          for (std::size_t i = 0; i < held.size(); ++i) out.push_back(std::string(held[i]));
          return out;
        } else if constexpr (std::same_as<Held, MetaArrays>) {
          for (const auto& item : held.items) out.push_back(as_json(item));
          return out;
        } else {
          return json(held);
        }
      },
      value.storage);
}

TEST(Gguf, ReadsEveryValueThePackageWrote) {
  const json files = slurp_json(golden("expected.json"));
  ASSERT_EQ(files.size(), 6U);
  for (const json& expected : files) {
    SCOPED_TRACE(expected["file"].get<std::string>());
    const auto file = GgufFile::open(golden(expected["file"]));
    ASSERT_TRUE(file) << message_of(file);
    EXPECT_EQ(file->version(), expected["version"]);
    EXPECT_EQ(file->alignment(), expected["alignment"]);
    EXPECT_EQ(file->architecture(), "golden");
    ASSERT_EQ(file->metadata().size(), expected["metadata"].size());
    for (std::size_t i = 0; i < file->metadata().size(); ++i) {
      const auto& entry = file->metadata().entries()[i];
      const json& want = expected["metadata"][i];
      SCOPED_TRACE(entry.key);
      EXPECT_EQ(entry.key, want["key"]);
      EXPECT_EQ(type_name(entry.value.type()), want["type"]);
      if (want.contains("element")) {
        EXPECT_EQ(type_name(entry.value.element_type()), want["element"]);
      }
      EXPECT_EQ(as_json(entry.value), want["value"]);
      if (want.contains("inner")) {
        for (const auto& item : std::get<MetaArrays>(entry.value.storage).items) {
          EXPECT_EQ(type_name(item.element_type()), want["inner"]);
        }
      }
    }
    ASSERT_EQ(file->tensors().size(), expected["tensors"].size());
    for (std::size_t i = 0; i < file->tensors().size(); ++i) {
      const GgufTensor& tensor = file->tensors()[i];
      const json& want = expected["tensors"][i];
      SCOPED_TRACE(tensor.name);
      EXPECT_EQ(tensor.name, want["name"]);
      EXPECT_EQ(tensor.type_id, want["type"]);
      ASSERT_NE(tensor.format, nullptr) << tensor.unsupported_reason;
      EXPECT_EQ(tensor.format->name, want["type_name"]);
      EXPECT_EQ(tensor.shape.n_dims, static_cast<int>(want["shape"].size()));
      for (std::size_t d = 0; d < want["shape"].size(); ++d) EXPECT_EQ(tensor.shape.ne[d], want["shape"][d]);
      EXPECT_EQ(tensor.offset, want["offset"]);
      EXPECT_EQ(tensor.n_bytes, want["n_bytes"]);
      EXPECT_EQ(hex_of(file->view(tensor).bytes), want["hex"]);
      EXPECT_EQ(file->find(tensor.name), &tensor);
    }
    EXPECT_EQ(file->find("no such tensor"), nullptr);
  }
}

TEST(Gguf, WritesTheSameBytesAsThePackage) {
  const tern::test::TemporaryFolder folder;
  for (const std::string name : {"every_type_v3.gguf", "align_8.gguf", "align_64.gguf", "no_tensors.gguf"}) {
    SCOPED_TRACE(name);
    const auto source = GgufFile::open(golden(name));
    ASSERT_TRUE(source) << message_of(source);
    auto writer = GgufWriter::create(folder.file(name), false);
    ASSERT_TRUE(writer) << message_of(writer);
    ASSERT_TRUE(writer->set_metadata(source->metadata()));
    for (const auto& tensor : source->tensors()) {
      ASSERT_TRUE(writer->add_tensor(tensor.name, tensor.shape, *tensor.format));
    }
    EXPECT_EQ(*writer->layout().file_bytes(), source->file_bytes());
    for (std::size_t i = 0; i < source->tensors().size(); ++i) {
      const auto bytes = source->bytes(source->tensors()[i]);
      ASSERT_TRUE(writer->begin_tensor(i));
      ASSERT_TRUE(writer->write(bytes.first(bytes.size() / 3)));
      ASSERT_TRUE(writer->write(bytes.subspan(bytes.size() / 3)));
      ASSERT_TRUE(writer->end_tensor());
    }
    ASSERT_TRUE(writer->commit());
    EXPECT_TRUE(slurp(folder.file(name)) == slurp(golden(name)));
  }
}

TEST(Gguf, EveryPrefixOfAFileIsRefused) {
  const std::string whole = slurp(golden("every_type_v3.gguf"));
  const auto file = GgufFile::parse(bytes_of(whole), "whole");
  ASSERT_TRUE(file);
  std::uint64_t last_byte = 0;  // padding after the last tensor may be missing
  for (const auto& tensor : file->tensors()) last_byte = std::max(last_byte, tensor.offset + tensor.n_bytes);
  for (std::size_t n = 0; n < whole.size(); ++n) {
    const std::string prefix = whole.substr(0, n);
    const auto cut = GgufFile::parse(bytes_of(prefix), "cut");
    EXPECT_EQ(cut.has_value(), n >= last_byte) << n;
    if (!cut) {
      EXPECT_EQ(cut.error().code, ErrorCode::bad_input) << n << cut.error().message;
      EXPECT_EQ(cut.error().message.find('\n'), std::string::npos);
      EXPECT_TRUE(cut.error().message.starts_with("cut: ")) << cut.error().message;
    }
  }
}

TEST(Gguf, EveryChangedByteOfTheHeaderIsReadOrRefused) {
  const std::string whole = slurp(golden("every_type_v3.gguf"));
  const std::size_t header_end = GgufFile::parse(bytes_of(whole), "whole")->tensors()[0].offset;
  std::size_t n_refused = 0;
  for (std::size_t i = 0; i < header_end; ++i) {
    for (const int flip : {1, 0x80, 0xff}) {
      std::string changed = whole;
      changed[i] = static_cast<char>(changed[i] ^ flip);
      const auto file = GgufFile::parse(bytes_of(changed), "changed");
      n_refused += file ? 0 : 1;
      if (!file) continue;
      for (const auto& tensor : file->tensors()) {
        ASSERT_LE(tensor.offset + tensor.n_bytes, changed.size());
      }
    }
  }
  EXPECT_GT(n_refused, header_end / 4);  // lengths, counts and types are a good part of the header
}

TEST(Gguf, TensorsMayLieInAnyOrder) {
  // Two F32 tensors of 8 values whose offsets are exchanged.
  GgufLayout layout;
  ASSERT_TRUE(layout.add_tensor("first", vector_shape(8), formats::kF32));
  ASSERT_TRUE(layout.add_tensor("second", vector_shape(8), formats::kF32));
  std::string bytes = *layout.header();
  const auto first_offset = bytes.find("first") + 5 + 4 + 8 + 4;
  const auto second_offset = bytes.find("second") + 6 + 4 + 8 + 4;
  std::swap_ranges(bytes.begin() + static_cast<std::ptrdiff_t>(first_offset),
                   bytes.begin() + static_cast<std::ptrdiff_t>(first_offset) + 8,
                   bytes.begin() + static_cast<std::ptrdiff_t>(second_offset));
  bytes += std::string(32, 'S') + std::string(32, 'F');
  const auto file = GgufFile::parse(bytes_of(bytes), "exchanged");
  ASSERT_TRUE(file) << message_of(file);
  EXPECT_EQ(std::to_integer<char>(file->view(*file->find("first")).bytes[31]), 'F');
  EXPECT_EQ(std::to_integer<char>(file->view(*file->find("second")).bytes[0]), 'S');
}

TEST(Gguf, ATypeOfSomebodyElseIsNamedAndItsBytesAreKept) {
  GgufLayout layout;
  ASSERT_TRUE(layout.add_tensor("weights", vector_shape(32), formats::kF32));
  std::string bytes = *layout.header();
  bytes[bytes.find("weights") + 7 + 4 + 8] = 24;  // I8
  bytes += std::string(32, 'x');
  const auto file = GgufFile::parse(bytes_of(bytes), "foreign");
  ASSERT_TRUE(file) << message_of(file);
  const GgufTensor& tensor = file->tensors()[0];
  EXPECT_EQ(tensor.format, nullptr);
  EXPECT_NE(tensor.unsupported_reason.find("I8"), std::string::npos) << tensor.unsupported_reason;
  EXPECT_EQ(tensor.n_bytes, 32U);
}

TEST(GgufWriter, RefusesWrongOrderAndWrongSizes) {
  const tern::test::TemporaryFolder folder;
  auto writer = GgufWriter::create(folder.file("x.gguf"), false);
  ASSERT_TRUE(writer);
  ASSERT_TRUE(writer->add_tensor("a", vector_shape(2), formats::kF32));
  ASSERT_TRUE(writer->add_tensor("b", vector_shape(1), formats::kF32));
  EXPECT_NE(message_of(writer->add_tensor("a", vector_shape(2), formats::kF32)).find("added twice"), std::string::npos);
  EXPECT_FALSE(writer->add_tensor("", vector_shape(2), formats::kF32));
  EXPECT_FALSE(writer->add_tensor(std::string(64, 'n'), vector_shape(2), formats::kF32));
  EXPECT_FALSE(writer->add_tensor("c", vector_shape(33), formats::kQ8_0));
  const std::string eight(8, '\1');
  EXPECT_FALSE(writer->write(bytes_of(eight)));
  EXPECT_FALSE(writer->begin_tensor(1));
  ASSERT_TRUE(writer->begin_tensor(0));
  EXPECT_FALSE(writer->set_metadata({}));
  EXPECT_FALSE(writer->add_tensor("late", vector_shape(2), formats::kF32));
  EXPECT_FALSE(writer->begin_tensor(0));
  ASSERT_TRUE(writer->write(bytes_of(eight).first(5)));
  EXPECT_NE(message_of(writer->end_tensor()).find("3 bytes short"), std::string::npos);
  EXPECT_NE(message_of(writer->write(bytes_of(eight))).find("5 bytes too many"), std::string::npos);
  ASSERT_TRUE(writer->write(bytes_of(eight).first(3)));
  EXPECT_FALSE(writer->commit());
  ASSERT_TRUE(writer->end_tensor());
  EXPECT_FALSE(writer->commit()) << "b is missing";
  EXPECT_FALSE(std::filesystem::exists(folder.file("x.gguf")));
  ASSERT_TRUE(writer->write_tensor(1, bytes_of(eight).first(4)));
  ASSERT_TRUE(writer->commit());
  EXPECT_TRUE(GgufFile::open(folder.file("x.gguf")));
}

TEST(GgufWriter, LeavesNothingBehindWhenNotCommitted) {
  const tern::test::TemporaryFolder folder;
  {
    auto writer = GgufWriter::create(folder.file("x.gguf"), false);
    ASSERT_TRUE(writer);
    ASSERT_TRUE(writer->add_tensor("a", vector_shape(2), formats::kF32));
    ASSERT_TRUE(writer->begin_tensor(0));
  }
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST(GgufWriter, RefusesAnExistingFileUnlessToldTo) {
  const tern::test::TemporaryFolder folder;
  std::ofstream(folder.file("x.gguf")) << "old";
  const auto refused = GgufWriter::create(folder.file("x.gguf"), false);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("--force"), std::string::npos);
  EXPECT_EQ(slurp(folder.file("x.gguf")), "old");
  EXPECT_TRUE(GgufWriter::create(folder.file("x.gguf"), true));
}

TEST(Gguf, ReadsTheVocabularyFiles) {
  TERN_NEEDS_DATA();
  const auto file = GgufFile::open(tern::test::data_folder() + "/tokenizers/ggml-vocab/ggml-vocab-llama-spm.gguf");
  ASSERT_TRUE(file) << message_of(file);
  EXPECT_EQ(*file->metadata().get_string("tokenizer.ggml.model"), "llama");
  const MetaStrings& tokens = **file->metadata().get_strings("tokenizer.ggml.tokens");
  ASSERT_EQ(tokens.size(), 32000U);
  EXPECT_EQ(tokens[1], "<s>");
  EXPECT_EQ(file->metadata().get_f32s("tokenizer.ggml.scores")->size(), 32000U);
  EXPECT_TRUE(file->tensors().empty());
}

}  // namespace
}  // namespace tern::files
