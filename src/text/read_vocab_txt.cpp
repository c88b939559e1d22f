// vocab.txt of BERT: a token a line, the line's number is its id; "##" marks a continuation. Bracketed names of the
// published special tokens are control tokens. Whether texts are put into lower case stands in tokenizer_config.json
// (do_lower_case, strip_accents, tokenize_chinese_chars); without it they are, as in the uncased models.
#include <algorithm>
#include <array>

#include "base/byte_cursor.hpp"
#include "base/words.hpp"
#include "text/detect.hpp"
#include "text/json_document.hpp"
#include "text/readers.hpp"
#include "text/text_lines.hpp"
#include "text/tokenizer_json_models.hpp"
#include "text/vocabulary_builder.hpp"

namespace tern::text {

namespace {

constexpr std::array<std::string_view, 5> kSpecial = {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"};

Result<void> apply_bert_config(Vocabulary& vocabulary, Bytes tokenizer_config) {
  TERN_TRY(const nlohmann::json config, parse_json(tokenizer_config, "tokenizer_config.json"));
  const bool lower = bool_member(config, "do_lower_case").value_or(true);
  const bool chinese = bool_member(config, "tokenize_chinese_chars").value_or(true);
  const bool strip = bool_member(config, "strip_accents").value_or(lower);
  if (lower && chinese && strip) return {};
  const nlohmann::json section = {{"type", "BertNormalizer"},
                                  {"clean_text", true},
                                  {"handle_chinese_chars", chinese},
                                  {"strip_accents", strip},
                                  {"lowercase", lower}};
  vocabulary.normalizer = section.dump();
  return {};
}

}  // namespace

Result<Vocabulary> read_vocab_txt(Bytes bytes, Bytes tokenizer_config) {
  Vocabulary vocabulary;
  vocabulary.kind = TokenizerKind::wordpiece;
  vocabulary.pre = "default";
  vocabulary.source = "vocab.txt (WordPiece)";
  const std::string_view text = as_text(bytes);
  if (text.find('\0') != std::string_view::npos) {
    return fail(ErrorCode::bad_input, "vocab.txt holds a zero byte, expected a token a line");
  }
  for (TextLines lines(text); const auto line = lines.next();) {
    const bool is_special = std::ranges::find(kSpecial, *line) != kSpecial.end();
    if (line->empty()) {
      vocabulary.tokens.emplace_back();
    } else {
      vocabulary.tokens.push_back(wordpiece_spelling(*line, "##"));
    }
    vocabulary.types.push_back(line->empty() ? TokenType::unused : is_special ? TokenType::control : TokenType::normal);
  }
  if (vocabulary.size() == 0) return fail(ErrorCode::bad_input, "vocab.txt holds no tokens");
  guess_special_ids(vocabulary);
  if (!vocabulary.unk) {
    return fail(ErrorCode::bad_input, "vocab.txt has no line [UNK]: not the vocabulary of a BERT model");
  }
  vocabulary.types[static_cast<std::size_t>(*vocabulary.unk)] = TokenType::unknown;
  if (!tokenizer_config.empty()) {
    TERN_TRY_DO(apply_bert_config(vocabulary, tokenizer_config));
    TERN_TRY_DO(apply_tokenizer_config(vocabulary, tokenizer_config));
  }
  vocabulary.add_bos = vocabulary.bos.has_value();
  vocabulary.add_eos = vocabulary.eos.has_value();
  return vocabulary;
}

const TokenizerFile kVocabTxtFile{
    .what = "BERT's vocab.txt", .names = {"vocab.txt"}, .read = [](const TokenizerInput& input) {
      return read_vocab_txt(input.bytes, input.tokenizer_config);
    }};

}  // namespace tern::text
