// A pre-tokeniser's pattern and a text, with a zero byte between; the first byte holds two flags. The pattern is
// translated, compiled and run as one from a file is: it works, or ends in one line of error. The pieces that an
// isolating rule leaves must be the text.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/utf8.hpp"
#include "one_line.hpp"
#include "text/pre_tokenizer.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tern::text;
  if (size == 0) return 0;
  const std::string_view rest(reinterpret_cast<const char*>(data + 1), size - 1);
  const std::size_t end = rest.find('\0');
  if (end == std::string_view::npos) return 0;
  std::string_view text = rest.substr(end + 1);
  text = text.substr(0, tern::utf8_valid_prefix(text));
  PreRule rule;
  rule.pattern = rest.substr(0, end);
  rule.on_bytes = (data[0] & 1) != 0;
  rule.invert = (data[0] & 2) != 0;
  const auto pre_tokenizer = PreTokenizer::make(PreRules{rule});
  if (!pre_tokenizer) {
    tern::fuzz::check_one_line(pre_tokenizer.error(), 600);
    return 0;
  }
  WordSplitter splitter(*pre_tokenizer);
  splitter.start(text);
  std::string whole;
  while (true) {
    const auto word = splitter.next();
    if (!word) {
      tern::fuzz::check_one_line(word.error(), 600);
      return 0;
    }
    if (word->empty()) break;
    whole += *word;
    TERN_CHECK(whole.size() <= text.size());
  }
  TERN_CHECK(whole == text);
  return 0;
}
