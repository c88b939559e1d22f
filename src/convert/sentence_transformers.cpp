#include "convert/sentence_transformers.hpp"

#include <array>
#include <utility>

#include "base/words.hpp"
#include "files/json.hpp"
#include "sys/mapped_file.hpp"

namespace tern::convert {
namespace {

constexpr std::size_t kMaxBytes = std::size_t{1} << 20;

Result<models::Pooling> pooling_of(const nlohmann::json& config) {
  using models::Pooling;
  constexpr std::array<std::pair<const char*, Pooling>, 3> kKnown{{{"pooling_mode_mean_tokens", Pooling::mean},
                                                                   {"pooling_mode_cls_token", Pooling::cls},
                                                                   {"pooling_mode_lasttoken", Pooling::last}}};
  if (!config.is_object()) {
    return fail(ErrorCode::bad_input, "the pooling's config.json is {}, expected an object", config.type_name());
  }
  Pooling out = Pooling::none;
  for (const auto& [key, value] : config.items()) {
    if (!key.starts_with("pooling_mode_") || !value.is_boolean() || !value.get<bool>()) continue;
    Pooling named = Pooling::none;
    for (const auto& [known, pooling] : kKnown) {
      if (key == known) named = pooling;
    }
    if (named == Pooling::none || out != Pooling::none) {
      return fail(ErrorCode::unsupported, "the pooling's config.json sets {}; Tern has one of mean, cls and last token",
                  printable(key));
    }
    out = named;
  }
  return out;
}

}  // namespace

Result<models::Pooling> read_pooling(const std::string& folder) {
  const std::string list = folder + "/modules.json";
  if (!sys::exists(list)) return models::Pooling::none;
  TERN_TRY(const nlohmann::json modules, files::read_json_file(list, kMaxBytes));
  if (!modules.is_array())
    return fail(ErrorCode::bad_input, "modules.json: is {}, expected a list", modules.type_name());
  for (const nlohmann::json& module : modules) {
    if (!module.is_object() || !module.contains("type") || !module["type"].is_string()) continue;
    const auto type = module["type"].get<std::string>();
    if (type.ends_with(".Dense")) {
      return fail(ErrorCode::unsupported,
                  "modules.json: {} follows the pooling; Tern has embedding models that end in it", printable(type));
    }
    if (!type.ends_with("Pooling")) continue;
    const auto path = module.contains("path") && module["path"].is_string() ? module["path"].get<std::string>() : "";
    if (path.empty() || path.starts_with('/') || path.find("..") != std::string::npos) {
      return fail(ErrorCode::bad_input, "modules.json: the pooling's path is \"{}\", expected a folder beside it",
                  printable(path));
    }
    TERN_TRY(const nlohmann::json config,
             files::read_json_file(fmt::format("{}/{}/config.json", folder, path), kMaxBytes));
    return pooling_of(config);
  }
  return models::Pooling::none;
}

}  // namespace tern::convert
