// REGEX=FORMAT on the command line and in a file: what it means, and one line for each thing that is wrong with it.
#include "convert/tensor_types.hpp"

#include <gtest/gtest.h>

#include <fstream>

#include "formats/all.hpp"
#include "tests/support/models.hpp"

namespace tern::convert {
namespace {

const formats::Format* first(const std::vector<std::string>& words, std::string_view name) {
  std::vector<TensorType> types;
  for (const std::string& word : words) types.push_back(test::must(parse_tensor_type(word)));
  return test::must(type_for(types, name));
}

TEST(TensorTypes, ArePatternsThatMatchAnywhereInTheName) {
  EXPECT_EQ(first({"attn_v=q6_k"}, "blk.0.attn_v.weight"), &formats::kQ6_K);
  EXPECT_EQ(first({"ATTN_V=Q6_K"}, "blk.0.attn_v.weight"), &formats::kQ6_K) << "in any case of letters";
  EXPECT_EQ(first({"attn_v=Q6_K"}, "blk.0.attn_k.weight"), nullptr);
  EXPECT_EQ(first({"blk\\.[0-3]\\.=F16"}, "blk.3.ffn_up.weight"), &formats::kF16);
  EXPECT_EQ(first({"blk\\.[0-3]\\.=F16"}, "blk.30.ffn_up.weight"), nullptr);
  EXPECT_EQ(first({"^ffn=F16"}, "blk.3.ffn_up.weight"), nullptr);
  EXPECT_EQ(first({"\\.(\\d)\\1\\.=F16"}, "blk.33.ffn_up.weight"), &formats::kF16);
  EXPECT_EQ(first({"\\D\\.weight$=F16"}, "output.weight"), &formats::kF16) << "\\D is not \\d";
  EXPECT_EQ(first({}, "x"), nullptr);
}

TEST(TensorTypes, TheFirstThatMatchesCounts) {
  EXPECT_EQ(first({"ffn_down=Q8_0", "ffn=Q4_0"}, "blk.0.ffn_down.weight"), &formats::kQ8_0);
  EXPECT_EQ(first({"ffn=Q4_0", "ffn_down=Q8_0"}, "blk.0.ffn_down.weight"), &formats::kQ4_0);
}

TEST(TensorTypes, TheLastEqualsSignDivides) {
  EXPECT_EQ(first({"blk(?=\\.0)=Q8_0"}, "blk.0.ffn_down.weight"), &formats::kQ8_0);
  EXPECT_EQ(first({"blk(?=\\.0)=Q8_0"}, "blk.1.ffn_down.weight"), nullptr);
}

TEST(TensorTypes, EachMistakeHasItsLine) {
  struct Row {
    std::string word;
    std::string message;  // how it begins
  };
  const Row rows[] = {
      {"", "'' has no '=', expected REGEX=FORMAT, for example attn_v=Q6_K"},
      {"attn_v", "'attn_v' has no '=', expected REGEX=FORMAT, for example attn_v=Q6_K"},
      {"=Q8_0", "'=Q8_0' has no name before '=', expected"},
      {"attn_v=", "'attn_v=' has no format after '=', expected"},
      {"attn_v=Q9_0", "'attn_v=Q9_0': unknown format 'Q9_0' (did you mean Q"},
      {"attn_v=Q4_K_M", "'attn_v=Q4_K_M': unknown format 'Q4_K_M' (did you mean Q4_K?)"},
      {"attn_v=IQ4_NL", "'attn_v=IQ4_NL': format IQ4_NL is not supported by Tern; known are"},
      {"attn_v= Q8_0", "'attn_v= Q8_0': unknown format ' Q8_0'"},
      {"attn_(v=Q8_0",
       "'attn_(v=Q8_0': the regular expression 'attn_(v' is wrong at byte 7: missing closing parenthesis"},
      {"*=Q8_0", "'*=Q8_0': the regular expression '*' is wrong at byte "},
      {"[z-a]=Q8_0", "'[z-a]=Q8_0': the regular expression '[z-a]' is wrong at byte "},
      {"a{99999}=Q8_0", "'a{99999}=Q8_0': the regular expression 'a{99999}' is wrong at byte "},
      {"(((a{60000}){60000}){60000})=Q8_0", "'(((a{60000}){60000}){60000})=Q8_0': the regular expression"},
      {std::string(1001, 'a') + "=Q8_0", "'" + std::string(50, 'a')},
      {"a\nb=Q9", "'a\\x0ab=Q9': unknown format 'Q9'"},
  };
  for (const Row& row : rows) {
    const auto refused = parse_tensor_type(row.word);
    ASSERT_FALSE(refused) << row.word;
    EXPECT_TRUE(refused.error().message.starts_with(row.message)) << refused.error().message;
    EXPECT_EQ(refused.error().code, ErrorCode::usage);
    EXPECT_EQ(refused.error().message.find('\n'), std::string::npos);
    EXPECT_LT(refused.error().message.size(), 400U);
  }
  EXPECT_TRUE(parse_tensor_type(std::string(1000, 'a') + "=Q8_0"));
}

class TensorTypeFile : public testing::Test {
 protected:
  Result<void> read(const std::string& text) {
    std::ofstream(path_, std::ios::binary) << text;
    types_.clear();
    return read_tensor_types(path_, types_);
  }
  std::string refusal(const std::string& text) {
    const auto refused = read(text);
    return refused ? "accepted" : refused.error().message;
  }
  test::TemporaryFolder folder_;
  std::string path_ = folder_.file("types.txt");
  std::vector<TensorType> types_;
};

TEST_F(TensorTypeFile, HoldsWordsLinesAndComments) {
  test::must(
      read("# first line\r\nattn_v=Q6_K  ffn_down=Q8_0\r\n\r\n  \t# indented = comment\nblk\\.0#=F16 # "
           "after\n\foutput=Q4_0"));
  ASSERT_EQ(types_.size(), 4U);
  EXPECT_EQ(types_[0].pattern.text(), "attn_v");
  EXPECT_EQ(types_[1].format, &formats::kQ8_0);
  EXPECT_EQ(types_[2].pattern.text(), "blk\\.0#") << "a comment begins at the start of a word";
  EXPECT_EQ(types_[3].pattern.text(), "output");
  test::must(read_tensor_types(path_, types_));
  EXPECT_EQ(types_.size(), 8U) << "appends";
}

TEST_F(TensorTypeFile, ErrorsNameFileAndLine) {
  EXPECT_EQ(refusal("attn_v=Q6_K\r\n\r\nattn_k\n"),
            path_ + ", line 3: 'attn_k' has no '=', expected REGEX=FORMAT, for example attn_v=Q6_K");
  EXPECT_TRUE(refusal("# x\n(=Q8_0").starts_with(path_ + ", line 2: '(=Q8_0': the regular expression '(' is wrong"));
  EXPECT_EQ(refusal("# nothing\n\n"), path_ + ": holds no REGEX=FORMAT");
  EXPECT_EQ(refusal(""), path_ + ": holds no REGEX=FORMAT");
  EXPECT_EQ(refusal(std::string("a=Q8_0\0", 7)), path_ + ": holds zero bytes, expected a text of REGEX=FORMAT");
  EXPECT_EQ(refusal(std::string(kMaxTensorTypeFileBytes + 1, ' ')),
            path_ + ": has 1048577 bytes, expected a list of REGEX=FORMAT of at most 1048576");
  std::string many;
  for (std::size_t i = 0; i <= kMaxTensorTypes; ++i) many += "a=Q8_0\n";
  EXPECT_EQ(refusal(many),
            path_ + ", line 4097: more than 4096 tensor types; a regular expression can stand for many tensors");
  EXPECT_FALSE(read_tensor_types(folder_.file("missing.txt"), types_));
  EXPECT_FALSE(read_tensor_types(folder_.path(), types_));
}

}  // namespace
}  // namespace tern::convert
