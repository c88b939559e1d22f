#include "models/model_file.hpp"

#include <algorithm>
#include <set>

#include "base/words.hpp"

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

}  // namespace

Result<ModelFile> ModelFile::open(const std::string& path, ArchitectureList architectures,
                                  std::optional<Pooling> pooling) {
  TERN_TRY(files::GgufFile file, files::GgufFile::open(path));
  return bind(std::move(file), architectures, pooling);
}

Result<ModelFile> ModelFile::bind(files::GgufFile file, ArchitectureList architectures,
                                  std::optional<Pooling> pooling) {
  const std::string name = file.name();
  ModelFile model;
  const auto bound = [&]() -> Result<void> {
    if (const auto key = files::weight_transform_key(file.metadata())) {
      return fail(ErrorCode::unsupported,
                  "metadata key {} says that the weights are transformed (rotated); Tern does not undo that yet", *key);
    }
    if (file.architecture().empty()) {
      return fail(ErrorCode::bad_input,
                  "metadata key general.architecture is missing: this GGUF file does not say what model it holds");
    }
    TERN_TRY(model.architecture_, by_name(file.architecture(), architectures));
    TERN_TRY(const std::int64_t n_vocab, vocabulary_size(file));
    HyperParameters defaults = model.architecture_->defaults();
    defaults.architecture = std::string(model.architecture_->name);
    const TensorFacts facts{.n_vocab = n_vocab, .input_norms = file.find("blk.0.attn_q_norm_in.weight") != nullptr};
    TERN_TRY(model.parameters_, read_hyper_parameters(file.metadata(), facts, defaults));
    if (pooling) model.parameters_.pooling = *pooling;
    // A plan is a few dozen steps a layer; a file whose list of tensors is shorter than its layers cannot be right, and
    // need not make us build the plan first.
    if (static_cast<std::uint64_t>(model.parameters_.n_layers) > file.tensors().size()) {
      return fail(ErrorCode::bad_input, "{} layers are stated but the file holds only {} tensors",
                  model.parameters_.n_layers, file.tensors().size());
    }
    model.plan_ = model.architecture_->plan(model.parameters_);
    model.file_ = std::make_shared<const files::GgufFile>(std::move(file));
    return model.bind_tensors();
  }();
  if (!bound) return in_context(name, bound.error());
  return model;
}

Result<void> ModelFile::bind_tensors() {
  views_.assign(plan_.tensors.size(), TensorView{});
  for (std::size_t i = 0; i < plan_.tensors.size(); ++i) {
    const TensorSpec& spec = plan_.tensors[i];
    const files::GgufTensor* tensor = file_->find(spec.name);
    if (tensor == nullptr) {
      if (spec.fallback != kNone) {
        views_[i] = views_[static_cast<std::size_t>(spec.fallback)];
      } else if (!spec.optional) {
        return fail(ErrorCode::bad_input, "tensor {} is missing (expected {} for architecture {})", spec.name,
                    spec.shape.text(), architecture_->name);
      }
      continue;
    }
    if (tensor->shape != spec.shape) {
      return fail(ErrorCode::bad_input, "tensor {} has shape {}, expected {} from the metadata", spec.name,
                  tensor->shape.text(), spec.shape.text());
    }
    if (tensor->format == nullptr)
      return fail(ErrorCode::unsupported, "tensor {}: {}", spec.name, tensor->unsupported_reason);
    if (spec.shape.is_vector() && !tensor->format->is_float) {
      return fail(ErrorCode::bad_input, "tensor {} is a vector in {}, expected F32, F16 or BF16", spec.name,
                  tensor->format->name);
    }
    views_[i] = file_->view(*tensor);
    // Small, and its NaN would be everywhere: check a tensor's own scale and every vector at once.
    auto scale = formats::read_tensor_scale(*tensor->format, tensor->shape, views_[i].bytes);
    if (!scale) return in_context(spec.name, std::move(scale).error());
    if (spec.shape.is_vector() && !tensor->format->valid_row(views_[i].bytes.data(), spec.shape.row_length())) {
      return fail(ErrorCode::bad_input, "tensor {} holds NaN or infinity", spec.name);
    }
  }
  return refuse_unread();
}

// A tensor that the plan does not read belongs to a model of another shape: leaving it out would compute nonsense.
Result<void> ModelFile::refuse_unread() const {
  std::set<std::string_view> read;
  for (const TensorSpec& spec : plan_.tensors) read.insert(spec.name);
  if (parameters_.pooling != Pooling::none) read.insert("output.weight");  // a head that pooling leaves aside
  std::vector<std::string> unread;
  for (const files::GgufTensor& tensor : file_->tensors()) {
    if (!read.contains(tensor.name)) unread.push_back(printable(tensor.name, 80));
  }
  if (unread.empty()) return {};
  return fail(ErrorCode::unsupported, "tensor {}{} means nothing to architecture {}: this model is of another shape",
              unread.front(), unread.size() > 1 ? fmt::format(" (and {} more)", unread.size() - 1) : "",
              architecture_->name);
}

const TensorView* ModelFile::tensor(TensorId id) const {
  if (id == kNone) return nullptr;
  const TensorView& view = views_[static_cast<std::size_t>(id)];
  return view.format == nullptr ? nullptr : &view;
}

const TensorView* ModelFile::tensor(std::string_view name) const {
  const auto found = std::ranges::find(plan_.tensors, name, &TensorSpec::name);
  return found == plan_.tensors.end() ? nullptr : tensor(static_cast<TensorId>(found - plan_.tensors.begin()));
}

bool ModelFile::is_tied() const {
  const TensorView* head = tensor("output.weight");
  return head != nullptr && head->name != "output.weight";
}

std::uint64_t ModelFile::weight_bytes() const {
  std::uint64_t total = 0;
  for (std::size_t i = 0; i < views_.size(); ++i) {
    if (views_[i].format != nullptr && views_[i].name == plan_.tensors[i].name) total += views_[i].bytes.size();
  }
  return total;
}

Result<void> ModelFile::replace(std::string_view name, const formats::Format& format,
                                std::shared_ptr<AlignedBuffer> bytes) {
  bool found = false;
  for (TensorView& view : views_) {
    if (view.format == nullptr || view.name != name) continue;
    TERN_TRY(const std::uint64_t n_bytes, formats::tensor_bytes(format, view.shape));
    TERN_CHECK(bytes->size() == n_bytes);
    view.format = &format;
    view.bytes = bytes->bytes();
    found = true;
  }
  if (!found) return fail(ErrorCode::not_found, "no tensor {} in this model", name);
  replaced_.push_back(std::move(bytes));
  return {};
}

}  // namespace tern::models
