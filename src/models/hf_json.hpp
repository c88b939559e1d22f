// Typed look-ups in config.json: every value of the wrong type is an error that names key, type and what was expected.
// null counts as absent, as the libraries that write these files mean it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "files/json.hpp"

namespace tern::models {

class HfJson {
 public:
  /// `object` must outlive this view and be a JSON object.
  explicit HfJson(const nlohmann::json& object) : object_(&object) {}

  [[nodiscard]] bool has(const char* key) const { return find(key) != nullptr; }
  /// Present, if only as null.
  [[nodiscard]] bool mentions(const char* key) const { return object_->contains(key); }
  [[nodiscard]] const nlohmann::json* find(const char* key) const;

  [[nodiscard]] Result<std::optional<std::int64_t>> integer(const char* key) const;
  /// Leaves `out` alone where the key is absent.
  [[nodiscard]] Result<void> integer(const char* key, std::int64_t& out) const;
  [[nodiscard]] Result<void> required(const char* key, std::int64_t& out) const;
  [[nodiscard]] Result<void> number(const char* key, float& out) const;
  [[nodiscard]] Result<std::string> text_or(const char* key, std::string fallback) const;
  [[nodiscard]] Result<bool> flag_or(const char* key, bool fallback) const;
  [[nodiscard]] Result<std::optional<std::vector<std::string>>> texts(const char* key) const;
  [[nodiscard]] Result<std::optional<HfJson>> object(const char* key) const;

 private:
  const nlohmann::json* object_;
};

}  // namespace tern::models
