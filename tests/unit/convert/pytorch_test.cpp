// PyTorch checkpoints through convert: the same model from a .bin and from safetensors gives the same file, byte by
// byte; the mapping that a dry run shows; what is unknown is told by name, all of it.
#include <gtest/gtest.h>

#include <filesystem>

#include "convert/convert.hpp"
#include "files/gguf_reader.hpp"
#include "files/safetensors.hpp"
#include "tests/support/models.hpp"
#include "tests/support/process.hpp"
#include "tests/support/safetensors_writer.hpp"

namespace tern::convert {
namespace {

struct Notes : Progress {
  std::vector<std::string> lines;
  void note(std::string_view line) override { lines.emplace_back(line); }
  [[nodiscard]] bool has(std::string_view part) const {
    return std::ranges::any_of(lines, [&](const std::string& line) { return line.contains(part); });
  }
};

class Torch : public testing::Test {
 protected:
  // A folder with the tiny model's configuration and tokenizer, and one of its two weight files.
  std::string model(const std::string& name, const std::string& weights) {
    const std::string path = folder_.file(name);
    std::filesystem::create_directory(path);
    const std::string golden = test::source_file("tests/golden/data/pytorch/llama/");
    for (const std::string& file :
         {std::string("config.json"), std::string("vocab.json"), std::string("merges.txt"), weights}) {
      std::filesystem::copy_file(golden + file, path + "/" + file);
    }
    return path;
  }
  ConvertOptions options(const std::string& source, const std::string& outfile = "out.gguf",
                         const formats::Format* type = nullptr) {
    ConvertOptions o;
    o.source = source;
    o.outfile = folder_.file(outfile);
    o.outtype = type;
    o.pre = "gpt-2";
    o.name = "tiny";
    return o;
  }

