#include "files/gguf_value.hpp"

#include <cstring>
#include <limits>
#include <type_traits>
#include <vector>

#include "base/checked.hpp"

namespace tern::files {
namespace {

template <typename T>
struct Tag {
  using type = T;
};

/// Calls visit(Tag<T>{}) with the C++ type of a fixed-size GGUF type; false if `type` is none (string, array, unknown).
template <typename Visit>
bool with_number_type(MetaType type, Visit&& visit) {
  switch (type) {
    case MetaType::uint8:
      visit(Tag<std::uint8_t>{});
      return true;
    case MetaType::int8:
      visit(Tag<std::int8_t>{});
      return true;
    case MetaType::uint16:
      visit(Tag<std::uint16_t>{});
      return true;
    case MetaType::int16:
      visit(Tag<std::int16_t>{});
      return true;
    case MetaType::uint32:
      visit(Tag<std::uint32_t>{});
      return true;
    case MetaType::int32:
      visit(Tag<std::int32_t>{});
      return true;
    case MetaType::float32:
      visit(Tag<float>{});
      return true;
    case MetaType::boolean:
      visit(Tag<bool>{});
      return true;
    case MetaType::uint64:
      visit(Tag<std::uint64_t>{});
      return true;
    case MetaType::int64:
      visit(Tag<std::int64_t>{});
      return true;
    case MetaType::float64:
      visit(Tag<double>{});
      return true;
    case MetaType::string:
    case MetaType::array:
      return false;
  }
  return false;
}

Result<bool> to_bool(std::uint8_t byte) {
  if (byte > 1) return fail(ErrorCode::bad_input, "a boolean is {}, expected 0 or 1", byte);
  return byte == 1;
}

template <typename T>
Result<MetaValue> read_numbers(ByteCursor& cursor, std::uint64_t n) {
  using Stored = std::conditional_t<std::same_as<T, bool>, std::uint8_t, T>;
  const auto n_bytes = checked_mul<std::uint64_t>(n, sizeof(Stored));
  // A count so large that its bytes overflow certainly does not fit in the file.
  TERN_TRY(const auto bytes,
           cursor.take(n_bytes.value_or(std::numeric_limits<std::uint64_t>::max()), "an array of numbers"));
  std::vector<T> values(static_cast<std::size_t>(n));
  if constexpr (std::same_as<T, bool>) {
    for (std::size_t i = 0; i < values.size(); ++i) {
      TERN_TRY(const bool value, to_bool(std::to_integer<std::uint8_t>(bytes[i])));
      values[i] = value;
    }
  } else if (!bytes.empty()) {
    std::memcpy(values.data(), bytes.data(), bytes.size());
  }
  return MetaValue(std::move(values));
}

Result<MetaValue> read_strings(ByteCursor& cursor, std::uint64_t n) {
  if (n > cursor.remaining() / sizeof(std::uint64_t)) {
    return fail(ErrorCode::bad_input, "truncated: an array of {} strings at byte {}, only {} bytes are left", n,
                cursor.position(), cursor.remaining());
  }
  MetaStrings strings;
  strings.reserve(static_cast<std::size_t>(n), 0);
  for (std::uint64_t i = 0; i < n; ++i) {
    TERN_TRY(const auto text, read_gguf_string(cursor, "a string", std::numeric_limits<std::uint64_t>::max()));
    strings.push_back(text);
  }
  return MetaValue(std::move(strings));
}

template <typename T>
void append_raw(std::string& out, T value) {
  char bytes[sizeof(T)];
  std::memcpy(bytes, &value, sizeof(T));
  out.append(bytes, sizeof(T));
}

void append_type(std::string& out, MetaType type) {
  append_raw(out, static_cast<std::uint32_t>(type));
}

/// The value without its type number; arrays begin with element type and count.
void append_payload(std::string& out, const MetaValue& value) {
  if (value.is_array()) {
    append_type(out, value.element_type());
    append_raw(out, static_cast<std::uint64_t>(value.n_elements()));
  }
  std::visit(
      [&](const auto& held) {
        using Held = std::remove_cvref_t<decltype(held)>;
        if constexpr (std::same_as<Held, bool>) {
          append_raw(out, static_cast<std::uint8_t>(held ? 1 : 0));
        } else if constexpr (std::is_arithmetic_v<Held>) {
          append_raw(out, held);
        } else if constexpr (std::same_as<Held, std::string>) {
          append_gguf_string(out, held);
        } else if constexpr (std::same_as<Held, MetaStrings>) {
          for (std::size_t i = 0; i < held.size(); ++i) append_gguf_string(out, held[i]);
        } else if constexpr (std::same_as<Held, MetaArrays>) {
          for (const auto& item : held.items) append_payload(out, item);
        } else if constexpr (std::same_as<Held, std::vector<bool>>) {
          for (const bool flag : held) append_raw(out, static_cast<std::uint8_t>(flag ? 1 : 0));
        } else {
          out.append(reinterpret_cast<const char*>(held.data()), held.size() * sizeof(held[0]));
        }
      },
      value.storage);
}

}  // namespace

Result<std::string_view> read_gguf_string(ByteCursor& cursor, std::string_view what, std::uint64_t max_bytes) {
  TERN_TRY(const auto n_bytes, cursor.read<std::uint64_t>(what));
  if (n_bytes > max_bytes && n_bytes <= cursor.remaining()) {
    return fail(ErrorCode::bad_input, "{} has {} bytes, expected at most {}", what, n_bytes, max_bytes);
  }
  TERN_TRY(const auto bytes, cursor.take(n_bytes, what));
  return as_text(bytes);
}

Result<MetaValue> GgufValueReader::read() {
  TERN_TRY(const auto type, cursor_.read<std::uint32_t>("the type of a value"));
  if (static_cast<MetaType>(type) == MetaType::array) return read_array(1);
  return read_scalar(static_cast<MetaType>(type));
}

Result<MetaValue> GgufValueReader::read_scalar(MetaType type) {
  if (type == MetaType::string) {
    TERN_TRY(const auto text, read_gguf_string(cursor_, "a string", std::numeric_limits<std::uint64_t>::max()));
    return MetaValue(text);
  }
  Result<MetaValue> value =
      fail(ErrorCode::bad_input, "value of type {}, expected 0 to 12", static_cast<std::uint32_t>(type));
  with_number_type(type, [&]<typename T>(Tag<T>) {
    using Stored = std::conditional_t<std::same_as<T, bool>, std::uint8_t, T>;
    const auto stored = cursor_.read<Stored>("a value");
    if (!stored) {
      value = std::unexpected(stored.error());
    } else if constexpr (std::same_as<T, bool>) {
      const auto flag = to_bool(*stored);
      if (flag) {
        value = MetaValue(bool{*flag});
      } else {
        value = std::unexpected(flag.error());
      }
    } else {
      value = MetaValue(T{*stored});
    }
  });
  return value;
}

Result<MetaValue> GgufValueReader::read_array(int depth) {
  TERN_TRY(const auto type_number, cursor_.read<std::uint32_t>("the element type of an array"));
  TERN_TRY(const auto n, cursor_.read<std::uint64_t>("the length of an array"));
  const auto type = static_cast<MetaType>(type_number);
  if (type == MetaType::string) return read_strings(cursor_, n);
  if (type != MetaType::array) {
    Result<MetaValue> value =
        fail(ErrorCode::bad_input, "array with elements of type {}, expected 0 to 12", type_number);
    with_number_type(type, [&]<typename T>(Tag<T>) { value = read_numbers<T>(cursor_, n); });
    return value;
  }
  if (depth >= kMaxArrayDepth) {
    return fail(ErrorCode::bad_input, "arrays nested deeper than {}, expected at most that", kMaxArrayDepth);
  }
  constexpr std::uint64_t kMinArrayBytes = sizeof(std::uint32_t) + sizeof(std::uint64_t);
  if (n > cursor_.remaining() / kMinArrayBytes) {
    return fail(ErrorCode::bad_input, "truncated: an array of {} arrays at byte {}, only {} bytes are left", n,
                cursor_.position(), cursor_.remaining());
  }
  n_nested_ += static_cast<std::size_t>(n);
  if (n_nested_ > kMaxNestedArrays) {
    return fail(ErrorCode::unsupported, "more than {} arrays inside arrays", kMaxNestedArrays);
  }
  MetaArrays arrays;
  arrays.items.reserve(static_cast<std::size_t>(n));
  for (std::uint64_t i = 0; i < n; ++i) {
    TERN_TRY(auto item, read_array(depth + 1));
    arrays.items.push_back(std::move(item));
  }
  return MetaValue(std::move(arrays));
}

void append_gguf_string(std::string& out, std::string_view text) {
  append_raw(out, static_cast<std::uint64_t>(text.size()));
  out += text;
}

void append_gguf_value(std::string& out, const MetaValue& value) {
  append_type(out, value.type());
  append_payload(out, value);
}

}  // namespace tern::files
