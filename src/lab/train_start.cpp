#include "lab/train_start.hpp"

#include <algorithm>

#include "convert/source.hpp"
#include "files/kind.hpp"
#include "formats/format.hpp"
#include "models/model_file.hpp"
#include "sys/path.hpp"
#include "train/run/checkpoint.hpp"

namespace tern::lab {
namespace {

/// Reads the rows of a tensor by name; an empty reader where there is none.
using Rows = std::function<Result<void>(std::span<float> out)>;
using FindRows = std::function<Rows(std::string_view name)>;

Result<void> fill(train::Parameters& parameters, const FindRows& find) {
  for (const auto& parameter : parameters.all()) {
    const Rows rows = find(parameter->name);
    if (!rows) continue;  // a learned step: it starts from the masters
    TERN_TRY_DO(rows(parameter->master.span()));
    // A factor on a linear step's output is no parameter of training: it goes into the matrix.
    if (const Rows scale = find(models::name_beside(parameter->name, "scale"))) {
      float factor = 1.0F;
      TERN_TRY_DO(scale(std::span(&factor, 1)));
      for (float& value : parameter->master.span()) value *= factor;
    }
  }
  return {};
}

/// Of the plan's tensors that may be absent, those the model has; scales are folded.
std::vector<std::string> optional_tensors(const models::Plan& plan, const std::function<bool(std::string_view)>& has) {
  std::vector<std::string> names;
  for (const models::TensorSpec& spec : plan.tensors) {
    if (spec.may_be_absent() && spec.role != models::TensorRole::scale && has(spec.name)) names.push_back(spec.name);
  }
  return names;
}

Result<train::StartingModel> from_gguf(const std::string& path) {
  TERN_TRY(models::ModelFile opened, models::ModelFile::open(path));
  const auto file = std::make_shared<const models::ModelFile>(std::move(opened));
  train::StartingModel start;
  start.parameters = file->parameters();
  start.tensors =
      optional_tensors(file->plan(), [&](std::string_view name) { return file->file().find(name) != nullptr; });
  start.fill = [file](train::Parameters& parameters) {
    return fill(parameters, [file](std::string_view name) -> Rows {
      const files::GgufTensor* stored = file->file().find(name);
      const TensorView* view = stored == nullptr ? nullptr : file->tensor(name);
      if (view == nullptr) return {};
      return [view](std::span<float> out) {
        return formats::decode_rows(*view->format, view->shape, view->bytes, 0, view->shape.n_rows(), out);
      };
    });
  };
  return start;
}

/// The folder of a run, or one of its checkpoints.
Result<train::StartingModel> from_run(const std::string& path, Progress& progress) {
  TERN_TRY(train::SavedRun opened, train::open_run(path, progress));
  const auto saved = std::make_shared<const train::SavedRun>(std::move(opened));
  train::StartingModel start;
  start.parameters = saved->state().model;
  start.tensors = saved->state().optional_tensors;
  start.fill = [saved](train::Parameters& parameters) {
    return fill(parameters, [saved](std::string_view name) -> Rows {
      const files::StoredTensor* stored = saved->master(name);
      if (stored == nullptr) return {};
      return [stored](std::span<float> out) { return files::rows_to_f32(*stored, 0, stored->n_rows(), out); };
    });
  };
  return start;
}

Result<train::StartingModel> from_source(const std::string& path, Progress& progress) {
  TERN_TRY(convert::Source opened, convert::open_source(path));
  for (const std::string& note : opened.notes) progress.note(note);
  if (!opened.unknown.empty()) {
    return fail(ErrorCode::unsupported, "{}: tensor {} means nothing to architecture {}", path,
                opened.unknown.front().name, opened.architecture->name);
  }
  const auto source = std::make_shared<const convert::Source>(std::move(opened));
  const auto find = [source](std::string_view name) {
    return std::ranges::find(source->tensors, name, &convert::SourceTensor::name);
  };
  train::StartingModel start;
  start.parameters = source->parameters;
  start.tensors = optional_tensors(source->architecture->plan(source->parameters),
                                   [&](std::string_view name) { return find(name) != source->tensors.end(); });
  start.fill = [source, find](train::Parameters& parameters) {
    return fill(parameters, [source, find](std::string_view name) -> Rows {
      const auto tensor = find(name);
      if (tensor == source->tensors.end()) return {};
      // Of a ternary checkpoint that has its masters, they are what training goes on with.
      const quant::RowReader& read = tensor->masters ? tensor->masters : tensor->read;
      return [&read, n_rows = tensor->shape.n_rows()](std::span<float> out) { return read(0, n_rows, out); };
    });
  };
  return start;
}

}  // namespace

Result<train::StartingModel> starting_model(const std::string& path, Progress& progress) {
  Result<train::StartingModel> start = [&]() -> Result<train::StartingModel> {
    if (train::is_checkpoint_name(sys::file_name_of(path))) return from_run(path, progress);
    if (sys::is_directory(path) && !train::CheckpointFolder(path).list().empty()) return from_run(path, progress);
    TERN_TRY(const files::KindOfPath found, files::detect_kind(path));
    return found.kind == files::FileKind::gguf ? from_gguf(path) : from_source(path, progress);
  }();
  if (start && start->parameters.pooling != models::Pooling::none) {
    return fail(ErrorCode::unsupported, "{}: is an embedding model; Tern trains models that predict the next token",
                path);
  }
  return start;
}

}  // namespace tern::lab
