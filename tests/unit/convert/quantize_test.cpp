// Quantising GGUF files: what is copied, what is refused, what is translated without loss, and what a failure leaves.
#include "convert/quantize.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "tests/support/gguf_image.hpp"
#include "tests/support/models.hpp"

namespace tern::convert {
namespace {

struct Notes : Progress {
  std::vector<std::string> lines;
  bool stop = false;
  void note(std::string_view line) override { lines.emplace_back(line); }
  bool cancelled() const override { return stop; }
};

class Quantizes : public testing::Test {
 protected:
  // Hidden 256, so that every format divides.
  std::string model(const std::string& format, const std::string& embedding = "F32",
                    const std::string& architecture = "llama") {
    return test::write_tiny_model(folder_, {.architecture = architecture, .format = format, .embedding = embedding},
                                  models::all(), format);
  }
  QuantizeOptions options(const std::string& input, std::string_view type, const std::string& output = "out.gguf") {
    QuantizeOptions o;
    o.input = input;
    o.output = folder_.file(output);
    o.wishes.mixture = test::must(mixture_by_name(type));
    return o;
  }
  WriteReport run(const QuantizeOptions& o) {
    const auto plan = test::must(QuantizePlan::make(o, notes_));
    auto report = test::must(plan.run(o, notes_));
    EXPECT_EQ(report.file_bytes, plan.output_bytes()) << "the size is predicted";
    EXPECT_EQ(std::filesystem::file_size(o.output), plan.output_bytes());
    return report;
  }
  static const formats::Format* type_in(const std::string& path, std::string_view tensor) {
    return test::must(files::GgufFile::open(path)).find(tensor)->format;
  }
  static std::string bytes_of(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  std::size_t n_files() const {
    return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(folder_.path()), {}));
  }

  test::TemporaryFolder folder_;
  Notes notes_;
};

TEST_F(Quantizes, EveryTensorGetsItsTypeAndTheBytesOfTheReferenceEncoder) {
  const auto o = options(model("F32"), "Q4_K_S");
  run(o);
  const auto in = test::must(files::GgufFile::open(o.input));
  const auto out = test::must(files::GgufFile::open(o.output));
  ASSERT_EQ(out.tensors().size(), in.tensors().size());
  for (const auto& tensor : in.tensors()) {
    const auto* quantised = out.find(tensor.name);
    ASSERT_NE(quantised, nullptr);
    const formats::Format* expected = tensor.shape.is_vector()                 ? &formats::kF32
                                      : tensor.name == "token_embd.weight"     ? &formats::kQ6_K
                                      : tensor.name.ends_with("attn_v.weight") ? &formats::kQ5_K
                                                                               : &formats::kQ4_K;
    ASSERT_EQ(quantised->format, expected) << tensor.name;
    const auto* values = reinterpret_cast<const float*>(in.bytes(tensor).data());
    std::vector<std::byte> bytes(quantised->n_bytes);
    test::must(formats::encode_tensor(*expected, tensor.name, tensor.shape,
                                      std::span(values, static_cast<std::size_t>(tensor.shape.n_elements())), bytes));
    EXPECT_EQ(std::memcmp(bytes.data(), out.bytes(*quantised).data(), bytes.size()), 0) << tensor.name;
  }
  EXPECT_EQ(test::must(out.metadata().get_u64("general.file_type")), 14U);
  EXPECT_EQ(test::must(out.metadata().get_string("general.architecture")), "llama");
}

TEST_F(Quantizes, AnyNumberOfThreadsWritesTheSameFile) {
  const std::string input = model("F32");
  auto o = options(input, "Q5_K", "one.gguf");
  run(o);
  for (const int n : {2, 3}) {
    auto more = options(input, "Q5_K", fmt::format("{}.gguf", n));
    more.write.n_threads = n;
    run(more);
    EXPECT_TRUE(bytes_of(more.output) == bytes_of(o.output)) << n;
  }
}

TEST_F(Quantizes, WhatHasTheTypeAlreadyIsCopied) {
  const auto o = options(model("Q8_0", "Q8_0"), "Q8_0");
  run(o);
  const auto in = test::must(files::GgufFile::open(o.input));
  const auto out = test::must(files::GgufFile::open(o.output));
  for (const auto& tensor : in.tensors()) {
    const auto copied = out.bytes(*out.find(tensor.name));
    EXPECT_TRUE(std::ranges::equal(copied, in.bytes(tensor))) << tensor.name;
  }
}

TEST_F(Quantizes, RoundingTwiceIsRefusedUnlessAllowed) {
  auto o = options(model("Q8_0", "Q8_0"), "Q4_0");
  const auto refused = QuantizePlan::make(o, notes_);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("is Q8_0 already; rounding it again to"), std::string::npos)
      << refused.error().message;
  EXPECT_NE(refused.error().message.find("--allow-requantize"), std::string::npos);
  o.allow_requantize = true;
  run(o);
  EXPECT_EQ(type_in(o.output, "blk.0.attn_q.weight"), &formats::kQ4_0);
}

