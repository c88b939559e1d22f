// Evaluation texts from files: raw text as it is, .jsonl with one field a line, .csv with its text columns; documents
// are joined by a blank line. One newline at the end of a file is dropped, as llama.cpp does.
#pragma once

#include <string>
#include <string_view>

#include "base/error.hpp"

namespace tern::eval {

struct Corpus {
  std::string name;  // the file's name without folder
  std::string text;
  std::size_t n_documents = 1;
};

/// The kind follows from the ending (.jsonl, .csv, anything else: raw). `field` is the JSON field. Errors name the
/// line.
[[nodiscard]] Result<Corpus> read_corpus(const std::string& path, std::string_view field = "text");

/// The same over bytes in hand; `path` says which kind, and stands in errors.
[[nodiscard]] Result<Corpus> corpus_of(std::string_view content, const std::string& path,
                                       std::string_view field = "text");
[[nodiscard]] Result<Corpus> parse_jsonl(std::string_view content, std::string_view field);
[[nodiscard]] Result<Corpus> parse_csv(std::string_view content);

}  // namespace tern::eval
