#include "eval/corpus.hpp"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <span>
#include <vector>

#include "base/byte_cursor.hpp"
#include "files/json.hpp"
#include "sys/mapped_file.hpp"
#include "sys/path.hpp"

namespace tern::eval {
namespace {

std::string_view without_final_newline(std::string_view text) {
  if (text.ends_with('\n')) text.remove_suffix(1);
  return text;
}

void append_document(Corpus& corpus, std::string_view document) {
  if (corpus.n_documents > 0) corpus.text += "\n\n";
  corpus.text += document;
  ++corpus.n_documents;
}

using Record = std::vector<std::string>;

// RFC 4180: fields in quotes may hold commas, newlines and doubled quotes.
Result<std::vector<Record>> csv_records(std::string_view content) {
  std::vector<Record> records;
  Record record;
  std::string field;
  bool quoted = false;
  std::size_t line = 1;
  std::size_t quote_line = 0;
  const auto end_record = [&] {
    if (field.ends_with('\r')) field.pop_back();
    record.push_back(std::exchange(field, {}));
    if (record.size() > 1 || !record.front().empty()) records.push_back(std::move(record));
    record.clear();
  };
  for (std::size_t i = 0; i < content.size(); ++i) {
    const char c = content[i];
    if (c == '\n') ++line;
    if (quoted) {
      if (c != '"') {
        field += c;
      } else if (i + 1 < content.size() && content[i + 1] == '"') {
        field += '"';
        ++i;
      } else {
        quoted = false;
      }
    } else if (c == '"' && field.empty()) {
      quoted = true;
      quote_line = line;
    } else if (c == ',') {
      record.push_back(std::exchange(field, {}));
    } else if (c == '\n') {
      end_record();
    } else {
      field += c;
    }
  }
  if (quoted) return fail(ErrorCode::bad_input, "line {}: a quoted field is not closed", quote_line);
  if (!field.empty() || !record.empty()) end_record();
  return records;
}

bool is_number(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  double value = 0.0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} && end == text.data() + text.size();
}

}  // namespace

Result<Corpus> parse_jsonl(std::string_view content, std::string_view field) {
  Corpus corpus{.name = {}, .text = {}, .n_documents = 0};
  std::size_t line_number = 0;
  while (!content.empty()) {
    const auto end = content.find('\n');
    const std::string_view line = content.substr(0, end);
    content.remove_prefix(end == std::string_view::npos ? content.size() : end + 1);
    ++line_number;
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    TERN_TRY(const auto value, files::parse_json(std::as_bytes(std::span(line)), fmt::format("line {}", line_number)));
    if (!value.is_object())
      return fail(ErrorCode::bad_input, "line {}: is {}, expected a JSON object", line_number, value.type_name());
    const auto found = value.find(field);
    if (found == value.end() || !found->is_string()) {
      std::vector<std::string> names;
      for (const auto& [name, member] : value.items()) {
        if (member.is_string()) names.push_back(name);
      }
      return fail(ErrorCode::bad_input, "line {}: has no text field \"{}\"; it has {}: choose with --field",
                  line_number, field, names.empty() ? "none" : fmt::format("{}", fmt::join(names, ", ")));
    }
    append_document(corpus, found->get_ref<const std::string&>());
  }
  return corpus;
}

Result<Corpus> parse_csv(std::string_view content) {
  TERN_TRY(const std::vector<Record> records, csv_records(content));
  std::size_t n_columns = 0;
  for (const Record& record : records) n_columns = std::max(n_columns, record.size());
  // A column that is a number in every row (a class, an id) is not text.
  std::vector<bool> is_text(n_columns, false);
  for (const Record& record : records) {
    for (std::size_t i = 0; i < record.size(); ++i) {
      if (!is_number(record[i])) is_text[i] = true;
    }
  }
  if (!records.empty() && std::ranges::find(is_text, true) == is_text.end()) {
    return fail(ErrorCode::bad_input, "every column is a number in every row, expected at least one column of text");
  }
  Corpus corpus{.name = {}, .text = {}, .n_documents = 0};
  for (const Record& record : records) {
    std::string document;
    for (std::size_t i = 0; i < record.size(); ++i) {
      if (!is_text[i]) continue;
      if (!document.empty()) document += ' ';
      document += record[i];
    }
    append_document(corpus, document);
  }
  return corpus;
}

Result<Corpus> corpus_of(std::string_view content, const std::string& path, std::string_view field) {
  content = without_final_newline(content);
  auto corpus = [&]() -> Result<Corpus> {
    if (path.ends_with(".jsonl")) return parse_jsonl(content, field);
    if (path.ends_with(".csv")) return parse_csv(content);
    return Corpus{.name = {}, .text = std::string(content), .n_documents = 1};
  }();
  if (!corpus) return in_context(path, std::move(corpus).error());
  corpus->name = sys::file_name_of(path);
  if (corpus->text.empty()) return fail(ErrorCode::bad_input, "{}: holds no text", path);
  return corpus;
}

Result<Corpus> read_corpus(const std::string& path, std::string_view field) {
  TERN_TRY(const sys::MappedFile file, sys::MappedFile::open(path));
  return corpus_of(as_text(file.bytes()), path, field);
}

}  // namespace tern::eval
