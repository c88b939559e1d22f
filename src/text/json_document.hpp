// A JSON document from outside, parsed without exceptions: bounded depth, no key twice in one object, valid UTF-8.
// Only for this room's readers.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "text/readers.hpp"

namespace tern::text {

/// `what` names the document in errors ("tokenizer.json").
[[nodiscard]] Result<nlohmann::json> parse_json(Bytes bytes, std::string_view what);

/// A member of an object, or null when there is none (or `object` is no object).
[[nodiscard]] const nlohmann::json* member(const nlohmann::json& object, std::string_view key);

/// A member that is a string; empty if it is not.
[[nodiscard]] std::string_view string_member(const nlohmann::json& object, std::string_view key);

/// A member that is true or false.
[[nodiscard]] std::optional<bool> bool_member(const nlohmann::json& object, std::string_view key);

}  // namespace tern::text
