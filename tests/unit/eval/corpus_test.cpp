// Texts from files: raw bytes, JSON lines, CSV with its text columns; every error by line.
#include "eval/corpus.hpp"

#include <gtest/gtest.h>

#include "sys/atomic_file.hpp"
#include "tests/support/data.hpp"

namespace tern::eval {
namespace {

std::string text_of(const Result<Corpus>& corpus) {
  return corpus ? corpus->text : "error: " + corpus.error().message;
}

class Corpora : public testing::Test {
 protected:
  std::string put(const std::string& name, std::string_view content) {
    EXPECT_TRUE(sys::write_file(folder_.file(name), content, true).has_value());
    return folder_.file(name);
  }
  test::TemporaryFolder folder_;
};

TEST_F(Corpora, RawTextKeepsItsBytesButOneFinalNewline) {
  EXPECT_EQ(text_of(read_corpus(put("a.txt", "one\n\ntwo\r\n\xff\n"))), "one\n\ntwo\r\n\xff");
  EXPECT_EQ(text_of(read_corpus(put("a.txt", "one\n\n"))), "one\n");
  EXPECT_EQ(text_of(read_corpus(put("a.txt", " x"))), " x");
  const auto corpus = read_corpus(put("novel.txt", "x"));
  EXPECT_EQ(corpus->name, "novel.txt");
  EXPECT_EQ(corpus->n_documents, 1U);
}

TEST_F(Corpora, EmptyAndMissingFilesAreErrors) {
  for (const char* content : {"", "\n"}) {
    EXPECT_EQ(text_of(read_corpus(put("e.txt", content))), "error: " + folder_.file("e.txt") + ": holds no text");
  }
  EXPECT_EQ(text_of(read_corpus(put("e.jsonl", ""))), "error: " + folder_.file("e.jsonl") + ": holds no text");
  EXPECT_EQ(text_of(read_corpus(put("e.csv", ""))), "error: " + folder_.file("e.csv") + ": holds no text");
  EXPECT_FALSE(read_corpus(folder_.file("none.txt")));
}

TEST_F(Corpora, JsonLinesAreJoinedByABlankLine) {
  const auto corpus =
      parse_jsonl("{\"text\": \"one\\ntwo\", \"id\": 1}\n\n  \r\n{\"id\": 2, \"text\": \"\\u20ac\"}", "text");
  EXPECT_EQ(text_of(corpus), "one\ntwo\n\n\xe2\x82\xac");
  EXPECT_EQ(corpus->n_documents, 2U);
  EXPECT_EQ(text_of(parse_jsonl("{\"body\": \"x\"}", "body")), "x");
  EXPECT_EQ(text_of(read_corpus(put("a.jsonl", "{\"text\": \"x\"}\n{\"text\": \"y\"}\n"))), "x\n\ny");
}

TEST_F(Corpora, BadJsonLinesAreNamedByLine) {
  EXPECT_EQ(text_of(parse_jsonl("{\"text\": \"x\"}\n\n{\"body\": \"y\", \"n\": 1, \"also\": \"z\"}", "text")),
            "error: line 3: has no text field \"text\"; it has also, body: choose with --field");
  EXPECT_EQ(text_of(parse_jsonl("{\"text\": 5}", "text")),
            "error: line 1: has no text field \"text\"; it has none: choose with --field");
  EXPECT_EQ(text_of(parse_jsonl("{\"text\": \"x\"}\n[1]", "text")), "error: line 2: is array, expected a JSON object");
  EXPECT_TRUE(text_of(parse_jsonl("{\"text\": \"x\"}\n{\"text\": ", "text")).starts_with("error: line 2"));
  EXPECT_TRUE(
      text_of(read_corpus(put("b.jsonl", "nonsense"))).starts_with("error: " + folder_.file("b.jsonl") + ": line 1"));
}

TEST_F(Corpora, CsvJoinsTheColumnsThatAreNotNumbersInEveryRow) {
  const auto corpus = parse_csv("3,Title,Body text\n1,Other,More");
  EXPECT_EQ(text_of(corpus), "Title Body text\n\nOther More");
  EXPECT_EQ(corpus->n_documents, 2U);
  EXPECT_EQ(text_of(parse_csv("1,2\n2,x")), "2\n\nx") << "one word makes a column text";
  EXPECT_EQ(text_of(parse_csv(" 1.5e3 ,a\n-2,b")), "a\n\nb");
}

TEST_F(Corpora, CsvQuotesHoldCommasNewlinesAndQuotes) {
  EXPECT_EQ(text_of(parse_csv("\"a, b\",\"line one\nline two\",\"say \"\"hi\"\"\"\nx,y,\"\"")),
            "a, b line one\nline two say \"hi\"\n\nx y ");
  EXPECT_EQ(text_of(parse_csv("a\"b\",c")), "a\"b\" c") << "a quote inside an unquoted field is itself";
  EXPECT_EQ(text_of(parse_csv("x,y\n\"z")), "error: line 2: a quoted field is not closed");
  EXPECT_EQ(text_of(parse_csv("\"a\nb\",c\n\"z")), "error: line 3: a quoted field is not closed");
}

TEST_F(Corpora, CsvLinesMayEndInTheWaysOfEverySystem) {
  EXPECT_EQ(text_of(parse_csv("a,1\r\nb,2\r\n")), "a\n\nb");
  EXPECT_EQ(text_of(parse_csv("a,1\n\n\nb,2\n")), "a\n\nb");
  // The last line's newline is dropped with the file's: what is left of its ending must not make the number a text.
  EXPECT_EQ(text_of(read_corpus(put("dos.csv", "a,1\r\nb,2\r\n"))), "a\n\nb");
}

TEST_F(Corpora, CsvOfNumbersAloneHoldsNoText) {
  EXPECT_EQ(text_of(parse_csv("1,2\n3,4")),
            "error: every column is a number in every row, expected at least one column of text");
}

}  // namespace
}  // namespace tern::eval
