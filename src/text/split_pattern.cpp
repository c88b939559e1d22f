#include "text/split_pattern.hpp"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <array>
#include <string>

#include "base/words.hpp"
#include "text/byte_alphabet.hpp"
#include "text/pre_rules.hpp"
#include "text/regex_dialect.hpp"

namespace tern::text {

namespace {

PCRE2_SPTR units(std::string_view text) {
  return reinterpret_cast<PCRE2_SPTR>(text.data());
}

// Work is counted in callouts, and in bytes walked over between two of them. LLaMA 3's pattern takes 4 units a byte of
// English; 2^26 units are half a second. Measured with tests/unit/text/split_pattern_test.cpp.
constexpr std::uint64_t kBaseWork = std::uint64_t{1} << 26;
constexpr std::uint64_t kWorkPerByte = 128;
constexpr std::uint64_t kBytesPerUnit = 8;

constexpr std::size_t kMaxJitStack = std::size_t{16} << 20;
// Where the just-in-time compiler is not available.
constexpr std::uint32_t kHeapLimitKib = 64 * 1024;

std::string message_of(int error) {
  std::array<PCRE2_UCHAR, 160> buffer{};
  const int length = pcre2_get_error_message(error, buffer.data(), buffer.size());
  if (length < 0) return fmt::format("PCRE2 error {}", error);
  return {reinterpret_cast<const char*>(buffer.data()), static_cast<std::size_t>(length)};
}

struct Work {
  std::uint64_t done = 0;    // by all searches so far
  std::uint64_t earned = 0;  // by the bytes that searches have put behind them
  std::size_t from = 0;      // where this search began
  std::size_t last = 0;      // where the last callout was
};

int count_work(pcre2_callout_block* block, void* data) {
  Work& work = *static_cast<Work*>(data);
  const std::size_t at = block->current_position;
  work.done += 1 + (at > work.last ? at - work.last : work.last - at) / kBytesPerUnit;
  work.last = at;
  const std::size_t progress = block->start_match > work.from ? block->start_match - work.from : 0;
  return work.done > kBaseWork + work.earned + progress * kWorkPerByte ? PCRE2_ERROR_CALLOUT : 0;
}

}  // namespace

struct SplitPattern::Code {
  pcre2_code* pattern = nullptr;
  std::string source;     // as it was written, for messages
  bool compiled = false;  // by the just-in-time compiler
  bool counts = false;    // has callouts
  Code() = default;
  Code(const Code&) = delete;
  Code& operator=(const Code&) = delete;
  ~Code() { pcre2_code_free(pattern); }
};

namespace {

// The bytes with which a match can start, found by asking: a match that fits into one character, or that runs out of
// text behind it, is one that the character can start. Not for patterns that match nothing or look behind.
bool find_starts(const pcre2_code* code, bool on_bytes, bool looks_behind, std::bitset<256>& can_start) {
  std::uint32_t matches_empty = 0;
  pcre2_pattern_info(code, PCRE2_INFO_MATCHEMPTY, &matches_empty);
  if (matches_empty != 0 || looks_behind) return false;
  pcre2_match_data* match = pcre2_match_data_create(1, nullptr);
  pcre2_match_context* context = pcre2_match_context_create(nullptr);
  const bool ready = match != nullptr && context != nullptr;
  if (ready) {
    pcre2_set_match_limit(context, 10'000);
    for (std::size_t byte = 0; byte < 256; ++byte) {
      const char c = static_cast<char>(static_cast<unsigned char>(byte));
      if (!on_bytes && byte >= 0x80) {
        can_start.set(byte);  // the bytes of other characters: not asked
        continue;
      }
      const std::string subject = on_bytes ? to_byte_alphabet({&c, 1}) : std::string(1, c);
      const int rc = pcre2_match(code, units(subject), subject.size(), 0,
                                 PCRE2_NO_UTF_CHECK | PCRE2_ANCHORED | PCRE2_PARTIAL_HARD, match, context);
      can_start.set(byte, rc != PCRE2_ERROR_NOMATCH);
    }
  }
  pcre2_match_data_free(match);
  pcre2_match_context_free(context);
  return ready;
}

}  // namespace

Result<SplitPattern> SplitPattern::make(std::string_view pattern, bool on_bytes, Trust trust) {
  const auto in_pattern = [&](Error error) {
    error.message = fmt::format("the pre-tokeniser's pattern \"{}\" {}", printable(pattern), error.message);
    return std::unexpected(std::move(error));
  };
  if (pattern.size() > kMaxPatternBytes) {
    return fail(ErrorCode::unsupported, "a pattern of the pre-tokeniser is {} bytes long, at most {} are allowed",
                pattern.size(), kMaxPatternBytes);
  }
  auto translated = translate_regex(linear_spelling(pattern));
  if (!translated) return in_pattern(std::move(translated).error());

  pcre2_compile_context* context = pcre2_compile_context_create(nullptr);
  if (context == nullptr) return fail(ErrorCode::out_of_memory, "no memory for the pre-tokeniser");
  pcre2_set_newline(context, PCRE2_NEWLINE_LF);
  pcre2_set_bsr(context, PCRE2_BSR_UNICODE);
  SplitPattern out;
  auto code = std::make_shared<Code>();
  code->source = printable(pattern);
  code->counts = trust == Trust::from_file;
  int error = 0;
  PCRE2_SIZE offset = 0;
  code->pattern =
      pcre2_compile(units(translated->pattern), translated->pattern.size(),
                    PCRE2_UTF | PCRE2_UCP | (code->counts ? PCRE2_AUTO_CALLOUT : 0U), &error, &offset, context);
  pcre2_compile_context_free(context);
  if (code->pattern == nullptr) {
    return in_pattern({ErrorCode::unsupported, fmt::format("is refused by the pattern engine near byte {}: {}",
                                                           translated->source_offset(offset), message_of(error))});
  }
  code->compiled = pcre2_jit_compile(code->pattern, PCRE2_JIT_COMPLETE) == 0;
  out.is_filtered_ = find_starts(code->pattern, on_bytes, translated->looks_behind, out.can_start_);
  out.code_ = std::move(code);
  return out;
}

struct PatternSearch::Scratch {
  pcre2_match_data* match = nullptr;
  pcre2_match_context* context = nullptr;
  pcre2_jit_stack* stack = nullptr;
  Work work;
  ~Scratch() {
    pcre2_match_data_free(match);
    pcre2_match_context_free(context);
    pcre2_jit_stack_free(stack);
  }
};

PatternSearch::PatternSearch(const SplitPattern& pattern)
    : code_(pattern.code_), scratch_(std::make_unique<Scratch>()) {
  scratch_->match = pcre2_match_data_create(1, nullptr);
  scratch_->context = pcre2_match_context_create(nullptr);
  if (scratch_->context == nullptr) return;
  // Out of reach: what limits a pattern is its counted work, and its memory.
  pcre2_set_match_limit(scratch_->context, 0xFFFFFFFFU);
  pcre2_set_depth_limit(scratch_->context, 0xFFFFFFFFU);
  pcre2_set_heap_limit(scratch_->context, kHeapLimitKib);
  if (!code_->counts) return;
  pcre2_set_callout(scratch_->context, count_work, &scratch_->work);
  scratch_->stack = pcre2_jit_stack_create(32 * 1024, kMaxJitStack, nullptr);
  if (scratch_->stack != nullptr) pcre2_jit_stack_assign(scratch_->context, nullptr, scratch_->stack);
}

PatternSearch::~PatternSearch() = default;
PatternSearch::PatternSearch(PatternSearch&&) noexcept = default;

Result<std::optional<PatternMatch>> PatternSearch::find(std::string_view subject, std::size_t from) {
  if (scratch_->match == nullptr || scratch_->context == nullptr) {
    return fail(ErrorCode::out_of_memory, "no memory for the pre-tokeniser");
  }
  Work& work = scratch_->work;
  work.from = work.last = from;
  const auto match = code_->compiled ? pcre2_jit_match : pcre2_match;
  const int rc = match(code_->pattern, units(subject), subject.size(), from, PCRE2_NO_UTF_CHECK, scratch_->match,
                       scratch_->context);
  if (rc == PCRE2_ERROR_NOMATCH) {
    work.earned += (subject.size() - from) * kWorkPerByte;
    return std::optional<PatternMatch>{};
  }
  if (rc < 0) {
    const bool is_work = rc == PCRE2_ERROR_CALLOUT || rc == PCRE2_ERROR_MATCHLIMIT;
    return fail(
        ErrorCode::bad_input, "the pre-tokeniser's pattern \"{}\" {} at byte {} of {}: this text cannot be split by it",
        code_->source, is_work ? std::string("takes too much work") : fmt::format("gives up ({})", message_of(rc)),
        from, subject.size());
  }
  const PCRE2_SIZE* ends = pcre2_get_ovector_pointer(scratch_->match);
  const PatternMatch found{ends[0], ends[1]};
  if (found.begin < from || found.end < found.begin) {
    return fail(ErrorCode::internal, "a pattern of the pre-tokeniser matched {} to {}, asked from {}", found.begin,
                found.end, from);
  }
  work.earned += (found.end - from) * kWorkPerByte;
  return std::optional(found);
}

}  // namespace tern::text
