// The documents of a text file, one after the other: what lies between two separators. The file is mapped and what has
// been read is let go, so a text of any size takes little memory; one document has to fit. Text is UTF-8: a file that
// is not is refused by name and byte, since it is more often another encoding or no text at all than what somebody
// wants to train on.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "sys/mapped_file.hpp"

namespace tern::train {

inline constexpr std::string_view kDefaultSeparator = "<|endoftext|>";

/// Without the white space around it, as Python's str.strip() leaves it. Requires: valid UTF-8.
[[nodiscard]] std::string_view stripped(std::string_view text);

class DocumentReader {
 public:
  /// An empty separator makes the whole file one document.
  [[nodiscard]] static Result<DocumentReader> open(const std::string& path, std::string separator);

  /// The next document as it stands, which may be empty; nothing at the end of the file. The view lives until
  /// release(). Errors: bad_input for what is not UTF-8, with the byte's place in the file.
  [[nodiscard]] Result<std::optional<std::string_view>> next();
  /// What next() has given so far is not needed any more.
  void release();

  [[nodiscard]] std::size_t position() const { return position_; }
  [[nodiscard]] std::size_t size() const { return file_.bytes().size(); }
  [[nodiscard]] const std::string& path() const { return file_.path(); }

 private:
  DocumentReader(sys::MappedFile file, std::string separator)
      : file_(std::move(file)), separator_(std::move(separator)) {}
  sys::MappedFile file_;
  std::string separator_;
  std::size_t position_ = 0;
  std::size_t released_ = 0;
  bool at_end_ = false;
};

}  // namespace tern::train
