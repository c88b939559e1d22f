// A pre-tokeniser's pattern and a text, with a zero byte between; the first byte holds two flags. The pattern is
// translated, compiled and run as one from a file is: it works, or ends in one line of error. The pieces that an
// isolating rule leaves must be the text.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "text/pre_tokenizer.hpp"
#include "text/utf8.hpp"

namespace {

void one_line(const tern::Error& error) {
  TERN_CHECK(!error.message.empty() && error.message.find('\n') == std::string::npos);
  TERN_CHECK(error.message.size() < 600);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tern::text;
  if (size == 0) return 0;
  const std::string_view rest(reinterpret_cast<const char*>(data + 1), size - 1);
  const std::size_t end = rest.find('\0');
  if (end == std::string_view::npos) return 0;
  std::string_view text = rest.substr(end + 1);
  text = text.substr(0, utf8_valid_prefix(text));
  PreRule rule;
  rule.pattern = rest.substr(0, end);
  rule.on_bytes = (data[0] & 1) != 0;
  rule.invert = (data[0] & 2) != 0;
  const auto pre_tokenizer = PreTokenizer::make(PreRules{rule});
  if (!pre_tokenizer) {
    one_line(pre_tokenizer.error());
    return 0;
  }
  WordSplitter splitter(*pre_tokenizer);
  splitter.start(text);
  std::string whole;
  while (true) {
    const auto word = splitter.next();
    if (!word) {
      one_line(word.error());
      return 0;
    }
    if (word->empty()) break;
    whole += *word;
    TERN_CHECK(whole.size() <= text.size());
  }
  TERN_CHECK(whole == text);
  return 0;
}
