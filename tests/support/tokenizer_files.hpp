// Small tokenizer files written by hand, so that tests need no data: a byte-level BPE vocabulary of the 256 bytes and a
// few merges, and a SentencePiece vocabulary with byte fallback, each in the shapes it is published in.
#pragma once

#include <cstring>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "text/byte_alphabet.hpp"
#include "text/detect.hpp"
#include "text/tokenizer.hpp"

namespace tern::text::test {

inline Bytes as_bytes(const std::string& text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

/// Merges of the byte-level vocabulary, in order; G stands for the space's letter in the byte alphabet.
inline std::vector<std::string> bpe_merges() {
  const std::string g = to_byte_alphabet(" ");
  return {"h e", "l l", "he ll", "hell o", g + " w", g + "w o", "r l", "rl d", g + "wo rld", g + " " + g, "a a", "1 2"};
}

/// Ids 0 to 255 are the bytes, then one token a merge, then <|begin|>, <|end|> and the added word "[[x]]".
inline std::vector<std::string> bpe_tokens() {
  std::vector<std::string> tokens;
  for (int byte = 0; byte < 256; ++byte) tokens.push_back(to_byte_alphabet(std::string(1, static_cast<char>(byte))));
  for (std::string merge : bpe_merges()) tokens.push_back(merge.erase(merge.find(' '), 1));
  return tokens;
}

inline Vocabulary bpe_vocabulary(std::string pre = "gpt-2") {
  Vocabulary vocabulary;
  vocabulary.kind = TokenizerKind::bpe;
  vocabulary.pre = std::move(pre);
  vocabulary.tokens = bpe_tokens();
  vocabulary.merges = bpe_merges();
  vocabulary.types.assign(vocabulary.size(), TokenType::normal);
  for (const auto& [name, type] : {std::pair{"<|begin|>", TokenType::control}, std::pair{"<|end|>", TokenType::control},
                                   std::pair{"[[x]]", TokenType::user_defined}}) {
    vocabulary.tokens.emplace_back(name);
    vocabulary.types.push_back(type);
  }
  vocabulary.bos = static_cast<std::int32_t>(vocabulary.size()) - 3;
  vocabulary.eos = static_cast<std::int32_t>(vocabulary.size()) - 2;
  return vocabulary;
}

struct SpmPiece {
  std::string text;
  float score;
  TokenType type;
};

/// <unk>, <s>, </s>, the 256 byte tokens, then words: ids from 259.
inline std::vector<SpmPiece> spm_pieces() {
  std::vector<SpmPiece> pieces = {
      {"<unk>", 0, TokenType::unknown}, {"<s>", 0, TokenType::control}, {"</s>", 0, TokenType::control}};
  for (int byte = 0; byte < 256; ++byte) pieces.push_back({fmt::format("<0x{:02X}>", byte), 0, TokenType::byte});
  const std::string mark = "\xE2\x96\x81";
  float score = 0;
  for (const std::string& word : {mark + "a", std::string("ab"), mark + "ab", mark + mark, mark + mark + mark + mark,
                                  std::string("<s"), std::string("<s>x")}) {
    pieces.push_back({word, score, TokenType::normal});
    score -= 1;
  }
  for (const std::string& character : {mark, std::string("a"), std::string("b"), std::string("<"), std::string("s"),
                                       std::string(">"), std::string("x"), std::string("\xC3\xA9")}) {
    pieces.push_back({character, -100, TokenType::normal});
  }
  return pieces;
}

inline Vocabulary spm_vocabulary() {
  Vocabulary vocabulary;
  vocabulary.kind = TokenizerKind::spm;
  vocabulary.pre = "default";
  for (const SpmPiece& piece : spm_pieces()) {
    vocabulary.tokens.push_back(piece.text);
    vocabulary.scores.push_back(piece.score);
    vocabulary.types.push_back(piece.type);
  }
  vocabulary.unk = 0;
  vocabulary.bos = 1;
  vocabulary.eos = 2;
  vocabulary.add_bos = true;
  vocabulary.add_space_prefix = true;
  return vocabulary;
}

inline std::string varint(std::uint64_t value) {
  std::string out;
  while (value >= 0x80) {
    out.push_back(static_cast<char>(static_cast<unsigned char>((value & 0x7F) | 0x80)));
    value >>= 7;
  }
  out.push_back(static_cast<char>(value));
  return out;
}

template <typename T>
std::string raw(T value) {
  std::string out(sizeof(T), '\0');
  std::memcpy(out.data(), &value, sizeof(T));
  return out;
}

inline std::string field(int number, int wire_type) {
  return varint(static_cast<std::uint64_t>(number * 8 + wire_type));
}
inline std::string field(int number, const std::string& bytes) {
  return field(number, 2) + varint(bytes.size()) + bytes;
}

inline std::string sentencepiece_file(int model_type = 2, bool add_dummy_prefix = true) {
  std::string out;
  for (const SpmPiece& piece : spm_pieces()) {
    std::string message = field(1, piece.text) + field(2, 5) + raw(piece.score);
    if (piece.type != TokenType::normal) message += field(3, 0) + varint(static_cast<std::uint64_t>(piece.type));
    out += field(1, message);
  }
  out += field(2, field(3, 0) + varint(static_cast<std::uint64_t>(model_type)) + field(43, 0) +
                      varint(~std::uint64_t{0}));  // pad_id = -1
  out += field(3, field(3, 0) + varint(add_dummy_prefix ? 1 : 0));
  return out;
}

inline std::string llama2c_file() {
  std::string out = raw(std::int32_t{12});
  for (const SpmPiece& piece : spm_pieces()) {
    std::string text;
    for (std::size_t i = 0; i < piece.text.size();) {
      const bool mark = piece.text.compare(i, 3, "\xE2\x96\x81") == 0;
      text += mark ? ' ' : piece.text[i];
      i += mark ? 3 : 1;
    }
    if (piece.type == TokenType::control) text = "\n" + text + "\n";
    out += raw(piece.score) + raw(static_cast<std::int32_t>(text.size())) + text;
  }
  return out;
}

inline std::string base64(const std::string& bytes) {
  constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t bits = 0;
    for (std::size_t j = 0; j < 3; ++j) {
      bits = (bits << 8) | (i + j < bytes.size() ? static_cast<unsigned char>(bytes[i + j]) : 0U);
    }
    for (std::size_t j = 0; j < 4; ++j) out += i + j > bytes.size() ? '=' : kDigits[(bits >> (18 - 6 * j)) & 63];
  }
  return out;
}

inline std::string tiktoken_file() {
  std::string out;
  const auto tokens = bpe_tokens();
  for (std::size_t rank = 0; rank < tokens.size(); ++rank) {
    out += base64(*from_byte_alphabet(tokens[rank])) + " " + std::to_string(rank) + "\n";
  }
  return out;
}

inline std::string vocab_json_file() {
  nlohmann::json vocab = nlohmann::json::object();
  const auto tokens = bpe_tokens();
  for (std::size_t id = 0; id < tokens.size(); ++id) vocab[tokens[id]] = id;
  return vocab.dump();
}

inline std::string merges_file() {
  std::string out = "#version: 0.2\n";
  for (const std::string& merge : bpe_merges()) out += merge + "\n";
  return out;
}

inline nlohmann::json tokenizer_json() {
  const Vocabulary vocabulary = bpe_vocabulary();
  nlohmann::json root = {{"version", "1.0"}, {"normalizer", nullptr}, {"post_processor", nullptr}};
  root["pre_tokenizer"] = {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"use_regex", true}};
  root["model"] = {{"type", "BPE"}, {"byte_fallback", false}, {"merges", bpe_merges()}};
  root["model"]["vocab"] = nlohmann::json::parse(vocab_json_file());
  root["added_tokens"] = nlohmann::json::array();
  for (std::size_t id = bpe_tokens().size(); id < vocabulary.size(); ++id) {
    root["added_tokens"].push_back(
        {{"id", id}, {"content", vocabulary.tokens[id]}, {"special", vocabulary.type(id) == TokenType::control}});
  }
  return root;
}

