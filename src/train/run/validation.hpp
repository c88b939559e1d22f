// The loss on held-out text: windows that touch, from the beginning of each source's held-out part, each predicted from
// its own beginning. Nats a token, and bits a byte of the text those tokens stand for, which do not depend on the
// tokenizer.
#pragma once

#include <string>
#include <vector>

#include "train/data/dataset.hpp"
#include "train/network.hpp"

namespace tern::train {

struct SourceLoss {
  std::string source;
  double nats = 0.0;           // mean of a token
  double bits_per_byte = 0.0;  // 0 where the tokens stand for no text
  std::int64_t n_tokens = 0;
};

/// Of every source that has at least one window held out; at most `n_tokens` of each. Errors: those of Part::copy.
[[nodiscard]] Result<std::vector<SourceLoss>> validate(Network& network, const Dataset& data, std::int64_t n_tokens);

/// Bits a byte of a sum of losses over tokens that stand for n_bytes of text.
[[nodiscard]] double bits_per_byte(double sum_of_nats, std::uint64_t n_bytes);

}  // namespace tern::train
