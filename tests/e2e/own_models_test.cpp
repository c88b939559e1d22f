// The models that ship (models/): what their cards and names promise, and that they predict as well as they should.
#include <gtest/gtest.h>

#include <filesystem>

#include "models/model_file.hpp"
#include "sys/atomic_file.hpp"
#include "tests/support/models.hpp"
#include "tests/support/process.hpp"

namespace tern::test {
namespace {

struct OwnModel {
  std::string kind;
  std::string type;            // of the matrices
  std::string embedding_type;  // of the table, which is also the head
  double bits_per_byte;        // at most, on TinyStories' held-out part
};

void PrintTo(const OwnModel& model, std::ostream* out) {
  *out << model.kind;
}

const std::vector<OwnModel>& own_models() {
  static const std::vector<OwnModel> models{
      {"float", "F16", "F16", 0.97}, {"ternary", "TQ2_0", "Q6_K", 1.06}, {"binary", "Q1_0", "Q6_K", 1.25}};
  return models;
}

std::string path_of(const OwnModel& model) {
  return source_file("models/tern-stories-" + model.kind + "-" + model.type + ".gguf");
}

nlohmann::json told(const std::vector<std::string>& words) {
  const Ended ended = run_tern(words);
  EXPECT_EQ(ended.exit_code, 0) << ended.err;
  return nlohmann::json::parse(ended.out, nullptr, false);
}

std::string without_markers(const std::string& text) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size() - 1) + 1;
    const std::string line = text.substr(at, end - at);
    if (line != "<|endoftext|>\n") out += line;
    at = end;
  }
  return out;
}

class OwnModels : public ::testing::TestWithParam<OwnModel> {};

TEST_P(OwnModels, IsWhatItsNameAndItsCardSay) {
  const OwnModel& own = GetParam();
  const auto model = must(models::ModelFile::open(path_of(own)));
  const models::HyperParameters& p = model.parameters();
  EXPECT_EQ(p.architecture, "bitnet");
  EXPECT_EQ(p.n_ctx_train, 256);
  EXPECT_EQ(p.n_vocab, 2048);
  EXPECT_LE(std::filesystem::file_size(path_of(own)), 8'500'000U);
  std::int64_t n_parameters = 0;
  for (const files::GgufTensor& tensor : model.file().tensors()) {
    n_parameters += tensor.shape.n_elements();
    if (tensor.shape.is_vector()) continue;
    ASSERT_NE(tensor.format, nullptr) << tensor.name;
    EXPECT_EQ(tensor.format->name, tensor.name == "token_embd.weight" ? own.embedding_type : own.type) << tensor.name;
    EXPECT_EQ(tensor.shape.row_length() % 256, 0) << tensor.name;
  }
  EXPECT_EQ(n_parameters, 3'676'416);
  const std::string card = whole_file(source_file("models/tern-stories-" + own.kind + ".md"));
  EXPECT_NE(card.find("tern-stories-" + own.kind + "-" + own.type + ".gguf"), std::string::npos);
}

// The bound of each is the goal it was trained for.
TEST_P(OwnModels, PredictsHeldOutStories) {
  TERN_NEEDS_DATA();
  const TemporaryFolder folder;
  const std::string text = folder.file("stories.txt");
  must(sys::write_file(text, without_markers(whole_file(data_folder() + "/train/tinystories/tinystories-valid.txt")),
                       false));
  const auto json = told({"perplexity", "-m", path_of(GetParam()), "-f", text, "--json"});
  EXPECT_GT(json["n_scored"].get<int>(), 7000);
  EXPECT_LE(json["bits_per_byte"].get<double>(), GetParam().bits_per_byte);
}

INSTANTIATE_TEST_SUITE_P(All, OwnModels, ::testing::ValuesIn(own_models()),
                         [](const auto& one) { return one.param.kind; });

// Same shape, same tokens: what is left between them is what the rounding costs.
TEST(OwnModels, FloatIsBetterThanTernaryAndTernaryThanBinary) {
  for (const char* text : {"data/eval/stories.txt", "data/eval/plain.txt"}) {
    double before = 0.0;
    for (const OwnModel& own : own_models()) {
      const auto json = told({"perplexity", "-m", path_of(own), "-f", source_file(text), "--json"});
      const double bits = json["bits_per_byte"].get<double>();
      EXPECT_GT(bits, before) << own.kind << " on " << text;
      before = bits;
    }
  }
}

TEST(OwnModels, ReadTextAlike) {
  std::string first;
  for (const OwnModel& own : own_models()) {
    const Ended ended = run_tern({"tokenize", "-m", path_of(own), "-f", source_file("data/eval/stories.txt")});
    ASSERT_EQ(ended.exit_code, 0) << ended.err;
    if (first.empty()) first = ended.out;
    EXPECT_EQ(ended.out, first) << own.kind;
  }
}

}  // namespace
}  // namespace tern::test
