#include "train/run/validation.hpp"

#include <algorithm>
#include <numbers>

namespace tern::train {

double bits_per_byte(double sum_of_nats, std::uint64_t n_bytes) {
  return n_bytes == 0 ? 0.0 : sum_of_nats / (std::numbers::ln2 * static_cast<double>(n_bytes));
}

Result<std::vector<SourceLoss>> validate(Network& network, const Dataset& data, std::int64_t n_tokens) {
  const std::int64_t n_ctx = network.size().n_tokens;
  std::vector<SourceLoss> out;
  for (const Source& source : data.sources()) {
    const auto held = static_cast<std::int64_t>(source.held_out.n_tokens());
    std::vector<std::int32_t> tokens;
    for (std::int64_t first = 0; first + n_ctx + 1 <= std::min(held, n_tokens); first += n_ctx) {
      const std::size_t at = tokens.size();
      tokens.resize(at + static_cast<std::size_t>(n_ctx + 1));
      TERN_TRY_DO(source.held_out.copy(static_cast<std::uint64_t>(first), static_cast<std::uint64_t>(n_ctx + 1),
                                       tokens.data() + at));
    }
    if (tokens.empty()) continue;
    SourceLoss loss{source.name};
    std::uint64_t n_bytes = 0;
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      const bool predicted = i % static_cast<std::size_t>(n_ctx + 1) != 0;
      if (predicted) n_bytes += data.token_bytes()[static_cast<std::size_t>(tokens[i])];
    }
    double sum = 0.0;
    for (const float nats : network.losses(tokens)) {
      sum += static_cast<double>(nats);
      ++loss.n_tokens;
    }
    loss.nats = sum / static_cast<double>(loss.n_tokens);
    loss.bits_per_byte = bits_per_byte(sum, n_bytes);
    out.push_back(std::move(loss));
  }
  return out;
}

}  // namespace tern::train
