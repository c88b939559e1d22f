// A section "normalizer" of tokenizer.json and a text, with a zero byte between: the steps are made and run, or refused
// in one line; what comes out is never larger than promised.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "one_line.hpp"
#include "text/normalizer.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tern::text;
  const std::string_view whole(reinterpret_cast<const char*>(data), size);
  const std::size_t end = whole.find('\0');
  if (end == std::string_view::npos) return 0;
  Vocabulary vocabulary;
  vocabulary.normalizer = whole.substr(0, end);
  vocabulary.remove_extra_whitespaces = (size & 1) != 0;
  const std::string_view text = whole.substr(end + 1);
  const auto normalizer = Normalizer::make(vocabulary);
  if (!normalizer) {
    tern::fuzz::check_one_line(normalizer.error());
    return 0;
  }
  std::string storage;
  const auto normalised = normalizer->apply(text, storage);
  if (!normalised) {
    tern::fuzz::check_one_line(normalised.error());
    return 0;
  }
  TERN_CHECK(normalised->size() <= std::max<std::size_t>(64 * text.size(), 1 << 16));
  return 0;
}
