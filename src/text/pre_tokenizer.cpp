#include "text/pre_tokenizer.hpp"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <algorithm>
#include <array>

namespace tern::text {

namespace {

struct Pattern {
  std::string_view name;      // GGUF's
  std::string_view spelling;  // as published, with \s and without our white-space class
  bool whole_words;
};

constexpr std::array<Pattern, 3> kPatterns = {{
    {"gpt-2", R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)", false},
    {"llama-bpe",
     R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)",
     true},
    {"qwen2",
     R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)",
     false},
}};

struct Alias {
  std::string_view alias;
  std::string_view name;
};

// Names that converters write for the same pattern.
constexpr std::array<Alias, 8> kAliases = {{{"gpt2", "gpt-2"},
                                            {"phi-2", "gpt-2"},
                                            {"mpt", "gpt-2"},
                                            {"olmo", "gpt-2"},
                                            {"llama3", "llama-bpe"},
                                            {"llama-v3", "llama-bpe"},
                                            {"deepseek-r1-qwen", "qwen2"},
                                            {"stablelm2", "qwen2"}}};

constexpr std::array<std::string_view, 3> kNames = {"gpt-2", "llama-bpe", "qwen2"};

const Pattern* pattern_of(std::string_view name) {
  for (const Alias& alias : kAliases) {
    if (alias.alias == name) name = alias.name;
  }
  for (const Pattern& pattern : kPatterns) {
    if (pattern.name == name) return &pattern;
  }
  return nullptr;
}

// PCRE2's \s under UCP holds U+180E, which is no white space in Unicode since version 6.3 nor in the engines that the
// published tokenizers run on. So \s and \S are spelled out as the property White_Space.
constexpr std::string_view kSpaceSet =
    R"(\t-\r \x{85}\x{A0}\x{1680}\x{2000}-\x{200A}\x{2028}\x{2029}\x{202F}\x{205F}\x{3000})";

std::string with_exact_spaces(std::string_view spelling) {
  std::string out;
  bool in_class = false;
  for (std::size_t i = 0; i < spelling.size(); ++i) {
    const char c = spelling[i];
    if (c == '\\' && i + 1 < spelling.size()) {
      const char kind = spelling[++i];
      if (kind == 's' || kind == 'S') {
        if (in_class) {
          out += kSpaceSet;  // only \s occurs within a class
        } else {
          out += kind == 's' ? "[" : "[^";
          out += kSpaceSet;
          out += "]";
        }
      } else {
        out += c;
        out += kind;
      }
      continue;
    }
    if (c == '[') in_class = true;
    if (c == ']') in_class = false;
    out += c;
  }
  return out;
}

// No pattern of ours tries more than about two steps a byte, so this limit is out of reach for texts up to 1 GiB; it is
// there so that a surprise is an error and not a hang. The heap is used only where the compiler is not available.
constexpr std::uint32_t kMatchLimit = 0xFFFFFFFFU;
constexpr std::uint32_t kDepthLimit = 100'000;
constexpr std::uint32_t kHeapLimitKib = 64 * 1024;

}  // namespace

struct PreTokenizer::Code {
  pcre2_code* pattern = nullptr;
  bool compiled = false;  // by the just-in-time compiler
  Code() = default;
  Code(const Code&) = delete;
  Code& operator=(const Code&) = delete;
  ~Code() { pcre2_code_free(pattern); }
};

Result<PreTokenizer> PreTokenizer::make(std::string_view name) {
  const Pattern* pattern = pattern_of(name);
  if (pattern == nullptr) {
    return fail(ErrorCode::unsupported,
                "the pre-tokeniser is \"{}\", which this program does not have: it has gpt-2, llama-bpe and qwen2; "
                "name one of them if the pattern is the same",
                name);
  }
  const std::string source = with_exact_spaces(pattern->spelling);
  auto code = std::make_shared<Code>();
  int error = 0;
  PCRE2_SIZE offset = 0;
  code->pattern = pcre2_compile(reinterpret_cast<PCRE2_SPTR>(source.data()), source.size(), PCRE2_UTF | PCRE2_UCP,
                                &error, &offset, nullptr);
  if (code->pattern == nullptr) {
    return fail(ErrorCode::internal, "the pattern of pre-tokeniser {} does not compile (PCRE2 error {} at {})", name,
                error, offset);
  }
  code->compiled = pcre2_jit_compile(code->pattern, PCRE2_JIT_COMPLETE) == 0;
  return PreTokenizer(std::move(code));
}

std::string_view PreTokenizer::name_of_pattern(std::string_view pattern) {
  for (const Pattern& known : kPatterns) {
    if (known.spelling == pattern) return known.name;
  }
  // The same pattern of GPT-2 in tiktoken's faster spelling.
  if (pattern == R"('(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)") return "gpt-2";
  return {};
}

std::span<const std::string_view> PreTokenizer::names() {
  return kNames;
}

bool PreTokenizer::takes_whole_words(std::string_view name) {
  const Pattern* pattern = pattern_of(name);
  return pattern != nullptr && pattern->whole_words;
}

struct WordSplitter::Scratch {
  pcre2_match_data* match = nullptr;
  pcre2_match_context* context = nullptr;
  ~Scratch() {
    pcre2_match_data_free(match);
    pcre2_match_context_free(context);
  }
};

WordSplitter::WordSplitter(const PreTokenizer& pre_tokenizer)
    : code_(pre_tokenizer.code_), scratch_(std::make_unique<Scratch>()) {
  scratch_->match = pcre2_match_data_create(1, nullptr);
  scratch_->context = pcre2_match_context_create(nullptr);
  if (scratch_->context == nullptr) return;
  pcre2_set_match_limit(scratch_->context, kMatchLimit);
  pcre2_set_depth_limit(scratch_->context, kDepthLimit);
  pcre2_set_heap_limit(scratch_->context, kHeapLimitKib);
}

WordSplitter::~WordSplitter() = default;

void WordSplitter::start(std::string_view text) {
  text_ = text;
  at_ = 0;
}

Result<std::string_view> WordSplitter::next() {
  if (at_ == text_.size()) return std::string_view{};
  if (scratch_->match == nullptr || scratch_->context == nullptr) {
    return fail(ErrorCode::out_of_memory, "no memory for the pre-tokeniser");
  }
  const auto* subject = reinterpret_cast<PCRE2_SPTR>(text_.data());
  const int rc = code_->compiled ? pcre2_jit_match(code_->pattern, subject, text_.size(), at_, PCRE2_NO_UTF_CHECK,
                                                   scratch_->match, scratch_->context)
                                 : pcre2_match(code_->pattern, subject, text_.size(), at_, PCRE2_NO_UTF_CHECK,
                                               scratch_->match, scratch_->context);
  std::size_t begin = at_;
  std::size_t end = text_.size();
  if (rc >= 0) {
    const PCRE2_SIZE* ends = pcre2_get_ovector_pointer(scratch_->match);
    // Bytes before the match belong to no alternative: a word of their own (does not happen with these patterns).
    begin = at_;
    end = ends[0] > at_ ? ends[0] : ends[1];
    if (end <= at_) return fail(ErrorCode::internal, "the pre-tokeniser matched nothing at byte {}", at_);
  } else if (rc != PCRE2_ERROR_NOMATCH) {
    return fail(ErrorCode::bad_input, "the pre-tokeniser gave up at byte {} (PCRE2 error {})", at_, rc);
  }
  at_ = end;
  return text_.substr(begin, end - begin);
}

}  // namespace tern::text
