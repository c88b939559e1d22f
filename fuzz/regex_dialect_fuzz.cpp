// A pattern as tokenizer.json has it: translated for PCRE2, or refused in one line. What the translation says about
// offsets must hold. (Running patterns is split_pattern_fuzz's work, which is slow: some are made to run away.)
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "one_line.hpp"
#include "text/regex_dialect.hpp"
#include "text/split_pattern.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tern::text;
  const std::string_view source(reinterpret_cast<const char*>(data), size);
  (void)linear_spelling(source);
  const auto translated = translate_regex(source);
  if (!translated) {
    tern::fuzz::check_one_line(translated.error(), 600);
    return 0;
  }
  for (std::size_t at = 0; at <= translated->pattern.size(); ++at) {
    TERN_CHECK(translated->source_offset(at) <= source.size());
  }
  // A translation grows by a factor, so that a short pattern cannot ask for much memory.
  TERN_CHECK(translated->pattern.size() <= 64 + 2048 * source.size());
  const auto compiled = SplitPattern::make(source, size % 2 == 1, SplitPattern::Trust::from_file);
  if (!compiled) {
    tern::fuzz::check_one_line(compiled.error(), 600);
    return 0;
  }
  (void)compiled->may_match(source);
  return 0;
}
