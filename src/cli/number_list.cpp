#include "cli/number_list.hpp"

#include <algorithm>
#include <charconv>

#include "base/words.hpp"

namespace tern::cli {

Result<std::vector<std::string_view>> read_words(std::string_view option, std::string_view text) {
  std::vector<std::string_view> words;
  for (std::size_t n = 0;; ++n) {
    if (n == kLongestList) {
      return fail(ErrorCode::usage, "{}: more than {} values in one list; measure them in several runs", option,
                  kLongestList);
    }
    const std::size_t comma = text.find(',');
    const std::string_view word = text.substr(0, comma);
    if (std::ranges::find(words, word) == words.end()) words.push_back(word);
    if (comma == std::string_view::npos) return words;
    text.remove_prefix(comma + 1);
  }
}

Result<std::vector<std::int64_t>> read_numbers(std::string_view option, std::string_view text, std::int64_t least,
                                               std::int64_t most) {
  TERN_TRY(const auto words, read_words(option, text));
  std::vector<std::int64_t> numbers;
  for (const std::string_view word : words) {
    std::int64_t number = 0;
    const char* end = word.data() + word.size();
    const auto [stop, error] = std::from_chars(word.data(), end, number);
    if (error != std::errc{} || stop != end || number < least || number > most) {
      return fail(ErrorCode::usage,
                  "{}: \"{}\" is not a whole number from {} to {}; expected numbers separated by commas", option,
                  printable(word), least, most);
    }
    if (std::ranges::find(numbers, number) == numbers.end()) numbers.push_back(number);
  }
  return numbers;
}

}  // namespace tern::cli
