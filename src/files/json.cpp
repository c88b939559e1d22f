#include "files/json.hpp"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/byte_cursor.hpp"
#include "base/words.hpp"

namespace tern::files {
namespace {

using Json = nlohmann::json;

/// Receives the parser's events and builds the value, stopping at the first thing that is not allowed.
class Builder : public nlohmann::json_sax<Json> {
 public:
  explicit Builder(int max_depth) : max_depth_(static_cast<std::size_t>(max_depth)) {}

  bool null() override { return add(nullptr) != nullptr; }
  bool boolean(bool value) override { return add(value) != nullptr; }
  bool number_integer(std::int64_t value) override { return add(value) != nullptr; }
  bool number_unsigned(std::uint64_t value) override { return add(value) != nullptr; }
  bool number_float(double value, const std::string& /*text*/) override { return add(value) != nullptr; }
  bool string(std::string& value) override { return add(std::move(value)) != nullptr; }
  bool binary(Json::binary_t& /*value*/) override { return stop("holds binary data"); }

  bool start_object(std::size_t /*n*/) override { return open(Json::object()); }
  bool start_array(std::size_t /*n*/) override { return open(Json::array()); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }
  bool key(std::string& name) override {
    if (open_.back()->contains(name)) {
      return stop(fmt::format("the key \"{}\" is there twice in one object, expected once", printable(name)));
    }
    key_ = std::move(name);
    return true;
  }

  bool parse_error(std::size_t position, const std::string& last_token, const Json::exception& /*why*/) override {
    return stop(fmt::format("not valid JSON at byte {}, near \"{}\"", position, printable(last_token, 30)));
  }

  [[nodiscard]] const std::string& problem() const { return problem_; }
  [[nodiscard]] Json take() { return std::move(root_); }

 private:
  bool stop(std::string problem) {
    problem_ = std::move(problem);
    return false;
  }

  Json* add(Json value) {
    if (++n_values_ > kMaxJsonValues) {
      stop(fmt::format("more than {} values", kMaxJsonValues));
      return nullptr;
    }
    if (open_.empty()) {
      root_ = std::move(value);
      return &root_;
    }
    Json& parent = *open_.back();
    if (parent.is_array()) {
      parent.push_back(std::move(value));
      return &parent.back();
    }
    Json& place = parent[key_];
    place = std::move(value);
    return &place;
  }

  bool open(Json container) {
    if (open_.size() >= max_depth_) return stop(fmt::format("nested deeper than {}", max_depth_));
    Json* added = add(std::move(container));
    if (added == nullptr) return false;
    open_.push_back(added);
    return true;
  }

  bool close() {
    open_.pop_back();
    return true;
  }

  std::size_t max_depth_;
  std::size_t n_values_ = 0;
  Json root_;
  std::vector<Json*> open_;  // a container's parent gets no new child while the container is open, so these stay valid
  std::string key_;
  std::string problem_;
};

}  // namespace

Result<nlohmann::json> parse_json(std::span<const std::byte> text, std::string_view what, const JsonLimits& limits) {
  if (text.size() > limits.max_bytes) {
    return fail(ErrorCode::bad_input, "{}: {} bytes, expected at most {}", what, text.size(), limits.max_bytes);
  }
  Builder builder(limits.max_depth);
  const std::string_view view = as_text(text);
  if (!Json::sax_parse(view.begin(), view.end(), &builder)) {
    return fail(ErrorCode::bad_input, "{}: {}", what, builder.problem());
  }
  return builder.take();
}

}  // namespace tern::files
