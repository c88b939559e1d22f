#include "convert/quantize.hpp"

#include "formats/all.hpp"

namespace tern::convert {
namespace {

bool is_lossless_translation(const formats::Format& from, const formats::Format& to) {
  return from.is_ternary && to.is_ternary;
}

TensorJob job_for(std::shared_ptr<const files::GgufFile> file, const files::GgufTensor& tensor,
                  const formats::Format& to) {
  TensorJob job{
      .name = tensor.name, .shape = tensor.shape, .format = &to, .read = {}, .copy = {}, .measure = false, .done = {}};
  job.done = [file, &tensor] { file->release(tensor); };
  if (tensor.format == &to) {
    job.copy = file->bytes(tensor);
    return job;
  }
  job.measure = &to != &formats::kI2_S && (to.is_ternary || (tensor.format->is_ternary && to.is_float));
  job.read = [file, &tensor](std::int64_t first, std::int64_t n_rows, std::span<float> out) {
    return formats::decode_rows(*tensor.format, tensor.shape, file->bytes(tensor), first, n_rows, out);
  };
  return job;
}

}  // namespace

Result<QuantizePlan> QuantizePlan::make(const QuantizeOptions& options, Progress& progress) {
  TERN_TRY(files::GgufFile opened, files::GgufFile::open(options.input));
  QuantizePlan plan;
  plan.file_ = std::make_shared<const files::GgufFile>(std::move(opened));
  const files::GgufFile& file = *plan.file_;
  if (file.tensors().empty())
    return fail(ErrorCode::bad_input, "{}: holds no tensors: nothing to quantise", options.input);
  if (const auto key = files::weight_transform_key(file.metadata())) {
    return fail(ErrorCode::unsupported,
                "{}: metadata key {} says that the weights are transformed; Tern does not requantise such files yet",
                options.input, *key);
  }
  const bool tied = file.find("output.weight") == nullptr;
  for (const files::GgufTensor& tensor : file.tensors()) {
    if (tensor.format == nullptr) {
      return fail(ErrorCode::unsupported, "{}: tensor {}: {}", options.input, tensor.name, tensor.unsupported_reason);
    }
    const formats::Format* wished = wished_format(options.wishes, tensor.name, tensor.shape, tied);
    const formats::Format* to = tensor.format;
    if (wished != nullptr && wished != tensor.format) {
      const formats::Format& fitting = fitting_format(*wished, tensor.shape.row_length());
      if (&fitting != wished) progress.note(fallback_note(tensor.name, *wished, fitting, tensor.shape.row_length()));
      to = &fitting;
    }
    if (to != tensor.format && !tensor.format->is_float && !is_lossless_translation(*tensor.format, *to) &&
        !options.allow_requantize) {
      return fail(ErrorCode::bad_input,
                  "{}: tensor {} is {} already; rounding it again to {} loses more than rounding the original: use "
                  "--allow-requantize, or a F16/F32 file",
                  options.input, tensor.name, tensor.format->name, to->name);
    }
    plan.jobs_.push_back(job_for(plan.file_, tensor, *to));
    TERN_TRY(const std::uint64_t bytes_to, formats::tensor_bytes(*to, tensor.shape));
    plan.choices_.push_back({tensor.name, tensor.shape, tensor.format, to, tensor.n_bytes, bytes_to});
  }
  TERN_TRY(plan.layout_, plan_layout(file.metadata(), plan.jobs_));
  TERN_TRY(plan.output_bytes_, plan.layout_.file_bytes());
  return plan;
}

Result<WriteReport> QuantizePlan::run(const QuantizeOptions& options, Progress& progress) const {
  auto report = write_gguf(options.output, layout_, jobs_, options.write, progress);
  if (!report && report.error().code == ErrorCode::bad_input)
    return in_context(options.input, std::move(report).error());
  if (report) {
    if (const std::string note = ternary_note(*report); !note.empty()) progress.note(note);
  }
  return report;
}

}  // namespace tern::convert
