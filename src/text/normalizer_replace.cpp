// Replace: every occurrence of a string, or of a regular expression, becomes a fixed text. Patterns come from files, so
// the interpreter of PCRE2 runs them with limits: the steps that it may take at one place shrink as texts grow, so that
// a whole text costs a bounded time; beyond that it is an error. (The just-in-time compiler counts differently on each
// machine and is not used.)
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <algorithm>

#include "base/utf8.hpp"
#include "base/words.hpp"
#include "text/json_document.hpp"
#include "text/normalizer.hpp"

namespace tern::text {

namespace {

constexpr std::size_t kMaxPatternBytes = 4096;
constexpr std::size_t kWorkBudget = 100'000'000;  // steps for a text: about a second
constexpr std::uint32_t kMinSteps = 200;          // at one place, in the largest texts
constexpr std::uint32_t kMaxSteps = 1'000'000;
constexpr std::uint32_t kHeapLimitKib = 64 * 1024;

class ReplaceString final : public NormalizerStep {
 public:
  ReplaceString(std::string from, std::string to) : from_(std::move(from)), to_(std::move(to)) {}
  Result<bool> apply(std::string_view text, std::size_t max_bytes, std::string& out) const override {
    std::size_t at = text.find(from_);
    if (at == std::string_view::npos) return false;
    out.reserve(text.size());
    std::size_t copied = 0;
    for (; at != std::string_view::npos; at = text.find(from_, copied)) {
      out += text.substr(copied, at - copied);
      out += to_;
      if (out.size() > max_bytes) return text_grew_too_large(max_bytes);
      copied = at + from_.size();
    }
    out += text.substr(copied);
    return true;
  }

 private:
  std::string from_;  // not empty
  std::string to_;
};

class ReplaceRegex final : public NormalizerStep {
 public:
  ReplaceRegex(pcre2_code* code, std::string spelling, std::string to)
      : code_(code), spelling_(std::move(spelling)), to_(std::move(to)) {}
  ~ReplaceRegex() override { pcre2_code_free(code_); }
  ReplaceRegex(const ReplaceRegex&) = delete;
  ReplaceRegex& operator=(const ReplaceRegex&) = delete;

  Result<bool> apply(std::string_view text, std::size_t max_bytes, std::string& out) const override {
    struct Scratch {
      pcre2_match_data* match = pcre2_match_data_create(1, nullptr);
      pcre2_match_context* context = pcre2_match_context_create(nullptr);
      ~Scratch() {
        pcre2_match_data_free(match);
        pcre2_match_context_free(context);
      }
    } scratch;
    if (scratch.match == nullptr || scratch.context == nullptr) {
      return fail(ErrorCode::out_of_memory, "no memory for the normalizer's pattern");
    }
    const std::size_t steps = kWorkBudget / std::max<std::size_t>(text.size(), 1);
    pcre2_set_match_limit(scratch.context,
                          static_cast<std::uint32_t>(std::clamp<std::size_t>(steps, kMinSteps, kMaxSteps)));
    pcre2_set_heap_limit(scratch.context, kHeapLimitKib);
    bool changed = false;
    while (!text.empty()) {
      const std::size_t valid = utf8_valid_prefix(text);
      TERN_TRY_DO(apply_to_valid(text.substr(0, valid), max_bytes, scratch.match, scratch.context, changed, out));
      text.remove_prefix(valid);
      if (text.empty()) break;
      const std::size_t broken = utf8_step(text).length;
      out += text.substr(0, broken);
      text.remove_prefix(broken);
    }
    return changed;
  }

 private:
  Result<void> apply_to_valid(std::string_view text, std::size_t max_bytes, pcre2_match_data* match,
                              pcre2_match_context* context, bool& changed, std::string& out) const {
    const auto* subject = reinterpret_cast<PCRE2_SPTR>(text.data());
    std::size_t at = 0;
    std::size_t copied = 0;
    while (at <= text.size()) {
      const int rc = pcre2_match(code_, subject, text.size(), at, PCRE2_NO_UTF_CHECK, match, context);
      if (rc == PCRE2_ERROR_NOMATCH) break;
      if (rc < 0) {
        return fail(ErrorCode::bad_input,
                    "the normalizer's pattern {} takes too long on this text (PCRE2 error {} after byte {})",
                    printable(spelling_), rc, at);
      }
      const PCRE2_SIZE* ends = pcre2_get_ovector_pointer(match);
      if (ends[1] < ends[0] || ends[0] < copied) {
        return fail(ErrorCode::unsupported, "the normalizer's pattern {} moves the start of its match with \\K",
                    printable(spelling_));
      }
      out += text.substr(copied, ends[0] - copied);
      out += to_;
      changed = true;
      if (out.size() > max_bytes) return text_grew_too_large(max_bytes);
      copied = at = ends[1];
      if (ends[0] == ends[1]) {  // an empty match: go on behind the next character
        if (at == text.size()) break;
        at += utf8_step(text.substr(at)).length;
      }
    }
    out += text.substr(copied);
    return {};
  }

  pcre2_code* code_;
  std::string spelling_;
  std::string to_;
};

}  // namespace

Result<std::unique_ptr<const NormalizerStep>> make_replace_step(const nlohmann::json& section) {
  const nlohmann::json* pattern = member(section, "pattern");
  const nlohmann::json* content = member(section, "content");
  if (pattern == nullptr || content == nullptr || !content->is_string()) {
    return fail(ErrorCode::bad_input, "a normalizer of type Replace needs \"pattern\" and \"content\"");
  }
  std::string to = content->get<std::string>();
  if (const nlohmann::json* text = member(*pattern, "String"); text != nullptr && text->is_string()) {
    auto from = text->get<std::string>();
    if (from.empty()) return fail(ErrorCode::bad_input, "a normalizer of type Replace replaces the empty string");
    return std::make_unique<ReplaceString>(std::move(from), std::move(to));
  }
  const nlohmann::json* regex = member(*pattern, "Regex");
  if (regex == nullptr || !regex->is_string()) {
    return fail(ErrorCode::bad_input, "the pattern of a normalizer of type Replace is neither String nor Regex");
  }
  auto spelling = regex->get<std::string>();
  if (spelling.size() > kMaxPatternBytes) {
    return fail(ErrorCode::bad_input, "the pattern of a normalizer has {} bytes, at most {} are allowed",
                spelling.size(), kMaxPatternBytes);
  }
  int error = 0;
  PCRE2_SIZE offset = 0;
  pcre2_code* code = pcre2_compile(reinterpret_cast<PCRE2_SPTR>(spelling.data()), spelling.size(),
                                   PCRE2_UTF | PCRE2_UCP | PCRE2_NEVER_BACKSLASH_C, &error, &offset, nullptr);
  if (code == nullptr) {
    return fail(ErrorCode::bad_input,
                "the normalizer's pattern {} is not a regular expression (PCRE2 error {} at byte {})",
                printable(spelling), error, offset);
  }
  return std::make_unique<ReplaceRegex>(code, std::move(spelling), std::move(to));
}

}  // namespace tern::text
