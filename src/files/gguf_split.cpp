#include "files/gguf_split.hpp"

#include <algorithm>
#include <charconv>
#include <limits>

#include "base/checked.hpp"

namespace tern::files {
namespace {

constexpr std::uint64_t kDefaultMaxTensors = 128;
constexpr std::uint64_t kPaddedTo = 32;  // for the rule of max_bytes, whatever the file's own alignment
constexpr std::size_t kDigits = 5;

Result<std::optional<std::uint64_t>> bounded(const Metadata& metadata, std::string_view key, std::uint64_t most) {
  TERN_TRY(const auto value, metadata.optional_u64(key));
  if (value && *value > most) return fail(ErrorCode::bad_input, "{} is {}, expected at most {}", key, *value, most);
  return value;
}

// Exactly five digits.
std::optional<std::uint32_t> number(std::string_view text) {
  std::uint32_t value = 0;
  if (text.size() != kDigits || !std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; })) return {};
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

Result<void> check_parts(std::size_t n) {
  if (n <= kMaxParts) return {};
  return fail(ErrorCode::usage, "the model would be in {} parts, expected at most {}: use a larger limit", n,
              kMaxParts);
}

}  // namespace

Result<SplitPlace> split_place(const Metadata& metadata) {
  TERN_TRY(const auto count, bounded(metadata, kSplitCount, kMaxParts));
  SplitPlace place;
  if (count.value_or(0) <= 1) return place;
  place.count = static_cast<std::uint32_t>(*count);
  TERN_TRY(const auto no, bounded(metadata, kSplitNo, kMaxParts));
  if (!no) return fail(ErrorCode::bad_input, "{} is {}, but {} is missing", kSplitCount, *count, kSplitNo);
  if (*no >= *count) {
    return fail(ErrorCode::bad_input, "{} is {}, expected less than {} ({})", kSplitNo, *no, kSplitCount, *count);
  }
  place.no = static_cast<std::uint32_t>(*no);
  TERN_TRY(place.n_tensors, bounded(metadata, kSplitTensors, std::numeric_limits<std::int32_t>::max()));
  return place;
}

void erase_split_keys(Metadata& metadata) {
  for (const std::string_view key : {kSplitNo, kSplitCount, kSplitTensors}) metadata.erase(key);
}

std::string split_path(std::string_view prefix, std::size_t no, std::size_t count) {
  return fmt::format("{}-{:05}-of-{:05}.gguf", prefix, no + 1, count);
}

std::optional<SplitName> split_name(std::string_view path) {
  constexpr std::size_t kTail = 1 + kDigits + 4 + kDigits + 5;  // "-00001-of-00003.gguf"
  if (path.size() <= kTail) return {};
  const std::string_view tail = path.substr(path.size() - kTail);
  if (tail.front() != '-' || tail.substr(1 + kDigits, 4) != "-of-" || !tail.ends_with(".gguf")) return {};
  const auto nth = number(tail.substr(1, kDigits));
  const auto count = number(tail.substr(1 + kDigits + 4, kDigits));
  const std::string_view prefix = path.substr(0, path.size() - kTail);
  if (!nth || !count || *nth == 0 || *nth > *count || prefix.ends_with('/')) return {};
  return SplitName{std::string(prefix), *nth - 1, *count};
}

Result<std::vector<std::size_t>> group_tensors(std::span<const PlannedTensor> tensors, const SplitRule& rule) {
  if (rule.max_tensors && rule.max_bytes) {
    return fail(ErrorCode::usage, "a limit of tensors and one of bytes are given, expected one of them");
  }
  const std::uint64_t max_tensors =
      rule.max_bytes ? std::numeric_limits<std::uint64_t>::max() : rule.max_tensors.value_or(kDefaultMaxTensors);
  const std::uint64_t max_bytes = rule.max_bytes.value_or(std::numeric_limits<std::uint64_t>::max());
  if (max_tensors == 0 || max_bytes == 0) return fail(ErrorCode::usage, "the limit of a part is 0, expected more");
  std::vector<std::size_t> counts(rule.no_tensor_in_first ? 2 : 1, 0);
  std::uint64_t sum = 0;
  for (const PlannedTensor& tensor : tensors) {
    const auto padded = checked_align_up(tensor.n_bytes, kPaddedTo);
    const auto next = padded ? checked_add(sum, *padded) : padded;
    const bool is_full = counts.back() == max_tensors || !next || *next > max_bytes;
    if (is_full && counts.back() > 0) {
      counts.push_back(0);
      sum = 0;
    }
    ++counts.back();
    sum += padded.value_or(max_bytes);
  }
  TERN_TRY_DO(check_parts(counts.size()));
  return counts;
}

Result<std::vector<PlannedPart>> split_layout(const GgufLayout& whole, std::span<const std::size_t> tensors_per_part,
                                              std::string_view prefix) {
  const std::size_t count = tensors_per_part.size();
  TERN_TRY_DO(check_parts(count));
  if (whole.tensors().size() > static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max())) {
    return fail(ErrorCode::usage, "{} tensors, more than a split model can have", whole.tensors().size());
  }
  std::vector<PlannedPart> parts(count);
  auto next = whole.tensors().begin();
  for (std::size_t i = 0; i < count; ++i) {
    parts[i].path = split_path(prefix, i, count);
    Metadata& metadata = parts[i].layout.metadata;
    if (i == 0) metadata = whole.metadata;
    erase_split_keys(metadata);  // so that they stand at the end, in this order, as gguf-split has them
    metadata.set(kSplitNo, static_cast<std::uint16_t>(i));
    metadata.set(kSplitTensors, static_cast<std::int32_t>(whole.tensors().size()));
    metadata.set(kSplitCount, static_cast<std::uint16_t>(count));
    for (std::size_t k = 0; k < tensors_per_part[i]; ++k, ++next) {
      TERN_CHECK(next != whole.tensors().end());
      TERN_TRY_DO(parts[i].layout.add(*next));
    }
  }
  TERN_CHECK(next == whole.tensors().end());
  return parts;
}

}  // namespace tern::files
