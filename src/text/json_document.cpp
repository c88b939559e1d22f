#include "text/json_document.hpp"

#include <new>
#include <unordered_set>

#include "base/byte_cursor.hpp"
#include "base/words.hpp"

namespace tern::text {

namespace {

constexpr std::size_t kMaxDepth = 64;

// Looks the document over before it is built. (The library's own callback walks over the whole list after each of its
// members: a list of a million objects would take hours.)
class Watch : public nlohmann::json_sax<nlohmann::json> {
 public:
  std::string problem;

  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_integer(number_integer_t) override { return true; }
  bool number_unsigned(number_unsigned_t) override { return true; }
  bool number_float(number_float_t, const string_t&) override { return true; }
  bool string(string_t&) override { return true; }
  bool binary(binary_t&) override { return false; }
  bool start_object(std::size_t) override { return enter(); }
  bool start_array(std::size_t) override { return enter(); }
  bool end_object() override { return leave(); }
  bool end_array() override { return leave(); }
  bool key(string_t& name) override {
    if (keys_.back().insert(name).second) return true;
    problem = fmt::format("has the key \"{}\" twice in one object", printable(name));
    return false;
  }
  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception&) override { return false; }

 private:
  bool enter() {
    if (keys_.size() > kMaxDepth) {
      problem = fmt::format("is nested deeper than {} levels", kMaxDepth);
      return false;
    }
    keys_.emplace_back();
    return true;
  }
  bool leave() {
    keys_.pop_back();
    return true;
  }
  std::vector<std::unordered_set<std::string>> keys_;  // of the open objects and lists, by depth
};

}  // namespace

Result<nlohmann::json> parse_json(Bytes bytes, std::string_view what) {
  const std::string_view text = as_text(bytes);
  try {
    Watch watch;
    const bool is_valid = nlohmann::json::sax_parse(text.begin(), text.end(), &watch);
    if (!watch.problem.empty()) return fail(ErrorCode::bad_input, "{} {}", what, watch.problem);
    if (!is_valid) {
      return fail(ErrorCode::bad_input, "{} is not valid JSON (cut off, damaged, or not UTF-8)", what);
    }
    nlohmann::json document = nlohmann::json::parse(text.begin(), text.end(), nullptr, /*allow_exceptions=*/false);
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
