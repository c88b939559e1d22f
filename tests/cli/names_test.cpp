// Names from outside as people see them: letters of every script as they are, what a terminal would obey escaped. And
// the nearest name, offered only where a slip of the hand explains the word.
#include <gtest/gtest.h>

#include <array>

#include "base/words.hpp"
#include "report/display_width.hpp"
#include "tests/support/process.hpp"
#include "tests/support/tiny_checkpoint.hpp"

namespace tern::test {
namespace {

TEST(Names, LettersOfEveryScriptArePrintedAsTheyAre) {
  for (const std::string_view text :
       {"Müller", "日本語", "модель", "naïve café", "🦜", "👩‍💻", "نمونه‌ها", "\xf4\x8f\xbf\xbd"}) {
    EXPECT_EQ(printable(text), text);
  }
}

TEST(Names, WhatATerminalObeysOrHidesIsEscaped) {
  EXPECT_EQ(printable("a\x1b[2Jb\x7f\n"), "a\\x1b[2Jb\\x7f\\x0a");
  EXPECT_EQ(printable("\xc2\x9b"
                      "2J"),
            "\\xc2\\x9b2J")
      << "C1: some terminals take it for ESC [";
  EXPECT_EQ(printable("\xe2\x80\xae"
                      "exe"),
            "\\xe2\\x80\\xaeexe")
      << "right-to-left override";
  EXPECT_EQ(printable("\xe2\x81\xa6"), "\\xe2\\x81\\xa6") << "left-to-right isolate";
  EXPECT_EQ(printable("\xe2\x80\xa8"), "\\xe2\\x80\\xa8") << "line separator";
  EXPECT_EQ(printable("\xef\xbb\xbf"), "\\xef\\xbb\\xbf") << "byte order mark";
  EXPECT_EQ(printable("\xf3\xa0\x81\x81"), "\\xf3\\xa0\\x81\\x81") << "tag letter";
}

TEST(Names, BrokenUtf8IsEscapedByteByByte) {
  EXPECT_EQ(printable("a\xff"
                      "b"),
            "a\\xffb");
  EXPECT_EQ(printable("\xc3"), "\\xc3") << "cut off";
  EXPECT_EQ(printable("\xc3("), "\\xc3(");
  EXPECT_EQ(printable("\xc0\xaf"), "\\xc0\\xaf") << "overlong";
  EXPECT_EQ(printable("\xe0\x80\xaf"), "\\xe0\\x80\\xaf") << "overlong";
  EXPECT_EQ(printable("\xf0\x80\x80\xaf"), "\\xf0\\x80\\x80\\xaf") << "overlong";
  EXPECT_EQ(printable("\xed\xa0\x80"), "\\xed\\xa0\\x80") << "half of a surrogate pair";
  EXPECT_EQ(printable("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80") << "beyond the last";
  EXPECT_EQ(printable("\x80\xbf"), "\\x80\\xbf");
}

TEST(Names, ALongNameIsCutBetweenCharacters) {
  EXPECT_EQ(printable("äöü", 4), "äö...");
  EXPECT_EQ(printable("äöü", 5), "äö...");
  EXPECT_EQ(printable("äöü", 6), "äöü");
  EXPECT_EQ(printable("日本", 2), "...");
}

TEST(Names, TheProgramPrintsAFileWithUmlautsAsItIsCalled) {
  const TemporaryFolder folder;
  write_tiny_checkpoint(folder.file("tiny.bin"));
  write_tiny_tokenizer(folder.file("t.bin"));
  const Ended ended = run_tern({"convert", "tiny.bin", "--tokenizer", "t.bin", "--outfile", "Größe-日本.gguf"},
                               {.folder = folder.path()});
  EXPECT_EQ(ended.exit_code, 0) << ended.err;
  EXPECT_TRUE(ended.out.starts_with("Größe-日本.gguf: llama, ")) << ended.out;
}

TEST(Names, OnlyASlipOfTheHandIsANearName) {
  constexpr std::array<std::string_view, 6> kNames{"run", "chat", "--temp", "--prompt", "convert", "Q4_0"};
  EXPECT_EQ(nearest_word("rnu", kNames), "run") << "two neighbours exchanged are one mistake";
  EXPECT_EQ(nearest_word("--tmep", kNames), "--temp");
  EXPECT_EQ(nearest_word("--promtp", kNames), "--prompt");
  EXPECT_EQ(nearest_word("ruin", kNames), "run");
  EXPECT_EQ(nearest_word("cat", kNames), "chat");
  EXPECT_EQ(nearest_word("Q4_L", kNames), "Q4_0");
  EXPECT_EQ(nearest_word("foo", kNames), "") << "two letters of three are another word";
  EXPECT_EQ(nearest_word("rat", kNames), "");
  EXPECT_EQ(nearest_word("x", kNames), "");
  EXPECT_EQ(nearest_word("cover", kNames), "") << "two letters of five";
  EXPECT_EQ(nearest_word("", kNames), "");
}

}  // namespace
}  // namespace tern::test
