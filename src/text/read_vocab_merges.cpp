// GPT-2's pair of files: vocab.json (token in the byte alphabet -> id) and merges.txt (a merge a line, after an
// optional
// "#version" line). Tokens like "<|endoftext|>" are not marked there; the published names are taken as control tokens.
#include <algorithm>
#include <array>

#include "base/byte_cursor.hpp"
#include "base/words.hpp"
#include "text/detect.hpp"
#include "text/json_document.hpp"
#include "text/json_look.hpp"
#include "text/readers.hpp"
#include "text/text_lines.hpp"
#include "text/vocabulary_builder.hpp"

namespace tern::text {

namespace {

constexpr std::array<std::string_view, 9> kControlNames = {
    "<|endoftext|>", "<|begin_of_text|>", "<|end_of_text|>", "<|eot_id|>", "<|im_start|>", "<|im_end|>", "<s>", "</s>",
    "<pad>"};

}  // namespace

Result<Vocabulary> read_vocab_merges(Bytes vocab_json, Bytes merges_txt, std::optional<std::string_view> pre) {
  TERN_TRY(const nlohmann::json vocab, parse_json(vocab_json, "vocab.json"));
  if (!vocab.is_object()) return fail(ErrorCode::bad_input, "vocab.json is not an object that maps tokens to ids");
  VocabularyBuilder builder;
  for (const auto& [token, id] : vocab.items()) {
    if (!id.is_number_unsigned()) {
      return fail(ErrorCode::bad_input, "the id of token \"{}\" in vocab.json is not a whole number from 0",
                  printable(token));
    }
    const bool is_control = std::ranges::find(kControlNames, token) != kControlNames.end();
    TERN_TRY_DO(builder.add(id.get<std::uint64_t>(), token, is_control ? TokenType::control : TokenType::normal));
  }
  Vocabulary vocabulary;
  vocabulary.kind = TokenizerKind::bpe;
  vocabulary.source = "vocab.json and merges.txt";
  vocabulary.pre = pre.value_or(pre_of_known_size(builder.size(), "gpt-2"));
  TERN_TRY_DO(builder.finish(vocabulary));

  std::size_t number = 0;
  for (TextLines lines(as_text(merges_txt)); auto line = lines.next();) {
    ++number;
    if (line->empty() || (number == 1 && line->starts_with("#version"))) continue;
    const std::size_t space = line->find(' ');
    if (space == std::string_view::npos || space == 0 || space + 1 == line->size()) {
      return fail(ErrorCode::bad_input,
                  "line {} of merges.txt is \"{}\", expected two tokens with a space between them", number,
                  printable(*line));
    }
    vocabulary.merges.emplace_back(*line);
  }
  guess_special_ids(vocabulary);
  vocabulary.add_bos = vocabulary.bos.has_value() && default_add_bos(vocabulary.kind, vocabulary.pre);
  return vocabulary;
}

const TokenizerFile kVocabJsonFile{
    .what = "a vocab.json",
    .names = {"vocab.json"},
    .looks_like = [](Bytes bytes) { return look_at_json(bytes) == JsonKind::vocabulary; },
    .companion = "merges.txt",
    .read =
        [](const TokenizerInput& input) {
          return configured(read_vocab_merges(input.bytes, input.companion, input.pre), input.tokenizer_config);
        }};

}  // namespace tern::text