TEST_F(Quantizes, TernaryFormatsAreTranslatedWithoutLossAndWithoutPermission) {
  const std::string original = model("I2_S", "F16", "bitnet-b1.58");
  run(options(original, "TQ2_0", "tq2.gguf"));
  run(options(folder_.file("tq2.gguf"), "TQ1_0", "tq1.gguf"));
  auto back = options(folder_.file("tq1.gguf"), "I2_S", "back.gguf");
  back.wishes.token_embedding = &formats::kF16;
  back.allow_requantize = true;  // the table went to Q6_K on the way
  run(back);
  EXPECT_EQ(type_in(folder_.file("tq2.gguf"), "blk.1.ffn_up.weight"), &formats::kTQ2_0);
  EXPECT_EQ(type_in(folder_.file("tq1.gguf"), "blk.1.ffn_up.weight"), &formats::kTQ1_0);
  const auto in = test::must(files::GgufFile::open(original));
  const auto out = test::must(files::GgufFile::open(folder_.file("back.gguf")));
  for (const auto& tensor : in.tensors()) {
    if (tensor.format != &formats::kI2_S) continue;
    // Scale 0.0625 is exact in fp16: not a bit may differ.
    EXPECT_TRUE(std::ranges::equal(out.bytes(*out.find(tensor.name)), in.bytes(tensor))) << tensor.name;
  }
}

TEST_F(Quantizes, PureAndExplicitTypesAreFollowed) {
  auto pure = options(model("F32"), "Q4_0", "pure.gguf");
  pure.wishes.pure = true;
  run(pure);
  EXPECT_EQ(type_in(pure.output, "token_embd.weight"), &formats::kQ4_0);
  auto table = options(pure.input, "Q4_0", "table.gguf");
  table.wishes.token_embedding = &formats::kQ3_K;
  run(table);
  EXPECT_EQ(type_in(table.output, "token_embd.weight"), &formats::kQ3_K);
  EXPECT_EQ(type_in(table.output, "blk.0.ffn_down.weight"), &formats::kQ4_0);
}

TEST_F(Quantizes, I2SRefusesAFloatModelByTensorAndLeavesNothingBehind) {
  const auto o = options(model("F32"), "I2_S");
  const std::size_t before = n_files();
  const auto plan = test::must(QuantizePlan::make(o, notes_));
  const auto refused = plan.run(o, notes_);
  ASSERT_FALSE(refused);
  EXPECT_TRUE(refused.error().message.starts_with(
      o.input + ": blk.0.attn_q.weight: I2_S holds only {−s, 0, +s}; this tensor has "))
      << refused.error().message;
  EXPECT_EQ(n_files(), before);
}

TEST_F(Quantizes, AnExistingOutputIsKeptAndStoppingLeavesNothing) {
  auto o = options(model("F32"), "Q8_0");
  std::ofstream(o.output) << "precious";
  const auto plan = test::must(QuantizePlan::make(o, notes_));
  const auto refused = plan.run(o, notes_);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("exists already; use --force"), std::string::npos);
  EXPECT_EQ(bytes_of(o.output), "precious");
  o.write.overwrite = true;
  notes_.stop = true;
  const std::size_t before = n_files();
  const auto stopped = plan.run(o, notes_);
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().code, ErrorCode::cancelled);
  EXPECT_EQ(bytes_of(o.output), "precious");
  EXPECT_EQ(n_files(), before);
  notes_.stop = false;
  EXPECT_TRUE(plan.run(o, notes_).has_value());
}

TEST_F(Quantizes, RowsThatDoNotDivideAreNoted) {
  const std::string bytes = test::small_image("llama").bytes();  // rows of 64 and 96
  std::ofstream(folder_.file("small.gguf"), std::ios::binary) << bytes;
  run(options(folder_.file("small.gguf"), "Q4_K_S"));
  EXPECT_EQ(type_in(folder_.file("out.gguf"), "blk.0.ffn_down.weight"), &formats::kQ5_0);
  EXPECT_EQ(type_in(folder_.file("out.gguf"), "token_embd.weight"), &formats::kQ8_0);
  // One line for each format that did not fit, not one for each tensor.
  EXPECT_EQ(notes_.lines, (std::vector<std::string>{
                              "6 tensors: rows of 64 and 96 do not divide by 256 (Q4_K); Q5_0 instead",
                              "blk.0.attn_v.weight: rows of 64 do not divide by 256 (Q5_K); Q5_1 instead",
                          }));
}

