#include "files/weight_transform.hpp"

#include <algorithm>
#include <array>

#include "base/words.hpp"

namespace tern::files {

bool names_weight_transform(std::string_view key) {
  constexpr std::array<std::string_view, 4> kMarks{"hadamard", "rotation", "quarot", "spinquant"};
  std::string lower(key);
  for (char& c : lower) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  return std::ranges::any_of(kMarks, [&](std::string_view mark) { return lower.find(mark) != std::string::npos; });
}

std::optional<std::string> weight_transform_key(const Metadata& metadata) {
  for (const auto& [key, value] : metadata.entries()) {
    const auto* flag = std::get_if<bool>(&value.storage);
    if (flag != nullptr && !*flag) continue;  // says that it is not transformed
    if (names_weight_transform(key)) return key;
  }
  return std::nullopt;
}

std::unexpected<Error> refuse_weight_transform(std::string_view where, std::string_view key) {
  return fail(ErrorCode::unsupported,
              "{}{} says that the weights are transformed (rotated); Tern does not undo that yet", where,
              printable(key));
}

}  // namespace tern::files
