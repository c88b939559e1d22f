// docs/formats.md holds a table of every weight format. It is written from the records of room formats, and this test
// fails when the two differ. TERN_UPDATE_DOCS=1 in the environment writes the table anew.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>

#include "formats/all.hpp"
#include "tests/support/data.hpp"

namespace tern {
namespace {

constexpr std::string_view kBegin = "<!-- table of formats: begin -->\n";
constexpr std::string_view kEnd = "<!-- table of formats: end -->\n";

std::string_view partner_name(formats::Partner partner) {
  switch (partner) {
    case formats::Partner::f32:
      return "F32";
    case formats::Partner::q8_0:
      return "Q8_0";
    case formats::Partner::q8_k:
      return "Q8_K";
    case formats::Partner::int8_token:
      return "int8 per token";
  }
  return "";
}

std::string table() {
  std::string out =
      "| format | bits a weight | block: values, bytes | GGUF id | activations beside it | what it is |\n"
      "|---|---|---|---|---|---|\n";
  for (const formats::Format* format : formats::kAll) {
    out += fmt::format("| {} | {} | {}, {}{} | {} | {} | {} |\n", format->name, format->bits_per_weight(),
                       format->block_values, format->block_bytes,
                       format->tail_bytes == 0 ? "" : fmt::format(" (+ {} a tensor)", format->tail_bytes),
                       format->gguf_id, partner_name(format->partner), format->summary);
  }
  return out;
}

TEST(FormatDocs, HoldTheTableOfTheFormatsThatThereAre) {
  const std::string path = test::source_file("docs/formats.md");
  std::ifstream in(path);
  ASSERT_TRUE(in) << path;
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  const std::size_t begin = text.find(kBegin);
  const std::size_t end = text.find(kEnd);
  ASSERT_NE(begin, std::string::npos) << "no line " << kBegin;
  ASSERT_NE(end, std::string::npos) << "no line " << kEnd;
  ASSERT_LT(begin, end);
  if (std::getenv("TERN_UPDATE_DOCS") != nullptr) {
    std::ofstream(path) << text.substr(0, begin + kBegin.size()) << table() << text.substr(end);
    GTEST_SKIP() << "SKIPPED: wrote " << path << " anew; run again without TERN_UPDATE_DOCS";
  }
  EXPECT_EQ(text.substr(begin + kBegin.size(), end - begin - kBegin.size()), table())
      << "run with TERN_UPDATE_DOCS=1 to write the table anew";
}

}  // namespace
}  // namespace tern
