// Splitting and joining whole files: the original's bytes come back, types of other programs included.
#include "convert/split.hpp"

#include <gtest/gtest.h>

#include <fstream>

#include "files/gguf_writer.hpp"
#include "formats/all.hpp"
#include "tests/support/models.hpp"
#include "tests/support/process.hpp"

namespace tern::convert {
namespace {

using test::must;
using test::whole_file;

struct Notes final : Progress {
  std::vector<std::string> lines;
  void note(std::string_view line) override { lines.emplace_back(line); }
};

struct Stopped final : Progress {
  [[nodiscard]] bool cancelled() const override { return true; }
};

class Splitting : public testing::Test {
 protected:
  std::string write_model(std::uint32_t alignment = 32) {
    const std::string path = folder_.file("whole.gguf");
    auto writer = must(files::GgufWriter::create(path, true));
    files::Metadata metadata;
    metadata.set("general.architecture", "test");
    if (alignment != 32) metadata.set("general.alignment", alignment);
    metadata.set("tokens", files::MetaStrings(std::vector<std::string>{"a", "b", ""}));
    must(writer.set_metadata(std::move(metadata)));
    const std::vector<std::int64_t> lengths{5, 4096, 33, 256, 7};
    for (std::size_t i = 0; i < lengths.size(); ++i) {
      must(writer.add_tensor(fmt::format("t{}", i), vector_shape(lengths[i]), i == 3 ? formats::kQ4_K : formats::kF32));
    }
    for (std::size_t i = 0; i < lengths.size(); ++i) {
      std::vector<std::byte> bytes(static_cast<std::size_t>(writer.layout().tensors()[i].n_bytes));
      for (std::size_t k = 0; k < bytes.size(); ++k) bytes[k] = static_cast<std::byte>(31 * i + k);
      must(writer.write_tensor(i, bytes));
    }
    must(writer.commit());
    return path;
  }
  test::TemporaryFolder folder_;
  Notes notes_;
};

TEST_F(Splitting, JoiningGivesTheOriginalBytesBack) {
  for (const std::uint32_t alignment : {32U, 64U, 8U}) {
    const std::string original = write_model(alignment);
    const std::vector<files::SplitRule> rules{
        {.max_tensors = 1}, {.max_tensors = 2, .no_tensor_in_first = true}, {.max_bytes = 1000}, {}};
    for (std::size_t i = 0; i < rules.size(); ++i) {
      const std::string prefix = folder_.file(fmt::format("p{}-{}", alignment, i));
      const CopyPlan split = must(CopyPlan::split(original, prefix, rules[i], notes_));
      must(split.run(false, notes_));
      for (std::size_t k = 0; k < split.parts().size(); ++k) {
        EXPECT_EQ(std::filesystem::file_size(split.parts()[k].path), split.part_bytes()[k]);
      }
      const std::string joined = folder_.file(fmt::format("j{}-{}.gguf", alignment, i));
      must(must(CopyPlan::join(split.parts().back().path, joined)).run(false, notes_));
      EXPECT_TRUE(whole_file(joined) == whole_file(original)) << prefix;
    }
  }
}

TEST_F(Splitting, APartCanBeSplitAgainInAnotherWay) {
  const std::string original = write_model();
  const CopyPlan once = must(CopyPlan::split(original, folder_.file("once"), {.max_tensors = 2}, notes_));
  must(once.run(false, notes_));
  const CopyPlan twice = must(CopyPlan::split(once.parts()[1].path, folder_.file("twice"), {.max_tensors = 3}, notes_));
  must(twice.run(false, notes_));
  const CopyPlan direct = must(CopyPlan::split(original, folder_.file("direct"), {.max_tensors = 3}, notes_));
  must(direct.run(false, notes_));
  ASSERT_EQ(twice.parts().size(), direct.parts().size());
  for (std::size_t i = 0; i < direct.parts().size(); ++i) {
    EXPECT_TRUE(whole_file(twice.parts()[i].path) == whole_file(direct.parts()[i].path));
  }
}

TEST_F(Splitting, TypesOfOtherProgramsAreCarriedOver) {
  const std::string original = write_model();
  std::string bytes = whole_file(original);
  // Tensor t3's type (12, Q4_K) becomes 23 (IQ4_XS, 136 bytes, padded to 160: no more than Q4_K has).
  const std::size_t name = bytes.find("t3");
  ASSERT_NE(name, std::string::npos);
  const std::size_t type = name + 2 + 4 + 8;
  ASSERT_EQ(bytes[type], 12);
  bytes[type] = 23;
  std::ofstream(original, std::ios::binary) << bytes;
  ASSERT_EQ(must(files::GgufFile::open(original)).find("t3")->format, nullptr);
  const CopyPlan split = must(CopyPlan::split(original, folder_.file("p"), {.max_tensors = 1}, notes_));
  must(split.run(false, notes_));
  must(must(CopyPlan::join(split.parts()[0].path, folder_.file("j.gguf"))).run(false, notes_));
  EXPECT_TRUE(whole_file(folder_.file("j.gguf")) == bytes);
}

TEST_F(Splitting, ATensorAboveTheLimitIsNamed) {
  static_cast<void>(must(CopyPlan::split(write_model(), folder_.file("p"), {.max_bytes = 1000}, notes_)));
  ASSERT_EQ(notes_.lines.size(), 1U);
  EXPECT_NE(notes_.lines[0].find("tensor t1 alone has 16.4 kB, more than the limit of 1.00 kB"), std::string::npos)
      << notes_.lines[0];
}

TEST_F(Splitting, AWholeFileIsNotJoined) {
  const auto plan = CopyPlan::join(write_model(), folder_.file("j.gguf"));
  ASSERT_FALSE(plan);
  EXPECT_EQ(plan.error().code, ErrorCode::bad_input);
  EXPECT_NE(plan.error().message.find("is one whole file"), std::string::npos);
}

TEST_F(Splitting, StoppingLeavesNothing) {
  const CopyPlan plan = must(CopyPlan::split(write_model(), folder_.file("p"), {.max_tensors = 1}, notes_));
  Stopped stopped;
  const auto done = plan.run(false, stopped);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, ErrorCode::cancelled);
  for (const auto& item : std::filesystem::directory_iterator(folder_.path())) {
    EXPECT_EQ(item.path().filename(), "whole.gguf");
  }
}

}  // namespace
}  // namespace tern::convert
