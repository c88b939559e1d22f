#include "convert/quantize.hpp"

#include "base/words.hpp"
#include "convert/type_rules.hpp"
#include "files/gguf_split.hpp"
#include "files/weight_transform.hpp"
#include "formats/all.hpp"
#include "models/model_shape.hpp"

namespace tern::convert {
namespace {

constexpr double kFewValuesBits = 2.25;

// Codes stay codes, and the scale of a ternary tensor is rounded to 16 bits at most, as the ternary formats have it.
bool keeps_values(const formats::Format& from, const formats::Format& to) {
  return &to == &formats::kF32 || (from.is_ternary && (to.is_ternary || &to == &formats::kF16));
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
  // Codes of two or three values suit weights trained for them; on others they deserve a word.
  const bool has_few_values = to.is_ternary || to.bits_per_weight() <= kFewValuesBits;
  job.measure = &to != &formats::kI2_S && (has_few_values || (tensor.format->is_ternary && to.is_float));
  job.read = [file, &tensor](std::int64_t first, std::int64_t n_rows, std::span<float> out) {
    return formats::decode_rows(*tensor.format, tensor.shape, file->bytes(tensor), first, n_rows, out);
  };
  return job;
}

Result<void> check_copy(const TypeWishes& wishes) {
  if (!wishes.mixture->copies) return {};
  if (wishes.pure || wishes.token_embedding != nullptr || wishes.output != nullptr || !wishes.tensor_types.empty()) {
    return fail(ErrorCode::usage, "{} leaves every tensor as it is; give a TYPE to change some", wishes.mixture->name);
  }
  return {};
}

// As llama-quantize: the mixture's number whatever the tensors became, and a copy keeps the input's.
void set_file_type(const Mixture& mixture, const files::Metadata& input, files::Metadata& output) {
  constexpr std::string_view kKey = "general.file_type";
  if (mixture.copies) {
    if (const files::MetaValue* number = input.find(kKey)) output.set(kKey, *number);
  } else if (mixture.file_type() >= 0) {
    output.set(kKey, static_cast<std::uint32_t>(mixture.file_type()));
  }
}

Result<std::vector<files::PlannedPart>> parts_like(const files::GgufFile& file, const files::GgufLayout& layout,
                                                   std::string_view output) {
  constexpr std::string_view kSuffix = ".gguf";
  // "new.gguf", "new" and "new-00001-of-00003.gguf" mean the same set.
  const auto named = files::split_name(output);
  if (named) {
    output = named->prefix;
  } else if (output.size() > kSuffix.size() && output.ends_with(kSuffix)) {
    output.remove_suffix(kSuffix.size());
  }
  std::vector<std::size_t> counts;
  for (const files::GgufPart& part : file.parts()) counts.push_back(part.n_tensors);
  return files::split_layout(layout, counts, output);
}

// A misspelt name would cost a whole run to notice.
Result<void> note_idle_patterns(const TypeWishes& wishes, const std::vector<TensorInfo>& tensors, Progress& progress) {
  for (const TensorType& type : wishes.tensor_types) {
    bool is_used = false;
    for (const TensorInfo& tensor : tensors) {
      TERN_TRY(const bool found, type.pattern.is_in(tensor.name));
      is_used = is_used || (found && !tensor.shape.is_vector());
    }
    if (!is_used) {
      progress.note(fmt::format("warning: --tensor-type {}={} names no matrix of this file",
                                printable(type.pattern.text()), type.format->name));
    }
  }
  return {};
}

// Keys of another model's shape would make a file that nothing opens. One that Tern cannot read before it leaves alone.
Result<void> check_still_fits(const files::GgufFile& file, const files::Metadata& metadata) {
  if (!models::read_model_shape(file, file.metadata())) return {};
  auto after = models::read_model_shape(file, metadata);
  if (after) return {};
  return fail(ErrorCode::usage, "{}: --override-kv would leave a file that cannot be read: {}", file.name(),
              after.error().message);
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
    return files::refuse_weight_transform(options.input + ": metadata key ", *key);
  }
  TERN_TRY_DO(check_copy(options.wishes));
  files::Metadata metadata = file.metadata();
  TERN_TRY_DO(override_metadata(options.overrides, metadata));
  if (!options.overrides.empty()) TERN_TRY_DO(check_still_fits(file, metadata));
  std::vector<TensorInfo> tensors;
  for (const files::GgufTensor& tensor : file.tensors()) {
    if (tensor.format == nullptr) {
      return fail(ErrorCode::unsupported, "{}: tensor {}: {}", options.input, tensor.name, tensor.unsupported_reason);
    }
    tensors.push_back({tensor.name, tensor.shape, tensor.format});
  }
  TERN_TRY(const std::vector<TypeChoice> choices, choose_types(options.wishes, model_facts(metadata), tensors,
                                                               options.keep_split ? Walk::as_given : Walk::by_layer));
  TERN_TRY_DO(note_idle_patterns(options.wishes, tensors, progress));
  FallbackNotes fallbacks;
  for (std::size_t i = 0; i < choices.size(); ++i) {
    const files::GgufTensor& tensor = file.tensors()[i];
    const formats::Format& to = *choices[i].taken;
    if (&to != tensor.format && &to != choices[i].wished)
      fallbacks.add(tensor.name, *choices[i].wished, to, tensor.shape.row_length());
    if (&to != tensor.format && !tensor.format->is_float && !keeps_values(*tensor.format, to) &&
        !options.allow_requantize) {
      return fail(ErrorCode::bad_input,
                  "{}: tensor {} is {} already; rounding it again to {} loses more than rounding the original: begin "
                  "with an F16 or F32 file, or use --allow-requantize",
                  options.input, tensor.name, tensor.format->name, to.name);
    }
    if (choices[i].needs_importance && !plan.not_ready_) {
      plan.not_ready_ = Error{ErrorCode::unsupported,
                              fmt::format("{}: {} leaves tensor {} in {}, which needs an importance matrix, and Tern "
                                          "cannot read one yet; use {}, which does not",
                                          options.input, options.wishes.mixture->name, tensor.name, to.name, to.name)};
    }
    plan.jobs_.push_back(job_for(plan.file_, tensor, to));
    TERN_TRY(const std::uint64_t bytes_to, formats::tensor_bytes(to, tensor.shape));
    plan.choices_.push_back({tensor.name, tensor.shape, tensor.format, &to, tensor.n_bytes, bytes_to});
  }
  fallbacks.tell(progress);
  TERN_TRY(files::GgufLayout layout, plan_layout(std::move(metadata), plan.jobs_));
  set_file_type(*options.wishes.mixture, file.metadata(), layout.metadata);
  TERN_TRY_DO(override_metadata(options.overrides, layout.metadata));
  if (options.keep_split && file.parts().size() > 1) {
    TERN_TRY(plan.parts_, parts_like(file, layout, options.output));
  } else {
    plan.parts_.push_back({options.output, std::move(layout)});
  }
  for (const files::PlannedPart& part : plan.parts_) {
    TERN_TRY(const std::uint64_t n_bytes, part.layout.file_bytes());
    plan.output_bytes_ += n_bytes;
  }
  return plan;
}

std::vector<std::string> QuantizePlan::outputs() const {
  std::vector<std::string> paths;
  for (const files::PlannedPart& part : parts_) paths.push_back(part.path);
  return paths;
}

Result<void> QuantizePlan::ready() const {
  if (not_ready_) return std::unexpected(*not_ready_);
  return {};
}

Result<WriteReport> QuantizePlan::run(const QuantizeOptions& options, Progress& progress) const {
  TERN_TRY_DO(ready());
  auto report = write_gguf_parts(parts_, jobs_, options.write, progress);
  if (!report && report.error().code == ErrorCode::bad_input)
    return in_context(options.input, std::move(report).error());
  if (report) {
    if (const std::string note = ternary_note(*report); !note.empty()) progress.note(note);
  }
  return report;
}

}  // namespace tern::convert
