#include "models/hf_json_writer.hpp"

#include <fmt/format.h>

#include <charconv>

namespace tern::models {

void HfJsonWriter::integer_or_null(std::string_view key, std::optional<std::int64_t> value) {
  if (value) {
    integer(key, *value);
  } else {
    null(key);
  }
}

void HfJsonWriter::number(std::string_view key, float value) {
  const std::string shortest = fmt::format("{}", value);
  double read_back = static_cast<double>(value);
  std::from_chars(shortest.data(), shortest.data() + shortest.size(), read_back);
  object_[std::string(key)] = read_back;
}

std::string HfJsonWriter::text() const {
  return object_.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace tern::models
