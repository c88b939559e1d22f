#include "lab/trained_source.hpp"

#include <algorithm>
#include <cstring>

#include "formats/all.hpp"

namespace tern::lab {
namespace {

quant::RowReader rows_of(const train::Parameter& parameter) {
  return [&parameter](std::int64_t first, std::int64_t n_rows, std::span<float> out) -> Result<void> {
    const std::int64_t k = parameter.shape.row_length();
    std::copy_n(parameter.master.data() + first * k, n_rows * k, out.begin());
    return {};
  };
}

/// Codes times scale.
quant::RowReader quantised_rows_of(const train::Weight& weight, std::int64_t group) {
  return [&weight, group](std::int64_t first, std::int64_t n_rows, std::span<float> out) -> Result<void> {
    const std::int64_t k = weight.k();
    for (std::int64_t i = 0; i < n_rows * k; ++i) {
      const auto at = static_cast<std::size_t>(first * k + i);
      const float scale = group == 0 ? weight.scales().front() : weight.scales()[at / static_cast<std::size_t>(group)];
      out[static_cast<std::size_t>(i)] = static_cast<float>(weight.codes()[at]) * scale;
    }
    return {};
  };
}

bool is_in_training_form(const train::Weight& weight, const train::Trainer& trainer) {
  return weight.is_quantized() && trainer.weights().lambda() == 1.0F;
}

train::Weight* weight_of(train::Trainer& trainer, std::string_view name) {
  for (const auto& weight : trainer.weights().all()) {
    if (weight->master().name == name) return weight.get();
  }
  return nullptr;
}

/// Encodes and decodes; true where every value comes back.
bool survives(const formats::Format& format, const Shape& shape, const std::vector<float>& values) {
  if (!format.fits_row(shape.row_length())) return false;
  const auto n_bytes = formats::tensor_bytes(format, shape);
  if (!n_bytes) return false;
  std::vector<std::byte> bytes(static_cast<std::size_t>(*n_bytes));
  if (!formats::encode_tensor(format, "", shape, values, bytes)) return false;
  std::vector<float> back(values.size());
  if (!formats::decode_rows(format, shape, bytes, 0, shape.n_rows(), back)) return false;
  return std::memcmp(values.data(), back.data(), values.size() * sizeof(float)) == 0;
}

}  // namespace

convert::Source trained_source(const train::RunState& state, train::Trainer& trainer,
                               std::shared_ptr<const void> keep) {
  const train::QuantizerOptions& options = trainer.weights().options();
  convert::Source source;
  source.architecture = models::by_name(state.model.architecture).value();
  source.parameters = state.model;
  source.name = "tern";
  source.keep_open = std::move(keep);
  for (const models::TensorSpec& spec : trainer.plan().tensors) {
    const train::Parameter* parameter = trainer.parameters().find(spec.name);
    if (parameter == nullptr) continue;  // tied, or not there
    convert::SourceTensor tensor{.name = spec.name,
                                 .shape = spec.shape,
                                 .role = spec.role,
                                 .natural = &formats::kF32,
                                 .read = rows_of(*parameter),
                                 .source_name = spec.name,
                                 .source_type = "F32"};
    const train::Weight* weight = weight_of(trainer, spec.name);
    if (weight != nullptr && is_in_training_form(*weight, trainer)) {
      tensor.masters = tensor.read;
      tensor.read = quantised_rows_of(*weight, options.group);
      tensor.natural = options.weights->smallest_format(options.group, spec.shape.row_length());
      tensor.is_ternary = options.group == 0 && options.weights->lowest == -1 && options.weights->highest == 1;
    }
    source.tensors.push_back(std::move(tensor));
  }
  return source;
}

Result<void> check_holds(const formats::Format* wanted, const convert::Source& source, train::Trainer& trainer) {
  const auto first_lost = [&](const formats::Format* candidate) -> Result<const convert::SourceTensor*> {
    for (const convert::SourceTensor& tensor : source.tensors) {
      const train::Weight* weight = weight_of(trainer, tensor.name);
      if (weight == nullptr || !is_in_training_form(*weight, trainer)) continue;
      std::vector<float> values(static_cast<std::size_t>(tensor.shape.n_elements()));
      TERN_TRY_DO(tensor.read(0, tensor.shape.n_rows(), values));
      if (!survives(candidate == nullptr ? *tensor.natural : *candidate, tensor.shape, values)) return &tensor;
    }
    return nullptr;
  };
  TERN_TRY(const convert::SourceTensor* lost, first_lost(wanted));
  if (lost == nullptr) return {};
  const formats::Format& format = wanted == nullptr ? *lost->natural : *wanted;
  std::vector<std::string_view> able;
  for (const formats::Format* other : formats::kAll) {
    if (auto found = first_lost(other); found && *found == nullptr) able.push_back(other->name);
  }
  const train::QuantizerOptions& options = trainer.weights().options();
  const std::string why =
      format.fits_row(lost->shape.row_length())
          ? fmt::format(
                "{}, {}", options.weights->name,
                options.group == 0 ? std::string("one scale") : fmt::format("a scale for {} values", options.group))
          : fmt::format("rows of {}, expected a multiple of {}", lost->shape.row_length(), format.block_values);
  return fail(ErrorCode::unsupported, "{} does not hold what was trained ({}: {}), expected {}", format.name,
              lost->name, why, fmt::format("{}", fmt::join(able, ", ")));
}

}  // namespace tern::lab
