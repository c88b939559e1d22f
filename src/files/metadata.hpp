// The metadata of a GGUF file: an ordered list of (key, value), values of every type the format has, and typed getters.
// It owns everything it holds (a copy is safe after the file is closed). Long string arrays (a vocabulary) are one blob
// with offsets, so 128k tokens cost their bytes plus eight each. Nothing here knows what a key means.
// Source: the GGUF specification (types and their numbers).
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "base/error.hpp"

namespace tern::files {

/// An immutable-by-element list of byte strings in one allocation.
class MetaStrings {
 public:
  MetaStrings() = default;
  explicit MetaStrings(std::span<const std::string> strings);

  void reserve(std::size_t n_strings, std::size_t n_bytes);
  void push_back(std::string_view text);
  [[nodiscard]] std::size_t size() const { return ends_.size(); }
  [[nodiscard]] bool empty() const { return ends_.empty(); }
  /// Requires: i < size(). The view lives as long as this object is neither changed nor destroyed.
  [[nodiscard]] std::string_view operator[](std::size_t i) const {
    const std::size_t begin = i == 0 ? 0 : static_cast<std::size_t>(ends_[i - 1]);
    return std::string_view(bytes_).substr(begin, static_cast<std::size_t>(ends_[i]) - begin);
  }
  bool operator==(const MetaStrings&) const = default;

 private:
  std::string bytes_;
  std::vector<std::uint64_t> ends_;  // ends_[i]: one past the last byte of string i
};

struct MetaValue;

/// An array of arrays (legal in GGUF, rare). Each item is an array value.
struct MetaArrays {
  std::vector<MetaValue> items;
  bool operator==(const MetaArrays&) const;
};

/// The type numbers of the GGUF specification.
enum class MetaType : std::uint32_t {
  uint8 = 0,
  int8 = 1,
  uint16 = 2,
  int16 = 3,
  uint32 = 4,
  int32 = 5,
  float32 = 6,
  boolean = 7,
  string = 8,
  array = 9,
  uint64 = 10,
  int64 = 11,
  float64 = 12,
};

/// "uint32", ...; "type 77" for a number the specification does not have.
[[nodiscard]] std::string type_name(MetaType type);

/// One value. Built implicitly from exactly one of its types: `metadata.set("general.alignment", std::uint32_t{32})`.
struct MetaValue {
  using Storage =
      std::variant<std::uint8_t, std::int8_t, std::uint16_t, std::int16_t, std::uint32_t, std::int32_t, float, bool,
                   std::string, std::uint64_t, std::int64_t, double, std::vector<std::uint8_t>,
                   std::vector<std::int8_t>, std::vector<std::uint16_t>, std::vector<std::int16_t>,
                   std::vector<std::uint32_t>, std::vector<std::int32_t>, std::vector<float>, std::vector<bool>,
                   MetaStrings, std::vector<std::uint64_t>, std::vector<std::int64_t>, std::vector<double>, MetaArrays>;

  template <typename T>
  static constexpr bool kIsAlternative = []<typename... Ts>(std::type_identity<std::variant<Ts...>>) {
    return (std::same_as<T, Ts> || ...);
  }(std::type_identity<Storage>{});

  Storage storage;

  template <typename T>
    requires kIsAlternative<std::remove_cvref_t<T>>
  MetaValue(T&& value) : storage(std::forward<T>(value)) {}  // NOLINT: implicit on purpose
  MetaValue(std::string_view text) : storage(std::string(text)) {}
  MetaValue(const char* text) : storage(std::string(text)) {}

  /// The type itself, `array` for every array.
  [[nodiscard]] MetaType type() const;
  /// The element type of an array; the type itself otherwise.
  [[nodiscard]] MetaType element_type() const;
  [[nodiscard]] bool is_array() const { return type() == MetaType::array; }
  /// Elements of an array; 1 for a scalar.
  [[nodiscard]] std::size_t n_elements() const;
  /// "uint32", "array of 3 strings": for error messages and `info`.
  [[nodiscard]] std::string type_text() const;
  /// The value in one printable line, at most about `max_length` characters: `[1, 2, 3, ... 128256 in all]`.
  [[nodiscard]] std::string text(std::size_t max_length = 100) const;
  bool operator==(const MetaValue&) const = default;
};

class Metadata {
 public:
  struct Entry {
    std::string key;
    MetaValue value;
    bool operator==(const Entry&) const = default;
  };

  [[nodiscard]] const std::vector<Entry>& entries() const { return entries_; }
  [[nodiscard]] std::size_t size() const { return entries_.size(); }
  /// Null when absent. The pointer is good until the next set() or erase().
  [[nodiscard]] const MetaValue* find(std::string_view key) const;
  [[nodiscard]] bool contains(std::string_view key) const { return find(key) != nullptr; }
  /// Adds at the end, or replaces in place.
  void set(std::string_view key, MetaValue value);
  /// True if it was there.
  bool erase(std::string_view key);

  // Typed getters. Errors: not_found when the key is absent, bad_input when the value has another type or does not fit;
  // the message names the key, what it holds and what was expected.
  [[nodiscard]] Result<std::uint64_t> get_u64(std::string_view key) const;  // any integer type, not negative
  [[nodiscard]] Result<std::int64_t> get_i64(std::string_view key) const;   // any integer type
  [[nodiscard]] Result<float> get_f32(std::string_view key) const;          // float32, or float64 rounded to float32
  [[nodiscard]] Result<bool> get_bool(std::string_view key) const;
  [[nodiscard]] Result<std::string> get_string(std::string_view key) const;
  [[nodiscard]] Result<const MetaStrings*> get_strings(std::string_view key) const;      // never null
  [[nodiscard]] Result<std::vector<std::int64_t>> get_i64s(std::string_view key) const;  // any integer element type
  [[nodiscard]] Result<std::vector<float>> get_f32s(std::string_view key) const;         // float32 or float64
  [[nodiscard]] Result<std::vector<bool>> get_bools(std::string_view key) const;

  // The same, nullopt when the key is absent; a value of the wrong type is still an error.
  [[nodiscard]] Result<std::optional<std::uint64_t>> optional_u64(std::string_view key) const;
  [[nodiscard]] Result<std::optional<std::int64_t>> optional_i64(std::string_view key) const;
  [[nodiscard]] Result<std::optional<float>> optional_f32(std::string_view key) const;
  [[nodiscard]] Result<std::optional<bool>> optional_bool(std::string_view key) const;
  [[nodiscard]] Result<std::optional<std::string>> optional_string(std::string_view key) const;
  /// Null when absent.
  [[nodiscard]] Result<const MetaStrings*> optional_strings(std::string_view key) const;
  [[nodiscard]] Result<std::optional<std::vector<std::int64_t>>> optional_i64s(std::string_view key) const;
  [[nodiscard]] Result<std::optional<std::vector<float>>> optional_f32s(std::string_view key) const;
  [[nodiscard]] Result<std::optional<std::vector<bool>>> optional_bools(std::string_view key) const;

  bool operator==(const Metadata& other) const { return entries_ == other.entries_; }

 private:
  std::vector<Entry> entries_;
  std::map<std::string, std::size_t, std::less<>> places_;
};

}  // namespace tern::files
