// What an embedding model makes of its tokens' last vectors: one vector a sequence, gathered as the tokens pass, in
// their order, so that how a text was split into batches leaves no trace.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "models/plan.hpp"

namespace tern::engine {

class Pool {
 public:
  Pool() = default;
  Pool(models::Pooling kind, std::int64_t width, int n_sequences);

  /// The vector [width] of the token at `position`; position 0 begins the sequence anew.
  void add(int sequence, std::int64_t position, const float* vector);
  /// [width]: the mean of the vectors so far, the first, or the last. Requires at least one.
  [[nodiscard]] std::vector<float> result(int sequence) const;

 private:
  models::Pooling kind_ = models::Pooling::none;
  std::size_t width_ = 0;
  std::vector<double> sums_;  // [n_sequences][width]
  std::vector<std::int64_t> counts_;
};

/// Scales a vector to length 1, as embeddings are compared; a vector of zeros stays.
void normalize(std::span<float> vector);

/// The cosine of the angle between two vectors of one width, from -1 to 1; 0 where one of them is zero.
[[nodiscard]] double cosine(std::span<const float> a, std::span<const float> b);

}  // namespace tern::engine
