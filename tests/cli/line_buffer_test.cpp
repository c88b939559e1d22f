// The keys of the chat's line editor, without a terminal.
#include "cli/line_buffer.hpp"

#include <gtest/gtest.h>

namespace tern::cli {
namespace {

LineBuffer::Event type(LineBuffer& line, std::string_view bytes) {
  auto event = LineBuffer::Event::none;
  for (const char byte : bytes) event = line.push(static_cast<unsigned char>(byte));
  return event;
}

std::string typed(std::string_view bytes) {
  LineBuffer line;
  line.begin();
  type(line, bytes);
  return line.text();
}

TEST(LineBuffer, InsertsAtTheCursor) {
  EXPECT_EQ(typed("held\x1b[D\x1b[D\x1b[Dxy"), "hxyeld");
  EXPECT_EQ(typed("b\x01"
                  "a\x05"
                  "c"),
            "abc");
  EXPECT_EQ(typed("b\x1b[Ha\x1b[Fc"), "abc");
  EXPECT_EQ(typed("b\x1b[1~a\x1b[4~c"), "abc");
}

TEST(LineBuffer, BackspaceTakesAWholeCharacterWithItsMarks) {
  EXPECT_EQ(typed("a\xC3\xA9\x7f"), "a");
  EXPECT_EQ(typed("ae\xCC\x81\x7f"), "a") << "e with a combining acute accent is one character to a person";
  EXPECT_EQ(typed("\xF0\x9F\x98\x80\x7f"), "");
  EXPECT_EQ(typed("\x7f\x7f"
                  "a"),
            "a");
}

TEST(LineBuffer, CursorKeysMoveByCharactersNotBytes) {
  EXPECT_EQ(typed("\xC3\xA9\x1b[Dx"), "x\xC3\xA9");
  EXPECT_EQ(typed("\xC3\xA9z\x1b[D\x1b[D\x1b[Cx"), "\xC3\xA9xz");
}

TEST(LineBuffer, ControlKeysDeleteWhatTheyShould) {
  EXPECT_EQ(typed("one two\x15"
                  "x"),
            "x");
  EXPECT_EQ(typed("one two\x17"
                  "x"),
            "one x");
  EXPECT_EQ(typed("one two  \x17"
                  "x"),
            "one x");
  EXPECT_EQ(typed("abc\x01\x06\x0b"), "a");
  EXPECT_EQ(typed("abc\x01\x1b[3~"), "bc");
  EXPECT_EQ(typed("abc\x01\x04"), "bc");
}

TEST(LineBuffer, BytesThatAreNoTextNeverReachTheLine) {
  EXPECT_EQ(typed("a\xff"
                  "b"),
            "ab");
  EXPECT_EQ(typed("a\x1b[200~b\x1b[201~c"), "abc") << "a pasted text comes without the marks around it";
  EXPECT_EQ(typed("a\x1b[12;34;56Rb"), "ab");
  EXPECT_EQ(typed("a\x02\x03"
                  "b"),
            "ba")
      << "Ctrl-B moves, Ctrl-C is an event";
}

TEST(LineBuffer, TellsTheEventsApart) {
  LineBuffer line;
  line.begin();
  EXPECT_EQ(type(line, "\x04"), LineBuffer::Event::end_of_input);
  EXPECT_EQ(type(line, "a\r"), LineBuffer::Event::submit);
  EXPECT_EQ(type(line, "\x03"), LineBuffer::Event::interrupt);
  EXPECT_EQ(type(line, "\x0c"), LineBuffer::Event::clear_screen);
  EXPECT_EQ(type(line, "\x04"), LineBuffer::Event::none) << "Ctrl-D in a line deletes";
}

TEST(LineBuffer, UpAndDownWalkThroughTheHistoryAndBackToTheDraft) {
  LineBuffer line;
  line.remember("first");
  line.remember("second");
  line.remember("second");
  line.remember("");
  line.begin();
  type(line, "draft\x1b[A");
  EXPECT_EQ(line.text(), "second");
  type(line, "\x1b[A");
  EXPECT_EQ(line.text(), "first");
  type(line, "\x1b[A");
  EXPECT_EQ(line.text(), "first");
  type(line, "\x1b[B\x1b[B");
  EXPECT_EQ(line.text(), "draft");
  EXPECT_EQ(line.cursor(), 5U);
}

}  // namespace
}  // namespace tern::cli
