#include "models/hf_json.hpp"

namespace tern::models {
namespace {

std::unexpected<Error> wrong_type(const char* key, const nlohmann::json& value, std::string_view expected) {
  return fail(ErrorCode::bad_input, "config.json: {} is {}, expected {}", key, value.type_name(), expected);
}

}  // namespace

const nlohmann::json* HfJson::find(const char* key) const {
  const auto found = object_->find(key);
  return found == object_->end() || found->is_null() ? nullptr : &*found;
}

Result<std::optional<std::int64_t>> HfJson::integer(const char* key) const {
  const nlohmann::json* value = find(key);
  if (value == nullptr) return std::nullopt;
  if (!value->is_number_integer()) return wrong_type(key, *value, "an integer");
  if (value->is_number_unsigned() && value->get<std::uint64_t>() > std::uint64_t{1} << 62) {
    return fail(ErrorCode::bad_input, "config.json: {} is {}, too large", key, value->get<std::uint64_t>());
  }
  return value->get<std::int64_t>();
}

Result<void> HfJson::integer(const char* key, std::int64_t& out) const {
  TERN_TRY(const auto value, integer(key));
  if (value) out = *value;
  return {};
}

Result<void> HfJson::required(const char* key, std::int64_t& out) const {
  TERN_TRY(const auto value, integer(key));
  if (!value) return fail(ErrorCode::bad_input, "config.json: {} is missing", key);
  out = *value;
  return {};
}

Result<void> HfJson::number(const char* key, float& out) const {
  const nlohmann::json* value = find(key);
  if (value == nullptr) return {};
  if (!value->is_number()) return wrong_type(key, *value, "a number");
  out = value->get<float>();
  return {};
}

Result<std::string> HfJson::text_or(const char* key, std::string fallback) const {
  const nlohmann::json* value = find(key);
  if (value == nullptr) return fallback;
  if (!value->is_string()) return wrong_type(key, *value, "a string");
  return value->get<std::string>();
}

Result<bool> HfJson::flag_or(const char* key, bool fallback) const {
  const nlohmann::json* value = find(key);
  if (value == nullptr) return fallback;
  if (!value->is_boolean()) return wrong_type(key, *value, "true or false");
  return value->get<bool>();
}

Result<std::optional<std::vector<std::string>>> HfJson::texts(const char* key) const {
  const nlohmann::json* value = find(key);
  if (value == nullptr) return std::nullopt;
  if (!value->is_array()) return wrong_type(key, *value, "a list of strings");
  std::vector<std::string> out;
  for (const nlohmann::json& item : *value) {
    if (!item.is_string()) return wrong_type(key, item, "a list of strings");
    out.push_back(item.get<std::string>());
  }
  return out;
}

Result<std::optional<HfJson>> HfJson::object(const char* key) const {
  const nlohmann::json* value = find(key);
  if (value == nullptr) return std::nullopt;
  if (!value->is_object()) return wrong_type(key, *value, "an object");
  return HfJson(*value);
}

}  // namespace tern::models
