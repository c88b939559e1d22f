#include "convert/tensor_types.hpp"

#include "base/byte_cursor.hpp"
#include "base/words.hpp"
#include "formats/all.hpp"
#include "sys/mapped_file.hpp"

namespace tern::convert {
namespace {

bool is_space(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}

Result<void> add(std::string_view word, std::vector<TensorType>& types) {
  if (types.size() >= kMaxTensorTypes) {
    return fail(ErrorCode::usage, "more than {} tensor types; a regular expression can stand for many tensors",
                kMaxTensorTypes);
  }
  TERN_TRY(TensorType type, parse_tensor_type(word));
  types.push_back(std::move(type));
  return {};
}

}  // namespace

Result<TensorType> parse_tensor_type(std::string_view text) {
  const auto equals = text.rfind('=');
  if (equals == std::string_view::npos || equals == 0 || equals + 1 == text.size()) {
    const std::string_view missing = equals == std::string_view::npos ? "has no '='"
                                     : equals == 0                    ? "has no name before '='"
                                                                      : "has no format after '='";
    return fail(ErrorCode::usage, "'{}' {}, expected REGEX=FORMAT, for example attn_v=Q6_K", printable(text), missing);
  }
  const auto named = [&](Error error) { return in_context(fmt::format("'{}'", printable(text)), std::move(error)); };
  auto format = formats::by_name(text.substr(equals + 1));
  if (!format) return named(std::move(format).error());
  auto pattern = NamePattern::make(text.substr(0, equals));
  if (!pattern) return named(std::move(pattern).error());
  return TensorType{std::move(*pattern), *format};
}

Result<void> read_tensor_types(const std::string& path, std::vector<TensorType>& types) {
  TERN_TRY(const sys::MappedFile file, sys::MappedFile::open(path));
  const std::string_view text = as_text(file.bytes());
  if (text.size() > kMaxTensorTypeFileBytes) {
    return fail(ErrorCode::bad_input, "{}: has {} bytes, expected a list of REGEX=FORMAT of at most {}", path,
                text.size(), kMaxTensorTypeFileBytes);
  }
  if (text.find('\0') != std::string_view::npos)
    return fail(ErrorCode::bad_input, "{}: holds zero bytes, expected a text of REGEX=FORMAT", path);
  const std::size_t before = types.size();
  std::size_t line = 1;
  for (std::size_t at = 0; at < text.size();) {
    if (is_space(text[at])) {
      line += text[at] == '\n' ? 1 : 0;
      ++at;
    } else if (text[at] == '#') {
      at = std::min(text.find('\n', at), text.size());
    } else {
      const std::size_t begin = at;
      while (at < text.size() && !is_space(text[at])) ++at;
      if (auto added = add(text.substr(begin, at - begin), types); !added)
        return in_context(fmt::format("{}, line {}", path, line), std::move(added).error());
    }
  }
  if (types.size() == before) return fail(ErrorCode::bad_input, "{}: holds no REGEX=FORMAT", path);
  return {};
}

Result<const formats::Format*> type_for(std::span<const TensorType> types, std::string_view name) {
  for (const TensorType& type : types) {
    TERN_TRY(const bool found, type.pattern.is_in(name));
    if (found) return type.format;
  }
  return nullptr;
}

}  // namespace tern::convert
