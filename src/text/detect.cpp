#include "text/detect.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include "base/foreign_content.hpp"

namespace tern::text {
namespace {

std::unexpected<Error> refuse_content(Bytes bytes) {
  if (const auto what = foreign_content(bytes); !what.empty()) return fail(ErrorCode::bad_input, "is {}", what);
  std::vector<std::string_view> kinds;
  for (const TokenizerFile* file : kTokenizerFiles) {
    if (file->looks_like != nullptr) kinds.push_back(file->what);
  }
  return fail(ErrorCode::bad_input, "the content is of no known kind, expected {}", fmt::join(kinds, ", "));
}

}  // namespace

const TokenizerFile* detect_tokenizer(Bytes bytes, std::string_view name) {
  for (const TokenizerFile* file : kTokenizerFiles) {
    const bool is_it = file->looks_like != nullptr
                           ? file->looks_like(bytes)
                           : !name.empty() && std::ranges::find(file->names, name) != file->names.end();
    if (is_it) return file;
  }
  return nullptr;
}

Result<Vocabulary> read_vocabulary(Bytes bytes, std::optional<std::string_view> pre, Bytes tokenizer_config) {
  const TokenizerFile* file = detect_tokenizer(bytes);
  if (file == nullptr) return refuse_content(bytes);
  if (!file->companion.empty()) {
    return fail(ErrorCode::bad_input, "this is {}, which needs {} beside it: name their folder", file->what,
                file->companion);
  }
  return file->read({.bytes = bytes, .tokenizer_config = tokenizer_config, .pre = pre});
}

}  // namespace tern::text
