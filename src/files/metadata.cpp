#include "files/metadata.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <type_traits>

#include "base/words.hpp"

namespace tern::files {
namespace {

// MetaValue::Storage holds the twelve scalar types in this order, then their arrays in the same order, then MetaArrays.
constexpr std::array kScalarTypes{MetaType::uint8,  MetaType::int8,   MetaType::uint16,  MetaType::int16,
                                  MetaType::uint32, MetaType::int32,  MetaType::float32, MetaType::boolean,
                                  MetaType::string, MetaType::uint64, MetaType::int64,   MetaType::float64};
static_assert(std::variant_size_v<MetaValue::Storage> == 2 * kScalarTypes.size() + 1);

template <typename T>
concept Integer = std::integral<T> && !std::same_as<T, bool>;

template <typename T>
struct ElementOf {
  using type = void;
};
template <typename T>
struct ElementOf<std::vector<T>> {
  using type = T;
};

template <typename T>
std::string element_text(const T& element, std::size_t max_length) {
  if constexpr (std::same_as<T, MetaValue>) {
    return element.text(max_length);
  } else if constexpr (std::same_as<T, std::string_view>) {
    return fmt::format("\"{}\"", printable(element, max_length));
  } else {
    return fmt::format("{}", element);
  }
}

template <typename T, typename List>
std::string list_text(const List& list, std::size_t max_length) {
  std::string out = "[";
  for (std::size_t i = 0; i < list.size(); ++i) {
    if (i > 0) out += ", ";
    if (out.size() > max_length) return out + fmt::format("... {} in all]", with_separators(list.size()));
    out += element_text<T>(list[i], max_length);
  }
  return out + "]";
}

std::unexpected<Error> missing(std::string_view key, std::string_view expected) {
  return fail(ErrorCode::not_found, "metadata key {} is missing, expected {}", printable(key), expected);
}

std::unexpected<Error> wrong_type(std::string_view key, const MetaValue& value, std::string_view expected) {
  return fail(ErrorCode::bad_input, "metadata key {} is {} ({}), expected {}", printable(key), value.type_text(),
              value.text(40), expected);
}

/// The integer in `value` as T; an error if it is not an integer or does not fit.
template <typename T>
Result<T> integer_from(std::string_view key, const MetaValue& value, std::string_view expected) {
  return std::visit(
      [&](const auto& held) -> Result<T> {
        using Held = std::remove_cvref_t<decltype(held)>;
        if constexpr (Integer<Held>) {
          if (std::in_range<T>(held)) return static_cast<T>(held);
        }
        return wrong_type(key, value, expected);
      },
      value.storage);
}

}  // namespace

MetaStrings::MetaStrings(std::span<const std::string> strings) {
  std::size_t n_bytes = 0;
  for (const auto& text : strings) n_bytes += text.size();
  reserve(strings.size(), n_bytes);
  for (const auto& text : strings) push_back(text);
}

void MetaStrings::reserve(std::size_t n_strings, std::size_t n_bytes) {
  ends_.reserve(n_strings);
  bytes_.reserve(n_bytes);
}

void MetaStrings::push_back(std::string_view text) {
  bytes_ += text;
  ends_.push_back(bytes_.size());
}

bool MetaArrays::operator==(const MetaArrays&) const = default;

std::string type_name(MetaType type) {
  constexpr std::array<std::string_view, 13> kNames{"uint8",  "int8",    "uint16",  "int16",  "uint32",
                                                    "int32",  "float32", "boolean", "string", "array",
                                                    "uint64", "int64",   "float64"};
  const auto index = static_cast<std::size_t>(type);
  return index < kNames.size() ? std::string(kNames[index]) : fmt::format("type {}", index);
}

MetaType MetaValue::type() const {
  return storage.index() < kScalarTypes.size() ? kScalarTypes[storage.index()] : MetaType::array;
}

MetaType MetaValue::element_type() const {
  if (std::holds_alternative<MetaArrays>(storage)) return MetaType::array;
  return kScalarTypes[storage.index() % kScalarTypes.size()];
}

std::size_t MetaValue::n_elements() const {
  return std::visit(
      [](const auto& held) -> std::size_t {
        using Held = std::remove_cvref_t<decltype(held)>;
        if constexpr (std::same_as<Held, MetaArrays>) {
          return held.items.size();
        } else if constexpr (std::same_as<Held, MetaStrings> || !std::is_void_v<typename ElementOf<Held>::type>) {
          return held.size();
        } else {
          return 1;
        }
      },
      storage);
}

std::string MetaValue::type_text() const {
  if (!is_array()) return type_name(type());
  return fmt::format("an array of {} {}", n_elements(), type_name(element_type()));
}

std::string MetaValue::text(std::size_t max_length) const {
  return std::visit(
      [&](const auto& held) -> std::string {
        using Held = std::remove_cvref_t<decltype(held)>;
        using Element = typename ElementOf<Held>::type;
        if constexpr (std::same_as<Held, std::string>) {
          return printable(held, max_length);
        } else if constexpr (std::same_as<Held, MetaStrings>) {
          return list_text<std::string_view>(held, max_length);
        } else if constexpr (std::same_as<Held, MetaArrays>) {
          return list_text<MetaValue>(held.items, max_length);
        } else if constexpr (!std::is_void_v<Element>) {
          return list_text<Element>(held, max_length);
        } else {
          return fmt::format("{}", held);
        }
      },
      storage);
}

const MetaValue* Metadata::find(std::string_view key) const {
  const auto place = places_.find(key);
  return place == places_.end() ? nullptr : &entries_[place->second].value;
}

void Metadata::set(std::string_view key, MetaValue value) {
  const auto place = places_.find(key);
  if (place != places_.end()) {
    entries_[place->second].value = std::move(value);
    return;
  }
  places_.emplace(key, entries_.size());
  entries_.push_back({std::string(key), std::move(value)});
}

bool Metadata::erase(std::string_view key) {
  const auto place = places_.find(key);
  if (place == places_.end()) return false;
  const std::size_t index = place->second;
  places_.erase(place);
  entries_.erase(entries_.begin() + static_cast<std::ptrdiff_t>(index));
  for (auto& [name, other] : places_) {
    if (other > index) --other;
  }
  return true;
}

Result<std::optional<std::uint64_t>> Metadata::optional_u64(std::string_view key) const {
  const MetaValue* value = find(key);
  if (value == nullptr) return std::nullopt;
  return integer_from<std::uint64_t>(key, *value, "an integer of at least 0");
}

Result<std::optional<std::int64_t>> Metadata::optional_i64(std::string_view key) const {
  const MetaValue* value = find(key);
  if (value == nullptr) return std::nullopt;
  return integer_from<std::int64_t>(key, *value, "an integer");
}

Result<std::optional<float>> Metadata::optional_f32(std::string_view key) const {
  const MetaValue* value = find(key);
  if (value == nullptr) return std::nullopt;
  if (const auto* held = std::get_if<float>(&value->storage)) return *held;
  if (const auto* held = std::get_if<double>(&value->storage)) {
    // A finite float64 beyond float32 would silently become infinite.
    if (!std::isfinite(*held) || std::abs(*held) <= std::numeric_limits<float>::max()) return static_cast<float>(*held);
  }
  return wrong_type(key, *value, "a float32");
}

Result<std::optional<bool>> Metadata::optional_bool(std::string_view key) const {
  const MetaValue* value = find(key);
  if (value == nullptr) return std::nullopt;
  if (const auto* held = std::get_if<bool>(&value->storage)) return *held;
  return wrong_type(key, *value, "a boolean");
}

Result<std::optional<std::string>> Metadata::optional_string(std::string_view key) const {
  const MetaValue* value = find(key);
  if (value == nullptr) return std::nullopt;
  if (const auto* held = std::get_if<std::string>(&value->storage)) return *held;
  return wrong_type(key, *value, "a string");
}

Result<const MetaStrings*> Metadata::optional_strings(std::string_view key) const {
  const MetaValue* value = find(key);
  if (value == nullptr) return nullptr;
  if (const auto* held = std::get_if<MetaStrings>(&value->storage)) return held;
  return wrong_type(key, *value, "an array of strings");
}

Result<std::optional<std::vector<std::int64_t>>> Metadata::optional_i64s(std::string_view key) const {
  const MetaValue* value = find(key);
  if (value == nullptr) return std::nullopt;
  return std::visit(
      [&](const auto& held) -> Result<std::optional<std::vector<std::int64_t>>> {
        using Element = typename ElementOf<std::remove_cvref_t<decltype(held)>>::type;
        if constexpr (Integer<Element>) {
          const bool all_fit = std::ranges::all_of(held, [](Element e) { return std::in_range<std::int64_t>(e); });
          if (all_fit) return std::vector<std::int64_t>(held.begin(), held.end());
        }
        return wrong_type(key, *value, "an array of integers");
      },
      value->storage);
}

Result<std::optional<std::vector<float>>> Metadata::optional_f32s(std::string_view key) const {
  const MetaValue* value = find(key);
  if (value == nullptr) return std::nullopt;
  if (const auto* held = std::get_if<std::vector<float>>(&value->storage)) return *held;
  if (const auto* held = std::get_if<std::vector<double>>(&value->storage)) {
    std::vector<float> rounded(held->size());
    std::ranges::transform(*held, rounded.begin(), [](double v) { return static_cast<float>(v); });
    return rounded;
  }
  return wrong_type(key, *value, "an array of float32");
}

Result<std::optional<std::vector<bool>>> Metadata::optional_bools(std::string_view key) const {
  const MetaValue* value = find(key);
  if (value == nullptr) return std::nullopt;
  if (const auto* held = std::get_if<std::vector<bool>>(&value->storage)) return *held;
  return wrong_type(key, *value, "an array of booleans");
}

namespace {

template <typename T>
Result<T> required(Result<std::optional<T>> value, std::string_view key, std::string_view expected) {
  if (!value) return std::unexpected(std::move(value).error());
  if (!*value) return missing(key, expected);
  return **std::move(value);
}

}  // namespace

Result<std::uint64_t> Metadata::get_u64(std::string_view key) const {
  return required(optional_u64(key), key, "an integer of at least 0");
}
Result<std::int64_t> Metadata::get_i64(std::string_view key) const {
  return required(optional_i64(key), key, "an integer");
}
Result<float> Metadata::get_f32(std::string_view key) const {
  return required(optional_f32(key), key, "a float32");
}
Result<bool> Metadata::get_bool(std::string_view key) const {
  return required(optional_bool(key), key, "a boolean");
}
Result<std::string> Metadata::get_string(std::string_view key) const {
  return required(optional_string(key), key, "a string");
}
Result<const MetaStrings*> Metadata::get_strings(std::string_view key) const {
  auto strings = optional_strings(key);
  if (strings && *strings == nullptr) return missing(key, "an array of strings");
  return strings;
}
Result<std::vector<std::int64_t>> Metadata::get_i64s(std::string_view key) const {
  return required(optional_i64s(key), key, "an array of integers");
}
Result<std::vector<float>> Metadata::get_f32s(std::string_view key) const {
  return required(optional_f32s(key), key, "an array of float32");
}
Result<std::vector<bool>> Metadata::get_bools(std::string_view key) const {
  return required(optional_bools(key), key, "an array of booleans");
}

}  // namespace tern::files
