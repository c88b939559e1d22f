// A model whose text is known: blocks that add nothing, embeddings that are one-hot in token space, and a head that is
// a table of what follows what. Of several successors each is as likely.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "tests/support/gguf_image.hpp"
#include "tests/support/models.hpp"

namespace tern::test {

/// Of a byte, in the vocabulary of small images.
inline std::int32_t token_of(unsigned char byte) {
  constexpr std::int32_t kFirstByte = 3;
  return kFirstByte + byte;
}

/// `next`: pairs of a token and one that may follow it.
template <class Pairs>
std::string chain_model(const Pairs& next) {
  constexpr std::size_t kTokens = 259;
  constexpr std::size_t kWidth = 288;  // at least one dimension a token
  models::HyperParameters p = small_parameters(models::kLlama);
  p.n_embd = kWidth;
  p.n_heads = p.n_kv_heads = 4;
  p.head_dim = p.n_rotary = 72;
  GgufImage image = image_of(models::kLlama, p);
  for (const char* silent : {"blk.0.attn_output.weight", "blk.0.attn_output.bias", "blk.0.ffn_down.weight"}) {
    std::ranges::fill(image.tensor(silent).values, 0.0F);
  }
  std::ranges::fill(image.tensor("output_norm.weight").values, 1.0F);
  auto& table = image.tensor("token_embd.weight");
  std::ranges::fill(table.values, 0.0F);
  for (std::size_t t = 0; t < kTokens; ++t) table.values[t * kWidth + t] = 1.0F;
  GgufImage::Tensor head{"output.weight", matrix_shape(kWidth, kTokens), &formats::kF32,
                         std::vector<float>(kWidth * kTokens, 0.0F)};
  for (const auto& [from, to] : next)
    head.values[static_cast<std::size_t>(to) * kWidth + static_cast<std::size_t>(from)] = 1.0F;
  image.tensors.push_back(head);
  return image.bytes();
}

}  // namespace tern::test
