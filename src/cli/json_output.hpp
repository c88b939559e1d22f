// --json: exactly one JSON value on stdout. Members keep the order they are given in; text that is not UTF-8 (names
// from a file) has its bad bytes replaced, and a number that is not finite becomes null, so that every parser takes it.
#pragma once

#include <nlohmann/json.hpp>

#include "cli/console.hpp"

namespace tern::cli {

using Json = nlohmann::ordered_json;

inline void print_json(Console& console, const Json& value) {
  console.out(value.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
}

}  // namespace tern::cli
