#include "models/model_shape.hpp"

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/words.hpp"
#include "files/weight_transform.hpp"

namespace tern::models {
namespace {

// The table's rows are the vocabulary; every architecture of the table has one.
Result<std::int64_t> vocabulary_size(const files::GgufFile& file) {
  const files::GgufTensor* table = file.find("token_embd.weight");
  if (table == nullptr) {
    return fail(ErrorCode::bad_input,
                "tensor token_embd.weight is missing: {} (a vocabulary-only file has no weights to run)",
                file.tensors().empty() ? "the file holds no tensors" : "the file holds no embedding table");
  }
  return table->shape.n_rows();
}

Result<void> check_tensors(const ModelShape& model, const files::GgufFile& file) {
  for (const TensorSpec& spec : model.plan.tensors) {
    const files::GgufTensor* tensor = file.find(spec.name);
    if (tensor == nullptr) {
      if (spec.may_be_absent()) continue;
      return fail(ErrorCode::bad_input, "tensor {} is missing (expected {} for architecture {})", spec.name,
                  spec.shape.text(), model.architecture->name);
    }
    if (tensor->shape != spec.shape) {
      return fail(ErrorCode::bad_input, "tensor {} has shape {}, expected {} from the metadata", spec.name,
                  tensor->shape.text(), spec.shape.text());
    }
  }
  return {};
}

// A tensor that the plan does not read belongs to a model of another shape: leaving it out would compute nonsense.
Result<void> refuse_unread(const ModelShape& model, const files::GgufFile& file) {
  std::set<std::string_view> read;
  for (const TensorSpec& spec : model.plan.tensors) read.insert(spec.name);
  if (model.parameters.pooling != Pooling::none) read.insert("output.weight");  // a head that pooling leaves aside
  std::vector<std::string> unread;
  for (const files::GgufTensor& tensor : file.tensors()) {
    if (!read.contains(tensor.name)) unread.push_back(printable(tensor.name, 80));
  }
  if (unread.empty()) return {};
  return fail(ErrorCode::unsupported, "tensor {}{} means nothing to architecture {}: this model is of another shape",
              unread.front(), unread.size() > 1 ? fmt::format(" (and {} more)", unread.size() - 1) : "",
              model.architecture->name);
}

}  // namespace

Result<ModelShape> read_model_shape(const files::GgufFile& file, const files::Metadata& metadata,
                                    ArchitectureList architectures, std::optional<Pooling> pooling) {
  if (const auto key = files::weight_transform_key(metadata)) {
    return files::refuse_weight_transform("metadata key ", *key);
  }
  TERN_TRY(const auto architecture, metadata.optional_string("general.architecture"));
  if (architecture.value_or("").empty()) {
    return fail(ErrorCode::bad_input,
                "metadata key general.architecture is missing: this GGUF file does not say what model it holds");
  }
  ModelShape model;
  TERN_TRY(model.architecture, by_name(*architecture, architectures));
  TERN_TRY(const std::int64_t n_vocab, vocabulary_size(file));
  HyperParameters defaults = model.architecture->defaults();
  defaults.architecture = std::string(model.architecture->name);
  const TensorFacts facts{.n_vocab = n_vocab, .input_norms = file.find("blk.0.attn_q_norm_in.weight") != nullptr};
  TERN_TRY(model.parameters, read_hyper_parameters(metadata, facts, defaults));
  if (pooling) model.parameters.pooling = *pooling;
  // A plan is a few dozen steps a layer; a file whose list of tensors is shorter than its layers cannot be right, and
  // need not make us build the plan first.
  if (static_cast<std::uint64_t>(model.parameters.n_layers) > file.tensors().size()) {
    return fail(ErrorCode::bad_input, "{} layers are stated but the file holds only {} tensors",
                model.parameters.n_layers, file.tensors().size());
  }
  model.plan = model.architecture->plan(model.parameters);
  TERN_TRY_DO(check_tensors(model, file));
  TERN_TRY_DO(refuse_unread(model, file));
  return model;
}

}  // namespace tern::models
