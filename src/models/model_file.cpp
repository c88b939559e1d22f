#include "models/model_file.hpp"

#include <algorithm>
#include <utility>

#include "models/model_shape.hpp"

namespace tern::models {
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
    TERN_TRY(ModelShape shape, read_model_shape(file, file.metadata(), architectures, pooling));
    model.architecture_ = shape.architecture;
    model.parameters_ = std::move(shape.parameters);
    model.plan_ = std::move(shape.plan);
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
      }
      continue;
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
  return {};
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
