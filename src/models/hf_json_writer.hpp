// The counterpart of HfJson: keys of a config.json in the order they are set. Numbers of 32 bits are written as the
// shortest decimal that reads back as the same float: 1e-05, not the double beside it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "files/json.hpp"

namespace tern::models {

class HfJsonWriter {
 public:
  void integer(std::string_view key, std::int64_t value) { object_[std::string(key)] = value; }
  /// null where there is none, so that no class puts its own default there.
  void integer_or_null(std::string_view key, std::optional<std::int64_t> value);
  void null(std::string_view key) { object_[std::string(key)] = nullptr; }
  void number(std::string_view key, float value);
  void text(std::string_view key, std::string_view value) { object_[std::string(key)] = std::string(value); }
  void flag(std::string_view key, bool value) { object_[std::string(key)] = value; }
  void texts(std::string_view key, std::vector<std::string> values) { object_[std::string(key)] = std::move(values); }
  void object(std::string_view key, const HfJsonWriter& value) { object_[std::string(key)] = value.object_; }

  /// Indented, with a final newline. Texts that are not UTF-8 get replacement characters.
  [[nodiscard]] std::string text() const;

 private:
  nlohmann::ordered_json object_ = nlohmann::ordered_json::object();
};

}  // namespace tern::models
