#include "files/weight_map.hpp"

#include <string_view>

#include "base/words.hpp"
#include "files/json.hpp"
#include "files/safetensors.hpp"

namespace tern::files {
namespace {

/// A name in this folder and nowhere else.
bool is_plain_file_name(std::string_view name) {
  return !name.empty() && name != "." && name != ".." && name.find('/') == std::string_view::npos &&
         name.find('\\') == std::string_view::npos && name.find('\0') == std::string_view::npos;
}

}  // namespace

Result<std::map<std::string, std::string>> parse_weight_map(std::span<const std::byte> text, const std::string& what) {
  TERN_TRY(const auto root, parse_json(text, what, {.max_bytes = SafetensorsFile::kMaxHeaderBytes}));
  const auto found = root.is_object() ? root.find("weight_map") : root.end();
  if (!root.is_object() || found == root.end() || !found->is_object()) {
    return fail(ErrorCode::bad_input, "{}: has no \"weight_map\" object", what);
  }
  std::map<std::string, std::string> shard_of;
  for (const auto& [tensor, shard] : found->items()) {
    if (!shard.is_string()) {
      return fail(ErrorCode::bad_input, "{}: the shard of {} is not a string", what, printable(tensor));
    }
    const auto& name = shard.get_ref<const std::string&>();
    if (!is_plain_file_name(name)) {
      return fail(ErrorCode::bad_input, "{}: shard \"{}\", expected the name of a file in the same folder", what,
                  printable(name));
    }
    shard_of.emplace(tensor, name);
  }
  if (shard_of.empty()) return fail(ErrorCode::bad_input, "{}: \"weight_map\" is empty", what);
  return shard_of;
}

}  // namespace tern::files
