// Implementation of bench_weights.hpp.
#include "lab/bench_weights.hpp"

#include <algorithm>
#include <cstring>
#include <new>

#include "base/random.hpp"

namespace tern::lab {
namespace {

// Ternary formats hold -s, 0 and s, binary ones -s and s; others get what trained weights look like.
std::vector<float> random_rows(const formats::Format& format, std::int64_t n_rows, std::int64_t k) {
  constexpr float kScale = 0.0625F;
  Random random(1);
  std::vector<float> values(static_cast<std::size_t>(n_rows * k));
  for (float& value : values) {
    value = format.is_ternary  ? static_cast<float>(static_cast<int>(random.below(3)) - 1) * kScale
            : format.is_binary ? (random.below(2) == 0 ? -kScale : kScale)
                               : static_cast<float>(random.normal()) * kScale;
  }
  return values;
}

Result<std::unique_ptr<AlignedBuffer>> encoded(const formats::Format& format, const Shape& shape,
                                               std::uint64_t n_bytes) {
  const std::int64_t k = shape.row_length();
  const std::int64_t n_distinct = std::min<std::int64_t>(shape.n_rows(), 64);
  const std::vector<float> values = random_rows(format, n_distinct, k);
  const Shape few = matrix_shape(k, n_distinct);
  TERN_TRY(const std::uint64_t few_bytes, formats::tensor_bytes(format, few));
  AlignedBuffer rows(few_bytes);
  TERN_TRY_DO(formats::encode_tensor(format, "random weight", few, values, rows.bytes()));
  auto whole = std::make_unique<AlignedBuffer>(n_bytes);
  const auto row_bytes = static_cast<std::size_t>(format.row_bytes(k));
  for (std::int64_t r = 0; r < shape.n_rows(); ++r) {
    std::memcpy(whole->data() + static_cast<std::size_t>(r) * row_bytes,
                rows.data() + static_cast<std::size_t>(r % n_distinct) * row_bytes, row_bytes);
  }
  const auto tail = static_cast<std::size_t>(format.tail_bytes);
  std::memcpy(whole->data() + n_bytes - tail, rows.data() + few_bytes - tail, tail);
  return whole;
}

}  // namespace

Result<RandomWeights> RandomWeights::make(const formats::Format& format, std::int64_t n_rows, std::int64_t k,
                                          int n_copies, const kernels::Kernels& kernels) {
  TERN_CHECK(n_rows >= 1 && k >= 1 && n_copies >= 1);
  const Shape shape = matrix_shape(k, n_rows);
  TERN_TRY(const std::uint64_t n_bytes, formats::tensor_bytes(format, shape));
  const auto rounding = format.is_ternary || format.is_binary ? ops::Rounding::per_token : ops::Rounding::partner;
  RandomWeights weights;
  try {
    for (int i = 0; i < n_copies; ++i) {
      const bool packs = i > 0 && weights.copies_.front()->packed_bytes() > 0;
      if (i == 0) {
        TERN_TRY(auto first, encoded(format, shape, n_bytes));
        weights.bytes_.push_back(std::move(first));
      } else if (!packs) {
        weights.bytes_.push_back(std::make_unique<AlignedBuffer>(n_bytes));
        std::memcpy(weights.bytes_.back()->data(), weights.bytes_.front()->data(), n_bytes);
      }
      const TensorView view{
          .name = "random weight", .shape = shape, .format = &format, .bytes = weights.bytes_.back()->bytes()};
      TERN_TRY(ops::Matrix matrix, ops::Matrix::bind(view, rounding, kernels));
      weights.copies_.push_back(std::make_unique<ops::Matrix>(std::move(matrix)));
    }
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::out_of_memory, "no memory for {} copies of a {} weight {}", n_copies, format.name,
                shape.text());
  }
  return weights;
}

std::uint64_t RandomWeights::bytes() const {
  std::uint64_t sum = 0;
  for (const auto& buffer : bytes_) sum += buffer->size();
  for (const auto& matrix : copies_) sum += matrix->packed_bytes();
  return sum;
}

}  // namespace tern::lab
