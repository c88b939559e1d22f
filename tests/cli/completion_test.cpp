// The completion scripts, in the shells they are for: each parses, and offers what a person would expect.
#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>

#include "cli/all.hpp"
#include "tests/support/process.hpp"

namespace tern::test {
namespace {

std::string shell_path(const std::string& name) {
  for (const char* folder : {"/usr/bin/", "/bin/", "/usr/local/bin/"}) {
    if (std::filesystem::exists(folder + name)) return folder + name;
  }
  return {};
}

#define TERN_NEEDS_SHELL(path, name)         \
  const std::string path = shell_path(name); \
  if ((path).empty()) GTEST_SKIP() << "SKIPPED: needs " << (name) << ", which is not installed"

std::vector<std::string> words_of(const std::string& text) {
  std::istringstream in(text);
  return {std::istream_iterator<std::string>(in), {}};
}

class Completion : public testing::Test {
 protected:
  void SetUp() override {
    for (const std::string shell : {"bash", "zsh", "fish"}) {
      const Ended ended = run_tern({"completion", shell});
      ASSERT_EQ(ended.exit_code, 0) << ended.err;
      std::ofstream(folder_.file(shell)) << ended.out;
    }
    for (const char* name : {"model.gguf", "with space.gguf"}) std::ofstream(folder_.file(name)) << "x";
  }
  // What bash offers for the last of these words.
  std::vector<std::string> bash_offers(const std::string& bash, const std::string& words) {
    const std::string script = "source ./bash; COMP_WORDS=(" + words +
                               "); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _tern; printf '%s\\n' \"${COMPREPLY[@]}\"";
    const Ended ended = run_program({bash, "--norc", "-c", script}, {.folder = folder_.path()});
    EXPECT_EQ(ended.exit_code, 0) << ended.err;
    EXPECT_EQ(ended.err, "") << words;
    std::vector<std::string> lines;
    std::istringstream in(ended.out);
    for (std::string line; std::getline(in, line);) lines.push_back(line);
    std::ranges::sort(lines);
    return lines;
  }
  TemporaryFolder folder_;
};

using Words = std::vector<std::string>;

bool has(const Words& words, std::string_view word) {
  return std::ranges::find(words, word) != words.end();
}

TEST_F(Completion, EveryShellParsesItsScript) {
  int n_shells = 0;
  for (const std::string shell : {"bash", "zsh", "fish"}) {
    const std::string path = shell_path(shell);
    if (path.empty()) {
      std::cout << "SKIPPED: " << shell << " is not installed, its script is not checked\n";
      continue;
    }
    ++n_shells;
    const Ended ended = run_program({path, "-n", folder_.file(shell)});
    EXPECT_EQ(ended.exit_code, 0) << shell << ": " << ended.err;
    EXPECT_EQ(ended.err, "") << shell;
    std::ofstream(folder_.file("broken")) << "if true; then (";
    EXPECT_NE(run_program({path, "-n", folder_.file("broken")}).exit_code, 0) << shell << " notices nothing";
  }
  if (n_shells == 0) GTEST_SKIP() << "SKIPPED: none of bash, zsh and fish is installed";
}

TEST_F(Completion, EveryScriptKnowsEveryCommand) {
  for (const std::string shell : {"bash", "zsh", "fish"}) {
    const std::string script = whole_file(folder_.file(shell));
    for (const auto& entry : cli::kCommands) {
      EXPECT_NE(script.find(std::string(entry.name)), std::string::npos) << shell << " " << entry.name;
    }
  }
}

TEST_F(Completion, BashCompletesCommandsOptionsTypesAndFiles) {
  TERN_NEEDS_SHELL(bash, "bash");
  EXPECT_EQ(bash_offers(bash, "tern qu"), (Words{"quantize"}));
  EXPECT_EQ(bash_offers(bash, "tern help qu"), (Words{"quantize"}));
  const Words options = bash_offers(bash, "tern quantize --");
  for (const char* option : {"--dry-run", "--force", "--help", "--pure", "--token-embedding-type"}) {
    EXPECT_TRUE(has(options, option)) << option;
  }
  EXPECT_EQ(bash_offers(bash, "tern quantize --tok"), (Words{"--token-embedding-type"}));
  const Words formats = bash_offers(bash, "tern quantize --token-embedding-type q4_");
  EXPECT_TRUE(has(formats, "Q4_K") && has(formats, "Q4_0"));
  EXPECT_FALSE(has(formats, "Q6_K"));
  const Words types = bash_offers(bash, "tern quantize --pure in.gguf out.gguf q4_k");
  EXPECT_TRUE(has(types, "Q4_K_M")) << "mixtures are types";
  EXPECT_TRUE(has(bash_offers(bash, "tern quantize --token-embedding-type Q6_K a b tq"), "TQ2_0"))
      << "an option's value is no argument";
  EXPECT_EQ(bash_offers(bash, "tern quantize m"), (Words{"model.gguf"}));
  EXPECT_EQ(bash_offers(bash, "tern run -m w"), (Words{"with space.gguf"}));
  EXPECT_EQ(bash_offers(bash, "tern run --model = mod"), (Words{"model.gguf"}));
  EXPECT_EQ(bash_offers(bash, "tern sweep --embedding F32,tq1"), (Words{"F32,TQ1_0"}));
  EXPECT_EQ(bash_offers(bash, "tern completion z"), (Words{"zsh"}));
  EXPECT_EQ(bash_offers(bash, "tern convert --outtype tq"), (Words{"tq1_0", "tq2_0"})) << "what convert makes alone";
  EXPECT_EQ(bash_offers(bash, "tern embed --pooling m"), (Words{"mean"}));
  EXPECT_EQ(bash_offers(bash, "tern convert --pre llama-b"), (Words{"llama-bpe"}));
  EXPECT_EQ(bash_offers(bash, "tern tokenize --pre llama-b"), (Words{"llama-bpe"}));
  EXPECT_EQ(bash_offers(bash, "tern perplexity m"), (Words{"model.gguf"}));
  EXPECT_EQ(bash_offers(bash, "tern run m"), (Words{"model.gguf"}));
  EXPECT_EQ(bash_offers(bash, "tern run -n 1"), (Words{""})) << "nobody can guess a number";
}

TEST_F(Completion, BashCompletesCommandsOfTwoWords) {
  TERN_NEEDS_SHELL(bash, "bash");
  EXPECT_EQ(bash_offers(bash, "tern tokeni"), (Words{"tokenize", "tokenizer"}));
  EXPECT_EQ(bash_offers(bash, "tern tokenizer ''"), (Words{"train"}));
  EXPECT_EQ(bash_offers(bash, "tern help da"), (Words{"data"}));
  EXPECT_EQ(bash_offers(bash, "tern help data ''"), (Words{"pack"}));
  EXPECT_EQ(bash_offers(bash, "tern data pack --held"), (Words{"--held-out"}));
  EXPECT_EQ(bash_offers(bash, "tern data pack --tokenizer mod"), (Words{"model.gguf"}));
  EXPECT_EQ(bash_offers(bash, "tern tokenizer train mod"), (Words{"model.gguf"}));
  EXPECT_EQ(bash_offers(bash, "tern tokenizer train a b c mod"), (Words{"model.gguf"})) << "any number of texts";
  EXPECT_EQ(bash_offers(bash, "tern train ex"), (Words{"export"})) << "a command with another behind it";
  EXPECT_EQ(bash_offers(bash, "tern train export --outt"), (Words{"--outtype"}));
  EXPECT_EQ(bash_offers(bash, "tern train --res"), (Words{"--resume"}));
  EXPECT_EQ(bash_offers(bash, "tern train --outt"), (Words{""})) << "that is the other one's option";
  EXPECT_EQ(bash_offers(bash, "tern data --held"), (Words{""})) << "no command stands there yet";
  EXPECT_EQ(bash_offers(bash, "tern run train --temp"), (Words{"--temp"})) << "a second word of another command";
}

TEST_F(Completion, FishCompletesThemToo) {
  TERN_NEEDS_SHELL(fish, "fish");
  const auto offers = [&](const std::string& line) {
    const Ended ended = run_program({fish, "--no-config", "-c", "source ./fish; complete -C '" + line + "'"},
                                    {.folder = folder_.path()});
    EXPECT_EQ(ended.err, "") << line;
    return words_of(ended.out);
  };
  EXPECT_EQ(offers("tern qu").front(), "quantize");
  EXPECT_EQ(offers("tern quantize --dry").front(), "--dry-run");
  EXPECT_TRUE(has(offers("tern quantize --token-embedding-type q4"), "Q4_K"));
  EXPECT_TRUE(has(offers("tern quantize a b q4_k"), "Q4_K_M"));
  EXPECT_EQ(offers("tern run -m mo").front(), "model.gguf");
  EXPECT_TRUE(offers("tern run --dry").empty()) << "that is another command's option";
  EXPECT_EQ(offers("tern toke").front(), "tokenize");
  EXPECT_EQ(offers("tern tokenizer ").front(), "train");
  EXPECT_EQ(offers("tern help data ").front(), "pack");
  EXPECT_EQ(offers("tern data pack --held").front(), "--held-out");
  EXPECT_EQ(offers("tern data pack mo").front(), "model.gguf");
  EXPECT_TRUE(offers("tern data --held").empty());
  EXPECT_EQ(offers("tern train ex").front(), "export");
  EXPECT_EQ(offers("tern train export --outt").front(), "--outtype");
  EXPECT_TRUE(offers("tern train --outt").empty());
}

}  // namespace
}  // namespace tern::test
