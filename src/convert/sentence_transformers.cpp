#include "convert/sentence_transformers.hpp"

#include <array>
#include <string_view>

#include "base/words.hpp"
#include "files/json.hpp"
#include "sys/mapped_file.hpp"

namespace tern::convert {
namespace {

constexpr std::size_t kMaxBytes = std::size_t{1} << 20;

// A flag for each kind, or the newer "pooling_mode" with the kind's name.
Result<models::Pooling> pooling_of(const nlohmann::json& config) {
  using models::Pooling;
  struct Kind {
    std::string_view flag;
    std::string_view name;
    Pooling pooling;
  };
  constexpr std::array<Kind, 3> kKinds{{{"pooling_mode_mean_tokens", "mean", Pooling::mean},
                                        {"pooling_mode_cls_token", "cls", Pooling::cls},
                                        {"pooling_mode_lasttoken", "lasttoken", Pooling::last}}};
  if (!config.is_object()) {
    return fail(ErrorCode::bad_input, "is {}, expected an object", config.type_name());
  }
  Pooling out = Pooling::none;
  for (const auto& [key, value] : config.items()) {
    if (!key.starts_with("pooling_mode")) continue;
    const bool is_set = value.is_string() || (value.is_boolean() && value.get<bool>());
    if (!is_set) continue;
    Pooling named = Pooling::none;
    for (const Kind& kind : kKinds) {
      if (key == kind.flag || (value.is_string() && value.get<std::string>() == kind.name)) named = kind.pooling;
    }
    if (named == Pooling::none || (out != Pooling::none && out != named)) {
      return fail(ErrorCode::unsupported, "sets {}; Tern has one of mean, cls and last token", printable(key));
    }
    out = named;
  }
  if (out == Pooling::none) {
    return fail(ErrorCode::bad_input, "states no kind of pooling; Tern has mean, cls and last token");
  }
  return out;
}

}  // namespace

Result<std::string> pooling_part(std::span<const std::byte> text, const std::string& what) {
  TERN_TRY(const nlohmann::json modules, files::parse_json(text, what, {.max_bytes = kMaxBytes}));
  if (!modules.is_array()) return fail(ErrorCode::bad_input, "{}: is {}, expected a list", what, modules.type_name());
  for (const nlohmann::json& module : modules) {
    if (!module.is_object() || !module.contains("type") || !module["type"].is_string()) continue;
    const auto type = module["type"].get<std::string>();
    if (type.ends_with(".Dense")) {
      return fail(ErrorCode::unsupported, "{}: {} follows the pooling; Tern has embedding models that end in it", what,
                  printable(type));
    }
    if (!type.ends_with("Pooling")) continue;
    auto path = module.contains("path") && module["path"].is_string() ? module["path"].get<std::string>() : "";
    if (path.empty() || path.starts_with('/') || path.find("..") != std::string::npos || path.contains('\0')) {
      return fail(ErrorCode::bad_input, "{}: the pooling's path is \"{}\", expected a folder beside it", what,
                  printable(path));
    }
    return path;
  }
  return std::string();
}

Result<models::Pooling> parse_pooling(std::span<const std::byte> config, const std::string& what) {
  TERN_TRY(const nlohmann::json json, files::parse_json(config, what, {.max_bytes = kMaxBytes}));
  auto pooling = pooling_of(json);
  if (!pooling) return in_context(what, std::move(pooling).error());
  return pooling;
}

Result<models::Pooling> read_pooling(const std::string& folder) {
  const std::string list = folder + "/modules.json";
  if (!sys::exists(list)) return models::Pooling::none;
  TERN_TRY(const sys::MappedFile modules, sys::MappedFile::open(list));
  TERN_TRY(const std::string part, pooling_part(modules.bytes(), list));
  if (part.empty()) return models::Pooling::none;
  const std::string path = fmt::format("{}/{}/config.json", folder, part);
  TERN_TRY(const sys::MappedFile config, sys::MappedFile::open(path));
  return parse_pooling(config.bytes(), path);
}

}  // namespace tern::convert
