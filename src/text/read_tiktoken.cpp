// tiktoken rank files: a line a token, base64 of its bytes and its rank, which is also its id. tiktoken merges the pair
// whose joined bytes have the lowest rank; GGUF wants a list of pairs. The pair that made a token is found by running
// the merging on its own bytes with the ranks below its own: what is left when it is about to become whole. A pair that
// merges inside a text is always that pair, because nothing around a token can change how its inside merges.
#include <array>
#include <charconv>

#include "base/byte_cursor.hpp"
#include "base/words.hpp"
#include "text/base64.hpp"
#include "text/byte_alphabet.hpp"
#include "text/detect.hpp"
#include "text/merge_engine.hpp"
#include "text/readers.hpp"
#include "text/text_lines.hpp"
#include "text/vocabulary_builder.hpp"

namespace tern::text {

namespace {

struct Ranks {
  std::vector<std::pair<std::uint64_t, std::string>> by_line;  // rank, bytes
};

Result<Ranks> read_ranks(std::string_view text) {
  Ranks ranks;
  std::size_t number = 0;
  for (TextLines lines(text); auto line = lines.next();) {
    ++number;
    if (line->empty()) continue;
    const std::size_t space = line->find(' ');
    const auto token = from_base64(line->substr(0, space));
    std::uint64_t rank = 0;
    const std::string_view digits = space == std::string_view::npos ? std::string_view{} : line->substr(space + 1);
    const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), rank);
    if (!token || digits.empty() || parsed.ec != std::errc() || parsed.ptr != digits.data() + digits.size()) {
      return fail(ErrorCode::bad_input, "line {} of the rank file is \"{}\", expected base64, a space and a rank",
                  number, printable(*line));
    }
    ranks.by_line.emplace_back(rank, *token);
  }
  if (ranks.by_line.empty()) return fail(ErrorCode::bad_input, "the rank file holds no tokens");
  return ranks;
}

Result<void> derive_merges(const std::vector<std::string>& tokens, const std::vector<bool>& is_rank,
                           Vocabulary& vocabulary) {
  StringIndex index(tokens.size());
  for (std::size_t id = 0; id < tokens.size(); ++id) {
    if (is_rank[id] && !index.insert(tokens[id], static_cast<std::uint32_t>(id))) {
      return fail(ErrorCode::bad_input, "the token of rank {} stands in the rank file twice", id);
    }
  }
  MergeEngine engine;
  std::vector<Symbol> symbols;
  for (std::size_t id = 0; id < tokens.size(); ++id) {
    const std::string_view token = tokens[id];
    if (!is_rank[id] || token.size() < 2) continue;
    symbols.clear();
    for (std::size_t i = 0; i < token.size(); ++i) symbols.push_back({0, static_cast<std::uint32_t>(i), 1});
    engine.run(symbols, [&](const Symbol& left, const Symbol& right) -> Merge {
      const auto rank = index.find(token.substr(left.start, std::size_t{left.length} + right.length));
      if (!rank || *rank >= id) return {};
      return {*rank, *rank};
    });
    if (symbols.size() != 2) continue;  // cannot be made by merging; found only as a whole word
    const std::string_view left = token.substr(0, symbols[0].length);
    const std::string_view right = token.substr(symbols[1].start);
    if (!index.find(left) || !index.find(right)) continue;
    vocabulary.merges.push_back(to_byte_alphabet(left) + " " + to_byte_alphabet(right));
  }
  return {};
}

// The control tokens that LLaMA 3's and Qwen's own programs put behind the ranks; the rank files do not hold them.
std::vector<std::string> published_control_tokens(std::size_t n_ranks, std::string_view pre) {
  std::vector<std::string> names;
  if (n_ranks == 128'000 && pre == "llama-bpe") {
    names = {"<|begin_of_text|>", "<|end_of_text|>"};
    int reserved = 0;
    const auto reserve = [&](int n) {
      for (int i = 0; i < n; ++i) names.push_back(fmt::format("<|reserved_special_token_{}|>", reserved++));
    };
    reserve(4);
    names.insert(names.end(), {"<|start_header_id|>", "<|end_header_id|>"});
    reserve(1);
    names.emplace_back("<|eot_id|>");
    reserve(246);
  } else if (n_ranks == 151'643 && pre == "qwen2") {
    names = {"<|endoftext|>", "<|im_start|>", "<|im_end|>"};
  }
  return names;
}

}  // namespace

Result<Vocabulary> read_tiktoken(Bytes bytes, std::optional<std::string_view> pre) {
  TERN_TRY(Ranks ranks, read_ranks(as_text(bytes)));
  const std::size_t n_ranks = ranks.by_line.size();
  Vocabulary vocabulary;
  vocabulary.kind = TokenizerKind::bpe;
  vocabulary.pre = pre.value_or(pre_of_known_size(n_ranks, "llama-bpe"));
  vocabulary.source = "tiktoken ranks";
  VocabularyBuilder builder;
  for (auto& [rank, token] : ranks.by_line) TERN_TRY_DO(builder.add(rank, std::move(token), TokenType::normal));
  TERN_TRY_DO(builder.finish(vocabulary));

  std::vector<bool> is_rank(vocabulary.size());
  for (std::size_t id = 0; id < vocabulary.size(); ++id) is_rank[id] = vocabulary.types[id] == TokenType::normal;
  TERN_TRY_DO(derive_merges(vocabulary.tokens, is_rank, vocabulary));
  for (std::size_t id = 0; id < vocabulary.size(); ++id) {
    if (is_rank[id]) vocabulary.tokens[id] = to_byte_alphabet(vocabulary.tokens[id]);
  }
  if (vocabulary.size() == n_ranks) {
    for (std::string& name : published_control_tokens(n_ranks, vocabulary.pre)) {
      vocabulary.tokens.push_back(std::move(name));
      vocabulary.types.push_back(TokenType::control);
    }
  }
  guess_special_ids(vocabulary);
  vocabulary.add_bos = vocabulary.bos.has_value() && default_add_bos(vocabulary.kind, vocabulary.pre);
  return vocabulary;
}

namespace {

// A first line of base64, one space and digits.
bool looks_like_tiktoken(Bytes bytes) {
  const std::string_view text = as_text(bytes);
  const std::string_view line = text.substr(0, text.find('\n'));
  const std::size_t space = line.find(' ');
  if (space == std::string_view::npos || space == 0 || space % 4 != 0) return false;
  constexpr std::string_view kBase64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=";
  std::string_view digits = line.substr(space + 1);
  if (digits.ends_with('\r')) digits.remove_suffix(1);
  return line.substr(0, space).find_first_not_of(kBase64) == std::string_view::npos && !digits.empty() &&
         digits.find_first_not_of("0123456789") == std::string_view::npos;
}

}  // namespace

const TokenizerFile kTiktokenFile{.what = "a tiktoken rank file",
                                  .names = {},
                                  .looks_like = looks_like_tiktoken,
                                  .read = [](const TokenizerInput& input) {
                                    return configured(read_tiktoken(input.bytes, input.pre), input.tokenizer_config);
                                  }};

}  // namespace tern::text
