// A section "pre_tokenizer" of tokenizer.json and a text, with a zero byte between: read as byte-level rules, as
// Metaspace's and as WordPiece's, and run on the text where it is accepted.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/utf8.hpp"
#include "one_line.hpp"
#include "text/metaspace.hpp"
#include "text/pre_tokenizer.hpp"
#include "text/space_mark.hpp"
#include "text/tokenizer_json_pre.hpp"
#include "text/wordpiece.hpp"

namespace {

void split_bytes(std::string_view section, std::string_view text) {
  using namespace tern::text;
  const auto rules = pre_rules_of_text(section);
  if (!rules) return tern::fuzz::check_one_line(rules.error());
  const auto pre_tokenizer = PreTokenizer::make(*rules);
  if (!pre_tokenizer) return tern::fuzz::check_one_line(pre_tokenizer.error());
  WordSplitter splitter(*pre_tokenizer);
  splitter.start(text);
  std::size_t n_bytes = 0;
  while (true) {
    const auto word = splitter.next();
    if (!word) return tern::fuzz::check_one_line(word.error());
    if (word->empty()) return;
    n_bytes += word->size();
    TERN_CHECK(n_bytes <= (kMaxPreRules + 1) * text.size());  // each rule may put a space before a piece
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tern::text;
  const std::string_view whole(reinterpret_cast<const char*>(data), size);
  const std::size_t end = whole.find('\0');
  if (end == std::string_view::npos) return 0;
  const std::string_view section = whole.substr(0, end);
  std::string_view text = whole.substr(end + 1);
  text = text.substr(0, tern::utf8_valid_prefix(text));
  split_bytes(section, text);

  Vocabulary vocabulary;
  vocabulary.pre_tokenizer = section;
  if (const auto metaspace = Metaspace::make(vocabulary); !metaspace) {
    tern::fuzz::check_one_line(metaspace.error());
  } else if (*metaspace) {
    std::string storage;
    std::size_t n_bytes = 0;
    const auto done =
        (*metaspace)->for_each_piece(text, true, storage, [&](std::string_view piece) -> tern::Result<void> {
          n_bytes += piece.size();
          return {};
        });
    TERN_CHECK(done.has_value() && n_bytes <= 6 * text.size() + kSpaceMark.size());
  }
  vocabulary.kind = TokenizerKind::wordpiece;
  vocabulary.tokens = {"[UNK]", std::string(kSpaceMark) + "a", "b"};
  vocabulary.unk = 0;
  if (const auto wordpiece = WordPiece::make(vocabulary); !wordpiece) {
    tern::fuzz::check_one_line(wordpiece.error());
  } else {
    WordPiece::Run run(*wordpiece);
    std::vector<std::int32_t> ids;
    TERN_CHECK(wordpiece->encode(text, run, ids).has_value());
  }
  return 0;
}
