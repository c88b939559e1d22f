// Implementation of bench_compare.hpp.
#include "lab/bench_compare.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "base/words.hpp"
#include "files/json.hpp"
#include "lab/bench_json.hpp"
#include "sys/mapped_file.hpp"
#include "sys/path.hpp"

namespace tern::lab {
namespace {

using Json = nlohmann::json;

// Members of a run that change what its rows mean.
constexpr const char* kSettings[] = {"n_batch", "cache_type_k", "cache_type_v", "pages"};

// One row's members, with the first that is missing or wrong.
class Members {
 public:
  explicit Members(const Json& object) : object_(object) {}

  std::int64_t count(const char* key, std::int64_t least) {
    const Json* value = find(key);
    // Beyond any that a test could have; int and double hold it.
    constexpr std::int64_t kMost = std::numeric_limits<std::int32_t>::max();
    if (value != nullptr && value->is_number_integer() && *value >= least && *value <= kMost)
      return value->get<std::int64_t>();
    return wrong(key, "a whole number"), least;
  }
  double speed(const char* key) {
    const Json* value = find(key);
    if (value != nullptr && value->is_number() && value->get<double>() > 0.0) return value->get<double>();
    return wrong(key, "a number above 0"), 1.0;
  }
  std::string text(const char* key) {
    const Json* value = find(key);
    if (value != nullptr && value->is_string()) return value->get<std::string>();
    return wrong(key, "a text"), std::string();
  }
  std::optional<double> percent(const char* key) {
    const Json* value = find(key);
    if (value != nullptr && value->is_null()) return std::nullopt;
    return speed(key);
  }
  [[nodiscard]] const std::string& problem() const { return problem_; }

 private:
  const Json* find(const char* key) const {
    const auto found = object_.find(key);
    return found == object_.end() ? nullptr : &*found;
  }
  void wrong(const char* key, const char* expected) {
    if (problem_.empty()) problem_ = fmt::format("\"{}\" is not {}", key, expected);
  }

  const Json& object_;
  std::string problem_;
};

}  // namespace

Result<OldBench> old_bench(std::span<const std::byte> json, std::string name) {
  TERN_TRY(const Json value, files::parse_json(json, name));
  const auto foreign = [&](std::string_view why) {
    return fail(ErrorCode::bad_input, "{}: not what tern bench -o json writes: {}", name, why);
  };
  if (!value.is_object()) return foreign("it is no object");
  const auto rows = value.find("rows");
  if (rows == value.end() || !rows->is_array()) return foreign("it has no list \"rows\"");
  OldBench old;
  Members head(value);
  old.cpu = head.text("cpu");
  old.model = head.text("model");
  if (const auto bytes = value.find("file_bytes"); bytes != value.end() && bytes->is_number_unsigned()) {
    old.file_bytes = bytes->get<std::uint64_t>();
  }
  if (!head.problem().empty()) return foreign(head.problem());
  for (const char* key : kSettings) {
    if (const auto setting = value.find(key); setting != value.end())
      old.settings[key] = setting->dump(-1, ' ', false, Json::error_handler_t::replace);
  }
  std::size_t n_read = 0;
  for (const Json& item : *rows) {
    ++n_read;
    std::string problem = "it is no object";
    if (item.is_object()) {
      Members row(item);
      OldBench::Row read;
      read.test = {.n_prompt = row.count("n_prompt", 0),
                   .n_gen = row.count("n_gen", 0),
                   .n_depth = row.count("n_depth", 0),
                   .n_sequences = static_cast<int>(row.count("n_sequences", 1)),
                   .n_threads = static_cast<int>(row.count("n_threads", 1)),
                   .isa = row.text("isa")};
      read.median = row.speed("tokens_per_second");
      read.min = row.speed("min");
      read.max = row.speed("max");
      read.percent = row.percent("percent_of_limit");
      problem = row.problem();
      old.rows.push_back(std::move(read));
    }
    if (!problem.empty()) {
      return fail(ErrorCode::bad_input, "{}: not what tern bench -o json writes: row {}: {}", name, n_read, problem);
    }
  }
  old.name = std::move(name);
  return old;
}

Result<OldBench> read_old_bench(const std::string& path) {
  constexpr std::size_t kMostBytes = std::size_t{1} << 26;
  TERN_TRY(const std::string text, sys::read_text_file(path, kMostBytes));
  return old_bench(std::as_bytes(std::span(text)), printable(path, 200));
}

void compare(BenchResult& result, const OldBench& old, Progress& progress) {
  result.against = old.name;
  if (old.cpu != result.cpu) {
    progress.note(fmt::format("{}: measured on another processor ({}, here {})", old.name, printable(old.cpu, 100),
                              printable(result.cpu, 100)));
  }
  if (sys::file_name_of(old.model) != sys::file_name_of(result.model) || old.file_bytes != result.file_bytes) {
    progress.note(fmt::format("{}: another model ({}, {}; here {}, {})", old.name,
                              printable(sys::file_name_of(old.model), 100), human_bytes(old.file_bytes),
                              printable(sys::file_name_of(result.model), 100), human_bytes(result.file_bytes)));
  }
  const auto now = to_json(result);
  for (const auto& [key, before] : old.settings) {
    const std::string here = now.at(key).dump();
    if (here != before)
      progress.note(fmt::format("{}: measured with {} {}, here {}", old.name, key, printable(before), here));
  }
  for (BenchRow& row : result.rows) {
    const auto before = std::ranges::find(old.rows, row.test, &OldBench::Row::test);
    if (before == old.rows.end()) continue;
    BenchComparison against;
    against.ratio = row.speed.median / before->median;
    against.within_spread = row.speed.min <= before->max && before->min <= row.speed.max;
    if (row.judged.percent && before->percent) against.ratio_of_limit = *row.judged.percent / *before->percent;
    row.against = against;
  }
}

}  // namespace tern::lab
