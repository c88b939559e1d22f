#include "text/byte_level_bpe.hpp"

#include "base/utf8.hpp"
#include "base/words.hpp"
#include "text/byte_alphabet.hpp"
#include "text/token_model_of.hpp"
#include "text/token_models.hpp"
#include "text/tokenizer_json_pre.hpp"

namespace tern::text {

namespace {
constexpr std::uint32_t kNoId = 0xFFFFFFFEU;  // a byte without a token; merges with nothing

Result<PreTokenizer> pre_tokenizer_of(const Vocabulary& vocabulary) {
  if (vocabulary.pre != kCustomPre) return PreTokenizer::make(vocabulary.pre);
  TERN_TRY(const PreRules rules, pre_rules_of_text(vocabulary.pre_tokenizer));
  return PreTokenizer::make(rules);
}

}  // namespace

Result<ByteLevelBpe> ByteLevelBpe::make(const Vocabulary& vocabulary, std::span<const std::string_view> pieces) {
  TERN_TRY(PreTokenizer pre_tokenizer, pre_tokenizer_of(vocabulary));
  ByteLevelBpe model(std::move(pre_tokenizer));
  model.whole_words_ = vocabulary.ignore_merges.value_or(PreTokenizer::takes_whole_words(vocabulary.pre));
  model.unknown_ = vocabulary.unk;
  model.index_ = StringIndex(pieces.size());
  for (std::size_t id = 0; id < pieces.size(); ++id) {
    if (vocabulary.type(id) != TokenType::normal || pieces[id].empty()) continue;
    model.index_.insert(pieces[id], static_cast<std::uint32_t>(id));
  }
  for (std::size_t byte = 0; byte < 256; ++byte) {
    const char c = static_cast<char>(static_cast<unsigned char>(byte));
    model.byte_ids_[byte] = model.index_.find({&c, 1}).value_or(kNoId);
  }
  TERN_TRY_DO(model.add_merges(vocabulary));
  return model;
}

Result<void> ByteLevelBpe::add_merges(const Vocabulary& vocabulary) {
  merges_ = PairIndex(vocabulary.merges.size());
  std::string both;
  for (std::size_t rank = 0; rank < vocabulary.merges.size(); ++rank) {
    const std::string_view merge = vocabulary.merges[rank];
    const std::size_t space = merge.find(' ');
    if (space == std::string_view::npos || space == 0 || space + 1 == merge.size() ||
        merge.find(' ', space + 1) != std::string_view::npos) {
      return fail(ErrorCode::bad_input, "merge {} is \"{}\", expected two tokens with one space between them", rank,
                  printable(merge));
    }
    const auto left = from_byte_alphabet(merge.substr(0, space));
    const auto right = from_byte_alphabet(merge.substr(space + 1));
    if (!left || !right) {
      return fail(ErrorCode::bad_input, "merge {} (\"{}\") holds a character outside the byte alphabet", rank,
                  printable(merge));
    }
    both = *left + *right;
    const auto left_id = index_.find(*left);
    const auto right_id = index_.find(*right);
    const auto both_id = index_.find(both);
    if (!left_id || !right_id || !both_id) {
      return fail(ErrorCode::bad_input, "merge {} (\"{}\") needs {}, which is not in the vocabulary", rank,
                  printable(merge),
                  !left_id    ? "its left part"
                  : !right_id ? "its right part"
                              : "its result");
    }
    merges_.insert(*left_id, *right_id, {static_cast<std::uint32_t>(rank), *both_id});
  }
  return {};
}

Result<void> ByteLevelBpe::encode(std::string_view text, Run& run, std::vector<std::int32_t>& out) const {
  while (!text.empty()) {
    const std::size_t valid = utf8_valid_prefix(text);
    run.splitter.start(text.substr(0, valid));
    while (true) {
      TERN_TRY(const std::string_view word, run.splitter.next());
      if (word.empty()) break;
      TERN_TRY_DO(run.cache.append(word, run.ids, out, [&] { return encode_word(word, run); }));
    }
    text.remove_prefix(valid);
    while (!text.empty() && !utf8_step(text).valid) {
      TERN_TRY_DO(encode_word(text.substr(0, 1), run));
      out.insert(out.end(), run.ids.begin(), run.ids.end());
      text.remove_prefix(1);
    }
  }
  return {};
}

// The ids of one word, into run.ids.
Result<void> ByteLevelBpe::encode_word(std::string_view word, Run& run) const {
  run.ids.clear();
  if (whole_words_) {
    if (const auto id = index_.find(word)) {
      run.ids.push_back(static_cast<std::int32_t>(*id));
      return {};
    }
  }
  run.symbols.clear();
  for (std::size_t i = 0; i < word.size(); ++i) {
    run.symbols.push_back({byte_ids_[static_cast<unsigned char>(word[i])], static_cast<std::uint32_t>(i), 1});
  }
  run.engine.run(run.symbols, [&](const Symbol& left, const Symbol& right) { return merges_.find(left.id, right.id); });
  for (const Symbol& symbol : run.symbols) {
    if (symbol.id != kNoId) {
      run.ids.push_back(static_cast<std::int32_t>(symbol.id));
    } else if (unknown_) {
      run.ids.push_back(*unknown_);
    } else {
      return fail(ErrorCode::bad_input,
                  "the text holds byte 0x{:02X}, which this vocabulary cannot spell: it has neither a token for that "
                  "byte nor an unknown token",
                  static_cast<unsigned char>(word[symbol.start]));
    }
  }
  return {};
}

namespace {

// A space before the text only, unless one is there.
class ByteLevelModel : public TokenModelOf<ByteLevelModel, ByteLevelBpe> {
 public:
  ByteLevelModel(ByteLevelBpe model, bool adds_space) : TokenModelOf(std::move(model)), adds_space_(adds_space) {}
  Result<void> encode_plain(std::string_view plain, bool is_first, State& state, std::vector<std::int32_t>& out) const {
    if (is_first && adds_space_ && plain[0] != ' ') plain = state.texts.emplace_back(" " + std::string(plain));
    return model_.encode(plain, state.run, out);
  }
  [[nodiscard]] std::optional<std::int32_t> find(std::string_view token) const override {
    return as_id(model_.index().find(token));
  }

 private:
  bool adds_space_;
};

Result<std::unique_ptr<const TokenModel>> make_model(const Vocabulary& vocabulary,
                                                     std::span<const std::string_view> pieces) {
  TERN_TRY(auto model, ByteLevelBpe::make(vocabulary, pieces));
  return std::make_unique<const ByteLevelModel>(std::move(model), vocabulary.add_space_prefix);
}

// Added words are spelled as they are.
std::string bytes_of(const std::string& token, TokenType type) {
  return type == TokenType::user_defined ? token : from_byte_alphabet_or_same(token);
}

}  // namespace

const TokenModelKind kByteLevelBpeModel{.kind = TokenizerKind::bpe,
                                        .gguf_name = "gpt2",
                                        .what = "byte-level BPE",
                                        .has_named_pre = true,
                                        .bytes_of = bytes_of,
                                        .make = make_model};

}  // namespace tern::text