  test::TemporaryFolder folder_;
  Notes notes_;
};

TEST_F(Torch, ABinAndItsSafetensorsGiveTheSameFile) {
  const std::string from_torch = model("torch", "pytorch_model.bin");
  const std::string from_safe = model("safe", "model.safetensors");
  for (const formats::Format* type : {static_cast<const formats::Format*>(nullptr), &formats::kF16, &formats::kQ8_0}) {
    auto torch = options(from_torch, "torch.gguf", type);
    auto safe = options(from_safe, "safe.gguf", type);
    torch.write.overwrite = safe.write.overwrite = true;
    test::must(convert(torch, notes_));
    test::must(convert(safe, notes_));
    const std::string bytes = test::whole_file(torch.outfile);
    EXPECT_GT(bytes.size(), 15'000U);
    EXPECT_TRUE(bytes == test::whole_file(safe.outfile)) << (type == nullptr ? "auto" : type->name);
  }
  EXPECT_TRUE(notes_.has("not read, as they are no tensors: the members epoch"))
      << fmt::format("{}", fmt::join(notes_.lines, "\n"));
  EXPECT_TRUE(notes_.has("left out, as config.json says the same: model.layers.0.self_attn.rotary_emb.inv_freq"));
  // A file is as good as its folder.
  auto file = options(from_torch + "/pytorch_model.bin", "file.gguf");
  test::must(convert(file, notes_));
  test::must(convert(options(from_safe, "auto.gguf"), notes_));
  EXPECT_TRUE(test::whole_file(file.outfile) == test::whole_file(folder_.file("auto.gguf")));
}

TEST_F(Torch, APlanShowsWhereEachTensorComesFrom) {
  const auto o = options(model("torch", "pytorch_model.bin"), "never.gguf", &formats::kF16);
  const auto plan = test::must(ConvertPlan::make(o, notes_));
  EXPECT_FALSE(std::filesystem::exists(o.outfile));
  EXPECT_EQ(plan.architecture(), "llama");
  EXPECT_EQ(plan.main_type(), "F16");
  ASSERT_EQ(plan.choices().size(), 12U);
  const auto query = std::ranges::find(plan.choices(), "blk.0.attn_q.weight", &ConvertChoice::name);
  ASSERT_NE(query, plan.choices().end());
  EXPECT_EQ(query->source_name, "model.layers.0.self_attn.q_proj.weight");
  EXPECT_EQ(query->source_type, "BF16");
  EXPECT_EQ(query->to, &formats::kF16);
  EXPECT_EQ(query->bytes, 32U * 32U * 2U);
  EXPECT_EQ(query->transform, "rows reordered");
  const auto norm = std::ranges::find(plan.choices(), "output_norm.weight", &ConvertChoice::name);
  EXPECT_EQ(norm->to, &formats::kF32);
  EXPECT_EQ(norm->transform, "");
  const auto report = test::must(plan.run(o, notes_));
  EXPECT_EQ(report.write.file_bytes, plan.output_bytes());
  EXPECT_EQ(std::filesystem::file_size(o.outfile), plan.output_bytes());
}

TEST_F(Torch, UnknownTensorsAreToldByNameAndThenRefused) {
  const std::string path = model("safe", "model.safetensors");
  const auto checkpoint = test::must(files::SafetensorsFile::open(path + "/model.safetensors"));
  test::SafetensorsWriter writer;
  for (const files::StoredTensor& tensor : checkpoint.tensors()) {
    writer.add(tensor.name, std::string(files::dtype_name(tensor.dtype)), tensor.shape,
               std::string(reinterpret_cast<const char*>(tensor.bytes.data()), tensor.bytes.size()));
  }
  for (int i = 0; i < 130; ++i) writer.add_f32(fmt::format("extra.{:03}", i), {2}, {1.0F, 2.0F});
  std::filesystem::remove(path + "/model.safetensors");
  writer.write(path + "/model.safetensors");
  auto o = options(path);
  const auto refused = convert(o, notes_);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::unsupported);
  EXPECT_NE(
      refused.error().message.find("130 tensors of this checkpoint mean nothing to architecture llama: extra.000"),
      std::string::npos)
      << refused.error().message;
  EXPECT_FALSE(std::filesystem::exists(o.outfile));
  ASSERT_EQ(notes_.lines.size(), 21U);
  EXPECT_EQ(notes_.lines[19], "unknown tensor extra.019 [2] F32");
  EXPECT_EQ(notes_.lines[20], "and 110 more; --dry-run lists them");
  // A dry run lists them all and is no error.
  o.dry_run = true;
  const auto plan = test::must(ConvertPlan::make(o, notes_));
  ASSERT_EQ(plan.unknown().size(), 130U);
  EXPECT_EQ(plan.unknown()[129].name, "extra.129");
  EXPECT_EQ(plan.choices().size(), 12U);
  EXPECT_EQ(plan.ready().error().message, refused.error().message);
}

TEST_F(Torch, TheNameAndTheSizeStandInTheMetadata) {
  auto o = options(model("folder-name", "pytorch_model.bin"));
  o.name = "";
  test::must(convert(o, notes_));
  const auto file = test::must(files::GgufFile::open(o.outfile));
  EXPECT_EQ(test::must(file.metadata().get_string("general.name")), "folder-name");
  EXPECT_EQ(test::must(file.metadata().get_string("general.size_label")), "12K");
  o.name = "given";
  o.vocab_only = true;
  o.write.overwrite = true;
  test::must(convert(o, notes_));
  const auto vocabulary = test::must(files::GgufFile::open(o.outfile));
  EXPECT_EQ(test::must(vocabulary.metadata().get_string("general.name")), "given");
  EXPECT_TRUE(vocabulary.tensors().empty());
  EXPECT_EQ(test::must(vocabulary.metadata().get_strings("tokenizer.ggml.tokens"))->size(), 40U);
}

TEST_F(Torch, TheNameIsTheFoldersOwnWhereItIsNamedFromInside) {
  const std::string folder = model("real-name", "pytorch_model.bin");
  std::filesystem::create_directory(folder + "/inside");
  for (const char* path :
       {"", "/", "/.", "/./", "/inside/..", "/./pytorch_model.bin", "/inside/../pytorch_model.bin"}) {
    EXPECT_EQ(test::must(open_source(folder + path)).name, "real-name") << path;
  }
  const std::filesystem::path before = std::filesystem::current_path();
  std::filesystem::current_path(folder);
  const auto from_inside = open_source(".");
  const auto by_file = open_source("pytorch_model.bin");
  std::filesystem::current_path(before);
  EXPECT_EQ(test::must(from_inside).name, "real-name");
  EXPECT_EQ(test::must(by_file).name, "real-name");
}

TEST_F(Torch, ALinkedFolderIsCalledAsTheLinkIs) {
  std::filesystem::create_directory_symlink(model("5f3a", "pytorch_model.bin"), folder_.file("link"));
  EXPECT_EQ(test::must(open_source(folder_.file("link"))).name, "link");
}

TEST(SizeLabel, HasTwoDigitsAtLeast) {
  const std::vector<std::pair<std::int64_t, std::string>> cases{{600, "0.6K"},           {9'940, "9.9K"},
                                                                {9'960, "10K"},          {260'032, "260K"},
                                                                {1'475'840, "1.5M"},     {134'515'008, "135M"},
                                                                {1'100'048'384, "1.1B"}, {7'241'732'096, "7.2B"},
                                                                {70'553'706'496, "71B"}, {1'026'000'000'000, "1.0T"}};
  for (const auto& [n, label] : cases) EXPECT_EQ(size_label(n), label) << n;
}

TEST_F(Torch, AConfigurationThousandsDeepIsRefused) {
  const std::string path = model("deep", "pytorch_model.bin");
  const std::string config = R"({"architectures":)" + std::string(10'000, '[') + std::string(10'000, ']') + "}";
  ASSERT_TRUE(sys::write_file(path + "/config.json", config, true).has_value());
  const auto refused = convert(options(path), notes_);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message, path + ": config.json: nested deeper than 64");
}

}  // namespace
}  // namespace tern::convert
