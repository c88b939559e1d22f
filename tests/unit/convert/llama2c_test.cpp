// llama2.c checkpoints as a source: LLaMA's shape from seven numbers, rows as they are stored.
#include <gtest/gtest.h>

#include <filesystem>

#include "convert/source.hpp"
#include "files/llama2c.hpp"
#include "formats/all.hpp"
#include "tests/support/models.hpp"

namespace tern::convert {
namespace {

std::string golden(const std::string& file) {
  return test::source_file("tests/golden/data/llama2c/" + file);
}

TEST(Llama2cSource, IsNamedByItsFileWithoutTheEnding) {
  const test::TemporaryFolder folder;
  std::filesystem::copy_file(golden("v0_shared.bin"), folder.file("stories1.5M.bin"));
  std::filesystem::copy_file(golden("v0_shared.bin"), folder.file("plain"));
  EXPECT_EQ(test::must(open_source(folder.file("stories1.5M.bin"))).name, "stories1.5M");
  EXPECT_EQ(test::must(open_source(folder.file("plain"))).name, "plain");
}

TEST(Llama2cSource, GivesTheRowsOfTheFile) {
  for (const char* name : {"v0_shared.bin", "v0_own_classifier.bin", "v1_shared.bin", "v1_own_classifier.bin"}) {
    SCOPED_TRACE(name);
    const Source source = test::must(open_source(golden(name)));
    const auto file = test::must(files::Llama2cFile::open(golden(name)));
    EXPECT_EQ(source.architecture->name, "llama");
    EXPECT_TRUE(source.unknown.empty());
    EXPECT_EQ(source.tensors.size(), file.tensors().size());
    for (const SourceTensor& tensor : source.tensors) {
      SCOPED_TRACE(tensor.name);
      const files::Llama2cTensor* stored = file.find(tensor.source_name);
      ASSERT_NE(stored, nullptr);
      EXPECT_EQ(tensor.natural, &formats::kF32);
      // The last row alone, so that a reader that always begins at the first is seen.
      std::vector<float> row(static_cast<std::size_t>(tensor.shape.row_length()));
      test::must(tensor.read(tensor.shape.n_rows() - 1, 1, row));
      const auto bytes = std::as_bytes(std::span(row));
      EXPECT_TRUE(std::ranges::equal(bytes, stored->bytes.last(bytes.size())));
    }
  }
}

}  // namespace
}  // namespace tern::convert