TEST_F(Quantizes, WhatNeedsAnImportanceMatrixIsPlannedAndNotWritten) {
  const auto o = options(model("F32"), "Q2_K_S");
  const std::size_t before = n_files();
  const auto plan = test::must(QuantizePlan::make(o, notes_));
  EXPECT_EQ(plan.choices().front().to, &formats::kQ6_K) << "a dry run shows what it would be";
  const std::string expected = o.input +
                               ": Q2_K_S leaves tensor blk.0.attn_q.weight in Q2_K, which needs an importance matrix, "
                               "and Tern cannot read one yet; use Q2_K, which does not";
  EXPECT_EQ(plan.ready().error().message, expected);
  EXPECT_EQ(plan.run(o, notes_).error().message, expected);
  EXPECT_EQ(plan.ready().error().code, ErrorCode::unsupported);
  EXPECT_EQ(n_files(), before);
}

TEST_F(Quantizes, TheFileTypeIsTheMixturesNumberWhateverTheTensorsBecame) {
  auto o = options(model("F32"), "Q3_K_L");
  o.wishes.tensor_types.push_back(test::must(parse_tensor_type(".=Q8_0")));
  run(o);
  const auto out = test::must(files::GgufFile::open(o.output));
  EXPECT_EQ(out.find("blk.0.attn_q.weight")->format, &formats::kQ8_0);
  EXPECT_EQ(test::must(out.metadata().get_u64("general.file_type")), 13U);
  EXPECT_EQ(test::must(out.metadata().get_u64("general.quantization_version")), 2U);
}

TEST_F(Quantizes, ACopyKeepsEveryByteAndTheFileType) {
  const auto q8 = options(model("F32"), "Q8_0", "q8.gguf");
  run(q8);
  auto copy = options(q8.output, "COPY", "copy.gguf");
  copy.overrides.push_back(test::must(parse_metadata_override("general.name=str:copied")));
  run(copy);
  const auto in = test::must(files::GgufFile::open(q8.output));
  const auto out = test::must(files::GgufFile::open(copy.output));
  for (const auto& tensor : in.tensors()) {
    EXPECT_EQ(out.find(tensor.name)->format, tensor.format) << tensor.name;
    EXPECT_TRUE(std::ranges::equal(out.bytes(*out.find(tensor.name)), in.bytes(tensor))) << tensor.name;
  }
  EXPECT_EQ(test::must(out.metadata().get_u64("general.file_type")), 7U);
  EXPECT_EQ(test::must(out.metadata().get_string("general.name")), "copied");
  copy.wishes.pure = true;
  EXPECT_EQ(QuantizePlan::make(copy, notes_).error().message,
            "COPY leaves every tensor as it is; give a TYPE to change some");
}

TEST_F(Quantizes, OverriddenKeysAreWrittenUnlessTheFileCouldNotBeReadThen) {
  auto o = options(model("F32"), "Q4_K_M");
  o.overrides.push_back(test::must(parse_metadata_override("llama.context_length=int:77")));
  o.overrides.push_back(test::must(parse_metadata_override("general.file_type=int:77")));
  o.overrides.push_back(test::must(parse_metadata_override("my.own=float:0.5")));
  run(o);
  const auto out = test::must(files::GgufFile::open(o.output));
  EXPECT_EQ(test::must(out.metadata().get_u64("llama.context_length")), 77U);
  EXPECT_EQ(test::must(out.metadata().get_u64("general.file_type")), 77U);
  EXPECT_EQ(test::must(out.metadata().get_f32("my.own")), 0.5F);
  auto wrong = o;
  wrong.overrides = {test::must(parse_metadata_override("llama.block_count=int:16"))};
  EXPECT_EQ(QuantizePlan::make(wrong, notes_).error().message,
            o.input +
                ": --override-kv would leave a file that cannot be read: tensor blk.2.attn_norm.weight is "
                "missing (expected [256] for architecture llama)");
  wrong.overrides = {test::must(parse_metadata_override("llama.block_count=str:many"))};
  EXPECT_EQ(QuantizePlan::make(wrong, notes_).error().message,
            "llama.block_count: the file has uint32 2 there; use int:");
}

TEST_F(Quantizes, ChoicesSayWhatWillHappen) {
  const auto plan = test::must(QuantizePlan::make(options(model("F32"), "Q8_0"), notes_));
  std::uint64_t from = 0;
  for (const QuantizeChoice& choice : plan.choices()) {
    from += choice.bytes_from;
    EXPECT_EQ(choice.bytes_to, formats::tensor_bytes(*choice.to, choice.shape).value());
    EXPECT_EQ(choice.from, &formats::kF32);
  }
  EXPECT_LT(from, plan.input_bytes());
  EXPECT_LT(plan.output_bytes(), plan.input_bytes());
}

}  // namespace
}  // namespace tern::convert
