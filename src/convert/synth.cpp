#include "convert/synth.hpp"

#include <array>
#include <cmath>

#include "base/half.hpp"
#include "base/random.hpp"
#include "formats/all.hpp"
#include "text/synthetic_vocabulary.hpp"

namespace tern::convert {
namespace {

/// What a tensor's values look like.
enum class Values : std::uint8_t { normal, ternary, binary, gains };

/// One digit from each 5 bits: ten of the 32 are zero, eleven +1 and eleven -1, near what absmean rounding of normal
/// weights gives (31 % zeros).
constexpr std::array<float, 32> ternary_digits() {
  std::array<float, 32> digits{};
  for (std::size_t i = 0; i < 22; ++i) digits[i] = i < 11 ? 1.0F : -1.0F;
  return digits;
}

void fill_ternary(Random& random, float scale, std::span<float> out) {
  static constexpr std::array<float, 32> kDigits = ternary_digits();
  for (std::size_t i = 0; i < out.size();) {
    std::uint64_t bits = random.next();
    for (int digit = 0; digit < 12 && i < out.size(); ++digit, bits >>= 5) out[i++] = kDigits[bits & 31U] * scale;
  }
}

void fill_binary(Random& random, float scale, std::span<float> out) {
  for (std::size_t i = 0; i < out.size();) {
    std::uint64_t bits = random.next();
    for (int digit = 0; digit < 64 && i < out.size(); ++digit, bits >>= 1) out[i++] = (bits & 1U) != 0 ? scale : -scale;
  }
}

/// Sums of four bytes: whole numbers, so that every machine gets the same, and near enough to a normal distribution.
void fill_normal(Random& random, float deviation, std::span<float> out) {
  constexpr std::uint64_t kBytes = 0x00ff00ff00ff00ffULL;
  const float factor = deviation / 147.8F;  // the deviation of such a sum: 2 sqrt((256^2 - 1) / 12)
  for (std::size_t i = 0; i < out.size();) {
    const std::uint64_t bits = random.next();
    const std::uint64_t pairs = (bits & kBytes) + ((bits >> 8) & kBytes);
    const std::uint64_t fours = pairs + (pairs >> 16);
    for (int half = 0; half < 2 && i < out.size(); ++half) {
      const auto sum = static_cast<std::int32_t>((fours >> (32 * half)) & 0xffffU);
      out[i++] = static_cast<float>(sum - 510) * factor;
    }
  }
}

/// Gains of norms: 0.75 to 1.25, so that leaving one out shows.
void fill_gains(Random& random, std::span<float> out) {
  for (float& gain : out) gain = 0.75F + static_cast<float>(random.next() >> 56) / 510.0F;
}

std::uint64_t seed_of(std::uint64_t seed, std::string_view name) {
  for (const char c : name) seed = (seed ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  return seed;
}

/// Far apart for neighbouring rows.
std::uint64_t seed_of_row(std::uint64_t seed, std::int64_t row) {
  std::uint64_t z = seed + static_cast<std::uint64_t>(row) * 0x9e3779b97f4a7c15ULL;
  z = (z ^ (z >> 31)) * 0xbf58476d1ce4e5b9ULL;
  return z ^ (z >> 29);
}

/// Any rows in any order: each row has a sequence of its own.
quant::RowReader random_rows(Values values, float size, std::int64_t row_length, std::uint64_t seed) {
  return [=](std::int64_t first, std::int64_t n_rows, std::span<float> out) -> Result<void> {
    const auto k = static_cast<std::size_t>(row_length);
    for (std::int64_t r = 0; r < n_rows; ++r) {
      Random random(seed_of_row(seed, first + r));
      const std::span<float> row = out.subspan(static_cast<std::size_t>(r) * k, k);
      switch (values) {
        case Values::normal:
          fill_normal(random, size, row);
          break;
        case Values::ternary:
          fill_ternary(random, size, row);
          break;
        case Values::binary:
          fill_binary(random, size, row);
          break;
        case Values::gains:
          fill_gains(random, row);
          break;
      }
    }
    return {};
  };
}

/// A step's output has the size of its input when the deviation is 1 / sqrt(k).
float deviation_for(std::int64_t k) {
  return 1.0F / std::sqrt(static_cast<float>(k));
}

/// The one scale, as fp16 holds it: formats with fp16 scales lose nothing.
float scale_for(std::int64_t k, float share_not_zero) {
  return fp16_to_fp32(fp32_to_fp16(deviation_for(k) / std::sqrt(share_not_zero)));
}

/// The smallest of the types that hold a ternary matrix exactly whatever its rows are long.
const formats::Format* smallest_that_fits(std::int64_t k) {
  if (formats::kI2_S.fits_row(k)) return &formats::kI2_S;
  return formats::kQ2_0.fits_row(k) ? &formats::kQ2_0 : &formats::kF16;
}

/// Another type in place of the one asked for would measure something else.
Result<void> check_fits(const Source& source, const SynthOptions& options) {
  for (const SourceTensor& tensor : source.tensors) {
    if (tensor.shape.is_vector()) continue;
    const formats::Format* wanted = tensor.role == models::TensorRole::linear ? options.type : options.table;
    const std::int64_t k = tensor.shape.row_length();
    if (wanted == nullptr || wanted->fits_row(k)) continue;
    return fail(ErrorCode::usage, "{} needs rows that divide by {}, and {} of this shape has rows of {}", wanted->name,
                wanted->block_values, tensor.name, k);
  }
  if (options.table != nullptr && options.table->is_ternary) {
    return fail(ErrorCode::usage,
                "{} holds ternary matrices, and embeddings are not: choose F16, Q8_0, Q6_K or the like",
                options.table->name);
  }
  return {};
}

SourceTensor random_tensor(const models::TensorSpec& spec, Values matrices, std::uint64_t seed) {
  SourceTensor tensor{.name = spec.name,
                      .shape = spec.shape,
                      .role = spec.role,
                      .natural = &formats::kF16,
                      .read = {},
                      .source_name = spec.name,
                      .source_type = "random"};
  const std::int64_t k = spec.shape.row_length();
  const std::uint64_t own = seed_of(seed, spec.name);
  if (spec.role == models::TensorRole::norm) {
    tensor.read = random_rows(Values::gains, 1.0F, k, own);
  } else if (spec.shape.is_vector() || spec.role != models::TensorRole::linear || matrices == Values::normal) {
    tensor.read = random_rows(Values::normal, deviation_for(k), k, own);
  } else {
    const bool ternary = matrices == Values::ternary;
    tensor.read = random_rows(matrices, scale_for(k, ternary ? 22.0F / 32.0F : 1.0F), k, own);
    tensor.natural = smallest_that_fits(k);
  }
  return tensor;
}

Values values_of_matrices(const formats::Format* type, const models::HyperParameters& parameters) {
  if (type == &formats::kQ1_0) return Values::binary;
  const bool trained_ternary = parameters.linear_activation.mode == models::ActivationPolicy::Mode::per_token;
  return trained_ternary || (type != nullptr && type->is_ternary) ? Values::ternary : Values::normal;
}

}  // namespace

Result<ConvertReport> synth(const SynthOptions& options, Progress& progress) {
  Source source;
  TERN_TRY(source.parameters, hyper_parameters_of(options.shape));
  TERN_TRY(source.architecture, models::by_name(options.shape.architecture));
  TERN_TRY(source.vocabulary, text::synthetic_vocabulary(static_cast<std::size_t>(options.shape.vocabulary)));
  source.name = fmt::format("synth-{}", options.shape.name);
  const Values matrices = values_of_matrices(options.type, source.parameters);
  for (const models::TensorSpec& spec : source.architecture->plan(source.parameters).tensors) {
    const bool is_head = spec.role == models::TensorRole::head;
    if (is_head ? options.shape.tied : spec.may_be_absent()) continue;
    source.tensors.push_back(random_tensor(spec, matrices, options.seed));
  }
  TERN_TRY_DO(check_fits(source, options));
  ConvertOptions convert_options;
  convert_options.source = source.name;
  convert_options.outfile = options.outfile;
  convert_options.outtype = options.type;
  convert_options.table = options.table == nullptr ? &formats::kF16 : options.table;
  convert_options.write = options.write;
  TERN_TRY(const ConvertPlan plan, ConvertPlan::of(std::move(source), convert_options, progress));
  return plan.run(convert_options, progress);
}

}  // namespace tern::convert
