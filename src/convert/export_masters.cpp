#include "convert/export_masters.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "base/half.hpp"
#include "convert/export_rows.hpp"
#include "convert/export_ternary.hpp"
#include "convert/ternary_rows.hpp"

namespace tern::convert {
namespace {

using files::Dtype;

// How near to half a scale a master may stand, relative to the scale, and how far its mean may be from it: the class
// finds the mean in float32, in an order of additions of its own; in 16 bits the masters' rounding moves it as well.
constexpr float margin_of(Dtype dtype) {
  return dtype == Dtype::f32 ? 1e-5F : 2e-4F;
}
// How far the scale may stay off: what lies on a grid of 16 bits does not follow a factor that near to 1.
constexpr double scale_tolerance_of(Dtype dtype) {
  return dtype == Dtype::f32 ? 1e-5 : 1e-3;
}
constexpr int kRounds = 4;
// What moving a master by more means, in scales: the model rounds by another rule than the class.
constexpr float kLargestMove = 0.02F;
constexpr double kLargestFactor = 1.05;

// The next value of the type towards `goal`.
float next_in(Dtype dtype, float value, float goal) {
  if (dtype == Dtype::f32) return std::nextafter(value, goal);
  // Of a positive value: neighbours in 16 bits are neighbours in value.
  const bool up = goal > value;
  if (dtype == Dtype::bf16) {
    const std::uint16_t bits = fp32_to_bf16(value);
    return bf16_to_fp32(static_cast<std::uint16_t>(up ? bits + 1 : bits - 1));
  }
  const std::uint16_t bits = fp32_to_fp16(value);
  return fp16_to_fp32(static_cast<std::uint16_t>(up ? bits + 1 : bits - 1));
}

// The magnitude nearest to `magnitude` that the type has and that stays on the right side of half a scale.
float beside_border(float magnitude, bool is_zero, float scale, Dtype dtype) {
  const float low = (0.5F - margin_of(dtype)) * scale;
  const float high = (0.5F + margin_of(dtype)) * scale;
  if (is_zero) {
    if (magnitude <= low) return magnitude;
    const float nearest = rounded_to(dtype, low);
    return nearest <= low ? nearest : next_in(dtype, nearest, 0.0F);
  }
  if (magnitude >= high) return magnitude;
  const float nearest = rounded_to(dtype, high);
  return nearest >= high ? nearest : next_in(dtype, nearest, std::numeric_limits<float>::infinity());
}

struct Moves {
  std::int64_t n = 0;
  float largest = 0.0F;  // in scales
  double sum = 0.0;      // of the magnitudes
};

// `codes` are the rows the model computes with: -scale, 0, +scale.
void fit_row(const MastersFit& fit, Dtype dtype, std::span<const float> codes, std::span<float> masters, Moves* moves) {
  for (std::size_t i = 0; i < masters.size(); ++i) {
    const float stored = rounded_to(dtype, static_cast<float>(static_cast<double>(masters[i]) * fit.factor));
    const bool is_zero = codes[i] == 0.0F;
    // Of a code that is not 0 the sign is the code's: one against it would be a move of more than half a scale.
    const float along = is_zero ? std::abs(stored) : std::copysign(1.0F, codes[i]) * stored;
    const float kept = beside_border(along, is_zero, fit.class_scale, dtype);
    masters[i] = std::copysign(kept, is_zero ? stored : codes[i]);
    if (moves == nullptr) continue;
    moves->sum += static_cast<double>(kept);
    if (kept == along) continue;
    ++moves->n;
    moves->largest = std::max(moves->largest, std::abs(kept - along) / fit.scale);
  }
}

// Hands on pairs of rows: what the model computes with, and the masters.
Result<void> each_pair(const SourceTensor& tensor,
                       const std::function<void(std::span<const float> codes, std::span<float> masters)>& sink) {
  std::vector<float> masters;
  return each_block(tensor.shape, 1, tensor.read,
                    [&](std::int64_t first, std::int64_t n, std::span<const float> codes) -> Result<void> {
                      masters.resize(codes.size());
                      TERN_TRY_DO(tensor.masters(first, n, masters));
                      sink(codes, masters);
                      return {};
                    });
}

std::unexpected<Error> refuse(const SourceTensor& tensor, std::string_view why) {
  return fail(
      ErrorCode::unsupported,
      "tensor {}: {}, so transformers' online class would compute another model from its masters; choose a packed "
      "spelling",
      tensor.name, why);
}

}  // namespace

Result<MastersFit> fit_masters(const SourceTensor& tensor, Dtype dtype) {
  if (!tensor.masters) {
    return fail(ErrorCode::unsupported,
                "tensor {} has no float masters, which the masters spelling stores; choose a packed spelling",
                tensor.name);
  }
  MastersFit fit;
  TERN_TRY(fit.scale, ternary_scale(tensor));
  double sum = 0.0;
  TERN_TRY_DO(each_block(tensor.shape, 1, tensor.masters,
                         [&](std::int64_t, std::int64_t, std::span<const float> masters) -> Result<void> {
                           for (const float w : masters) sum += std::abs(static_cast<double>(rounded_to(dtype, w)));
                           return {};
                         }));
  const double mean = sum / static_cast<double>(tensor.shape.n_elements());
  if (!std::isfinite(mean)) return fail(ErrorCode::bad_input, "tensor {} holds NaN or infinity", tensor.name);

  const float own_scale = std::max(static_cast<float>(mean), 1e-5F);
  bool is_equal = true;
  TERN_TRY_DO(each_pair(tensor, [&](std::span<const float> codes, std::span<float> masters) {
    for (float& w : masters) w = rounded_to(dtype, w);
    ternarise(masters, own_scale);
    is_equal = is_equal && std::ranges::equal(codes, masters);
  }));
  if (is_equal) return fit;

  fit.as_they_are = false;
  fit.factor = static_cast<double>(fit.scale) / mean;
  if (!(fit.factor < kLargestFactor && fit.factor > 1.0 / kLargestFactor))
    return refuse(tensor, fmt::format("its scale {} is not the mean {} of its masters", fit.scale, mean));
  fit.class_scale = fit.scale;
  for (int round = 0; round < kRounds; ++round) {
    Moves moves;
    TERN_TRY_DO(each_pair(tensor, [&](std::span<const float> codes, std::span<float> masters) {
      fit_row(fit, dtype, codes, masters, &moves);
    }));
    if (moves.largest > kLargestMove)
      return refuse(tensor, fmt::format("it rounds a master that lies {:.3g} scales off", moves.largest));
    fit.n_moved = moves.n;
    const double found = moves.sum / static_cast<double>(tensor.shape.n_elements());
    fit.scale_error = found / static_cast<double>(fit.scale) - 1.0;
    const double off_border = found / static_cast<double>(fit.class_scale) - 1.0;
    if (std::abs(off_border) <= static_cast<double>(margin_of(dtype)) / 8.0 &&
        std::abs(fit.scale_error) <= scale_tolerance_of(dtype)) {
      return fit;
    }
    if (dtype == Dtype::f32) {
      fit.factor /= 1.0 + fit.scale_error;
    } else {
      fit.class_scale = static_cast<float>(found);
    }
  }
  return refuse(tensor, fmt::format("their mean stays {:.3g} off its scale in this type", fit.scale_error));
}

quant::RowReader fitted_masters(const SourceTensor& tensor, const MastersFit& fit, Dtype dtype) {
  if (fit.as_they_are) return tensor.masters;
  return [&tensor, fit, dtype](std::int64_t first, std::int64_t n_rows, std::span<float> out) -> Result<void> {
    std::vector<float> codes(out.size());
    TERN_TRY_DO(tensor.read(first, n_rows, codes));
    TERN_TRY_DO(tensor.masters(first, n_rows, out));
    fit_row(fit, dtype, codes, out, nullptr);
    return {};
  };
}

}  // namespace tern::convert
