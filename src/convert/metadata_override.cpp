#include "convert/metadata_override.hpp"

#include <charconv>
#include <cmath>
#include <limits>

#include "base/words.hpp"

namespace tern::convert {
namespace {

constexpr std::size_t kMaxBytes = 127;

enum class Kind { integer, floating, boolean, string };

Kind kind_of(files::MetaType type) {
  switch (type) {
    case files::MetaType::float32:
    case files::MetaType::float64:
      return Kind::floating;
    case files::MetaType::boolean:
      return Kind::boolean;
    case files::MetaType::string:
      return Kind::string;
    default:
      return Kind::integer;
  }
}

std::string_view prefix_of(Kind kind) {
  switch (kind) {
    case Kind::floating:
      return "float:";
    case Kind::boolean:
      return "bool:";
    case Kind::string:
      return "str:";
    case Kind::integer:
      break;
  }
  return "int:";
}

template <typename T>
bool parse_number(std::string_view text, T& out) {
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, out);
  return error == std::errc() && stop == end && !text.empty();
}

Result<files::MetaValue> parse_value(std::string_view typed) {
  const auto after = [&](std::string_view prefix) {
    return typed.starts_with(prefix) ? std::optional(typed.substr(prefix.size())) : std::nullopt;
  };
  if (const auto text = after("int:")) {
    std::int64_t number = 0;
    // llama-quantize would store -5 as 5.
    if (!parse_number(*text, number) || number < 0 || number > std::numeric_limits<std::uint32_t>::max())
      return fail(ErrorCode::usage, "int: takes a whole number from 0 to {}",
                  std::numeric_limits<std::uint32_t>::max());
    return files::MetaValue(static_cast<std::uint32_t>(number));
  }
  if (const auto text = after("float:")) {
    double number = 0.0;
    if (!parse_number(*text, number) || !std::isfinite(static_cast<float>(number)))
      return fail(ErrorCode::usage, "float: takes a number that fits into 32 bits, such as 1e-5");
    return files::MetaValue(static_cast<float>(number));
  }
  if (const auto text = after("bool:")) {
    if (*text != "true" && *text != "false") return fail(ErrorCode::usage, "bool: takes true or false");
    return files::MetaValue(*text == "true");
  }
  if (const auto text = after("str:")) {
    if (text->size() > kMaxBytes)
      return fail(ErrorCode::usage, "str: takes at most {} bytes, got {}", kMaxBytes, text->size());
    return files::MetaValue(std::string(*text));
  }
  return fail(ErrorCode::usage, "expected KEY=int:N, KEY=float:X, KEY=bool:true or KEY=str:TEXT");
}

}  // namespace

Result<MetadataOverride> parse_metadata_override(std::string_view text) {
  const auto equals = text.find('=');
  const auto refuse = [&](Error error) { return in_context(fmt::format("'{}'", printable(text)), std::move(error)); };
  if (equals == std::string_view::npos || equals == 0) {
    return fail(ErrorCode::usage, "'{}' has no {}, expected KEY=TYPE:VALUE, for example llama.context_length=int:4096",
                printable(text), equals == 0 ? "key before '='" : "'='");
  }
  if (equals > kMaxBytes) {
    return fail(ErrorCode::usage, "'{}': the key has {} bytes, expected at most {}", printable(text), equals,
                kMaxBytes);
  }
  auto value = parse_value(text.substr(equals + 1));
  if (!value) return refuse(std::move(value).error());
  return MetadataOverride{std::string(text.substr(0, equals)), std::move(*value)};
}

Result<void> override_metadata(std::span<const MetadataOverride> overrides, files::Metadata& metadata) {
  for (const MetadataOverride& override : overrides) {
    if (override.key.starts_with("split.")) {
      return fail(ErrorCode::usage, "{}: says how a model is divided into files; see tern split",
                  printable(override.key));
    }
    if (const files::MetaValue* there = metadata.find(override.key)) {
      const Kind theirs = kind_of(there->element_type());
      if (theirs != kind_of(override.value.type())) {
        return fail(ErrorCode::usage, "{}: the file has {} {} there; use {}", printable(override.key),
                    there->type_text(), there->text(40), prefix_of(theirs));
      }
    }
    metadata.set(override.key, override.value);
  }
  return {};
}

}  // namespace tern::convert
