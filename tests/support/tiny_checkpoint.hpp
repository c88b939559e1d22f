// A small model made on the spot, as a llama2.c checkpoint and its tokenizer: random weights, but every width divides
// by 256, so that every weight format fits. For tests of the whole program, which begins with files of another
// ecosystem.
#pragma once

#include <cstdint>
#include <fstream>
#include <string>
#include <vector>

#include "base/random.hpp"

namespace tern::test {

inline constexpr std::int32_t kTinyVocabulary = 320;

inline void put_bytes(std::ofstream& out, const void* data, std::size_t n) {
  out.write(static_cast<const char*>(data), static_cast<std::streamsize>(n));
}

/// Version 0: seven int32, then float32 tensors. The head is its own (a negative vocabulary size says so): with random
/// weights a shared one only repeats the last token.
inline void write_tiny_checkpoint(const std::string& path, std::int32_t n_ctx = 128) {
  constexpr std::int32_t kWidth = 256;
  constexpr std::int32_t kHidden = 512;
  constexpr std::int32_t kLayers = 2;
  constexpr std::int32_t kHeads = 4;
  const std::int32_t header[7] = {kWidth, kHidden, kLayers, kHeads, kHeads, -kTinyVocabulary, n_ctx};
  std::ofstream out(path, std::ios::binary);
  put_bytes(out, header, sizeof header);
  Random random(7);
  const auto values = [&](std::int64_t n, double scale, float center) {
    std::vector<float> v(static_cast<std::size_t>(n));
    for (float& x : v) x = center + static_cast<float>(random.normal() * scale);
    put_bytes(out, v.data(), v.size() * sizeof(float));
  };
  values(std::int64_t{kTinyVocabulary} * kWidth, 0.3, 0.0F);
  values(kLayers * kWidth, 0.05, 1.0F);                                                      // attention norms
  for (int i = 0; i < 4; ++i) values(std::int64_t{kLayers} * kWidth * kWidth, 0.08, 0.0F);   // q, k, v, o
  values(kLayers * kWidth, 0.05, 1.0F);                                                      // feed-forward norms
  for (int i = 0; i < 3; ++i) values(std::int64_t{kLayers} * kWidth * kHidden, 0.06, 0.0F);  // gate, down, up
  values(kWidth, 0.05, 1.0F);                                                                // last norm
  const std::vector<float> rotary(static_cast<std::size_t>(n_ctx) * (kWidth / kHeads),
                                  0.0F);  // tables that no reader uses
  put_bytes(out, rotary.data(), rotary.size() * sizeof(float));
  values(std::int64_t{kTinyVocabulary} * kWidth, 0.3, 0.0F);  // head
}

/// unk, BOS, EOS, the 256 bytes, then letters, a space and some words.
inline void write_tiny_tokenizer(const std::string& path) {
  std::vector<std::string> tokens{"<unk>", "\n<s>\n", "\n</s>\n"};
  for (int byte = 0; byte < 256; ++byte) {
    const char* digits = "0123456789ABCDEF";
    tokens.push_back(std::string("<0x") + digits[byte / 16] + digits[byte % 16] + ">");
  }
  for (char c = 'a'; c <= 'z'; ++c) tokens.emplace_back(1, c);
  for (const char* word :
       {" ", ".", " t", "he", " the", "in", " a", "er", "on", "re", "on the", "s", " w", "at", "ed", "or"}) {
    tokens.emplace_back(word);
  }
  while (tokens.size() < static_cast<std::size_t>(kTinyVocabulary))
    tokens.push_back(" x" + std::to_string(tokens.size()));
  std::ofstream out(path, std::ios::binary);
  const std::int32_t longest = 27;
  put_bytes(out, &longest, sizeof longest);
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    const float score = -static_cast<float>(i);
    const auto length = static_cast<std::int32_t>(tokens[i].size());
    put_bytes(out, &score, sizeof score);
    put_bytes(out, &length, sizeof length);
    put_bytes(out, tokens[i].data(), tokens[i].size());
  }
}

}  // namespace tern::test
