#include "text/json_document.hpp"

#include <new>
#include <unordered_set>

#include "base/byte_cursor.hpp"
#include "base/words.hpp"

namespace tern::text {

namespace {
constexpr int kMaxDepth = 64;
}

Result<nlohmann::json> parse_json(Bytes bytes, std::string_view what) {
  using Event = nlohmann::json::parse_event_t;
  const std::string_view text = as_text(bytes);
  std::vector<std::unordered_set<std::string>> keys;  // of the open objects, by depth
  std::string problem;
  const auto watch = [&](int depth, Event event, nlohmann::json& parsed) {
    if (!problem.empty()) return false;
    if (depth > kMaxDepth) {
      problem = fmt::format("is nested deeper than {} levels", kMaxDepth);
      return false;
    }
    const auto level = static_cast<std::size_t>(depth);
    if (event == Event::object_start) {
      if (keys.size() <= level + 1) keys.resize(level + 2);
      keys[level + 1].clear();
    } else if (event == Event::key && !keys[level].insert(parsed.get_ref<const std::string&>()).second) {
      problem = fmt::format("has the key \"{}\" twice in one object", printable(parsed.get_ref<const std::string&>()));
      return false;
    }
    return true;
  };
  try {
    nlohmann::json document = nlohmann::json::parse(text.begin(), text.end(), watch, /*allow_exceptions=*/false);
    if (!problem.empty()) return fail(ErrorCode::bad_input, "{} {}", what, problem);
    if (document.is_discarded()) {
      return fail(ErrorCode::bad_input, "{} is not valid JSON (cut off, damaged, or not UTF-8)", what);
    }
    return document;
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::out_of_memory, "no memory to read {} of {}", what, human_bytes(bytes.size()));
  }
}

const nlohmann::json* member(const nlohmann::json& object, std::string_view key) {
  if (!object.is_object()) return nullptr;
  const auto found = object.find(key);
  return found == object.end() ? nullptr : &*found;
}

std::string_view string_member(const nlohmann::json& object, std::string_view key) {
  const nlohmann::json* found = member(object, key);
  return found != nullptr && found->is_string() ? std::string_view(found->get_ref<const std::string&>())
                                                : std::string_view{};
}

std::optional<bool> bool_member(const nlohmann::json& object, std::string_view key) {
  const nlohmann::json* found = member(object, key);
  if (found == nullptr || !found->is_boolean()) return std::nullopt;
  return found->get<bool>();
}

}  // namespace tern::text
