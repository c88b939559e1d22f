#include "convert/name_pattern.hpp"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <array>

#include "base/words.hpp"

namespace tern::convert {
namespace {

// A name has at most 63 bytes: an expression that needs more steps than this on one runs away.
constexpr std::uint32_t kMatchLimit = 200000;
constexpr std::uint32_t kDepthLimit = 2000;
constexpr std::uint32_t kHeapLimitKib = 4096;

std::string message_of(int error) {
  std::array<PCRE2_UCHAR, 160> text{};
  pcre2_get_error_message(error, text.data(), text.size());
  return reinterpret_cast<const char*>(text.data());
}

}  // namespace

struct NamePattern::Code {
  pcre2_code* pattern = nullptr;
  pcre2_match_context* context = nullptr;
  Code() = default;
  Code(const Code&) = delete;
  Code& operator=(const Code&) = delete;
  ~Code() {
    pcre2_code_free(pattern);
    pcre2_match_context_free(context);
  }
};

Result<NamePattern> NamePattern::make(std::string_view expression) {
  if (expression.empty()) return fail(ErrorCode::usage, "an empty regular expression; '.' matches every tensor");
  if (expression.size() > kMaxBytes) {
    return fail(ErrorCode::usage, "a regular expression of {} bytes, expected at most {}", expression.size(),
                kMaxBytes);
  }
  auto code = std::make_shared<Code>();
  int error = 0;
  PCRE2_SIZE offset = 0;
  code->pattern = pcre2_compile(reinterpret_cast<PCRE2_SPTR>(expression.data()), expression.size(),
                                PCRE2_CASELESS | PCRE2_DOLLAR_ENDONLY | PCRE2_NEVER_UTF, &error, &offset, nullptr);
  if (code->pattern == nullptr) {
    return fail(ErrorCode::usage, "the regular expression '{}' is wrong at byte {}: {}", printable(expression), offset,
                message_of(error));
  }
  code->context = pcre2_match_context_create(nullptr);
  if (code->context == nullptr) return fail(ErrorCode::out_of_memory, "no memory for a regular expression");
  pcre2_set_match_limit(code->context, kMatchLimit);
  pcre2_set_depth_limit(code->context, kDepthLimit);
  pcre2_set_heap_limit(code->context, kHeapLimitKib);
  NamePattern out;
  out.text_ = expression;
  out.code_ = std::move(code);
  return out;
}

Result<bool> NamePattern::is_in(std::string_view name) const {
  pcre2_match_data* match = pcre2_match_data_create(1, nullptr);
  if (match == nullptr) return fail(ErrorCode::out_of_memory, "no memory to search for a regular expression");
  const int rc =
      pcre2_match(code_->pattern, reinterpret_cast<PCRE2_SPTR>(name.data()), name.size(), 0, 0, match, code_->context);
  pcre2_match_data_free(match);
  if (rc >= 0) return true;
  if (rc == PCRE2_ERROR_NOMATCH) return false;
  return fail(ErrorCode::usage, "the regular expression '{}' gave up on the name {} ({}); write it simpler",
              printable(text_), printable(name, 80), message_of(rc));
}

}  // namespace tern::convert