/// The SentencePiece vocabulary as tokenizer.json: merges in order of score.
inline nlohmann::json spm_tokenizer_json() {
  const std::string mark = "\xE2\x96\x81";
  nlohmann::json root;
  root["normalizer"] = {{"type", "Sequence"},
                        {"normalizers",
                         {{{"type", "Prepend"}, {"prepend", mark}},
                          {{"type", "Replace"}, {"pattern", {{"String", " "}}}, {"content", mark}}}}};
  root["model"] = {{"type", "BPE"}, {"byte_fallback", true}, {"unk_token", "<unk>"}};
  const auto pieces = spm_pieces();
  for (std::size_t id = 0; id < pieces.size(); ++id) root["model"]["vocab"][pieces[id].text] = id;
  root["model"]["merges"] = std::vector<std::vector<std::string>>{
      {mark, "a"}, {"a", "b"}, {mark + "a", "b"}, {mark, "ab"}, {mark, mark}, {mark + mark, mark + mark}, {"<", "s"}};
  root["added_tokens"] = {{{"id", 0}, {"content", "<unk>"}, {"special", true}},
                          {{"id", 1}, {"content", "<s>"}, {"special", true}},
                          {{"id", 2}, {"content", "</s>"}, {"special", true}}};
  root["post_processor"] = {
      {"type", "TemplateProcessing"},
      {"single", {{{"SpecialToken", {{"id", "<s>"}, {"type_id", 0}}}}, {{"Sequence", {{"id", "A"}, {"type_id", 0}}}}}}};
  return root;
}

}  // namespace tern::text::test
