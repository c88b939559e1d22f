#include "convert/export_tensors.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <utility>

#include "convert/export_masters.hpp"
#include "convert/export_rows.hpp"
#include "convert/export_ternary.hpp"
#include "convert/source_names.hpp"

namespace tern::convert {
namespace {

using files::Dtype;
using models::BitNetStorage;
using models::TensorRole;

// The first line of the table that names it: the others are spellings that are read only.
Result<SourceName> name_of(const Source& source, const SourceTensor& tensor) {
  for (SourceName& known : source_names(*source.architecture, tensor.name)) {
    if (!known.line->hugging_face.empty()) return std::move(known);
  }
  return fail(ErrorCode::unsupported,
              "tensor {} has no place in a Hugging Face checkpoint of architecture {}; export to GGUF instead",
              tensor.name, source.architecture->name);
}

ExportTensor scale_tensor(const std::string& name, BitNetStorage storage, float scale) {
  return {.stored = {name + "_scale", Dtype::f32, {1}},
          .write = [stored = stored_scale(storage, scale)](const quant::ByteSink& sink) {
            return sink(std::as_bytes(std::span(&stored, 1)));
          }};
}

class Collector {
 public:
  Collector(const Source& source, BitNetStorage storage, Dtype dtype)
      : source_(source), storage_(storage), dtype_(dtype) {}

  Result<void> add(const SourceTensor& tensor) {
    if (tensor.role == TensorRole::rope_factors) return {};  // config.json has the rule
    if (const std::string inner = inner_norm_name(*source_.architecture, tensor.name); !inner.empty()) {
      add_floats(inner, tensor, tensor.read, {.dtype = dtype_});
      return {};
    }
    TERN_TRY(const SourceName name, name_of(source_, tensor));
    const std::string stored = name.hugging_face();
    const StoredForm form{
        .dtype = dtype_, .rows = name.line->rows, .head_dim = source_.parameters.head_dim, .plus = name.line->plus};
    if (tensor.role != TensorRole::linear || storage_ == BitNetStorage::none) {
      add_floats(stored, tensor, tensor.read, form);
      return {};
    }
    if (storage_ == BitNetStorage::online_masters) return add_masters(stored, tensor, form);
    return add_packed(stored, tensor, form);
  }

  ExportTensors take() {
    std::map<std::string, std::size_t, std::less<>> places;
    std::vector<files::SafetensorsTensor> order;
    for (std::size_t i = 0; i < out_.tensors.size(); ++i) {
      places.emplace(out_.tensors[i].stored.name, i);
      order.push_back(out_.tensors[i].stored);
    }
    files::sort_as_reference(order);
    std::vector<ExportTensor> sorted;
    for (const files::SafetensorsTensor& tensor : order)
      sorted.push_back(std::move(out_.tensors[places.find(tensor.name)->second]));
    out_.tensors = std::move(sorted);
    return std::move(out_);
  }

 private:
  void add_floats(const std::string& name, const SourceTensor& tensor, quant::RowReader read, const StoredForm& form) {
    std::vector<std::int64_t> shape{tensor.shape.row_length()};
    if (!tensor.shape.is_vector()) shape.insert(shape.begin(), tensor.shape.n_rows());
    out_.tensors.push_back({.stored = {name, dtype_, std::move(shape)},
                            .write = [name, &tensor, read = std::move(read), form](const quant::ByteSink& sink) {
                              return write_float_rows(name, tensor.shape, read, form, sink);
                            }});
  }

  Result<void> add_masters(const std::string& name, const SourceTensor& tensor, const StoredForm& form) {
    TERN_TRY(const MastersFit fit, fit_masters(tensor, dtype_));
    if (!fit.as_they_are) ++out_.n_fitted;
    out_.n_moved += fit.n_moved;
    out_.largest_factor = std::max(out_.largest_factor, std::abs(fit.factor - 1.0));
    out_.largest_scale_error = std::max(out_.largest_scale_error, std::abs(fit.scale_error));
    add_floats(name, tensor, fitted_masters(tensor, fit, dtype_), form);
    return {};
  }

  Result<void> add_packed(const std::string& name, const SourceTensor& tensor, const StoredForm& form) {
    TERN_TRY(const float scale, ternary_scale(tensor));
    TERN_TRY_DO(check_packs(tensor));
    out_.tensors.push_back(scale_tensor(name, storage_, scale));
    out_.tensors.push_back({.stored = {name, Dtype::u8, {tensor.shape.n_rows() / 4, tensor.shape.row_length()}},
                            .write = [&tensor, form](const quant::ByteSink& sink) {
                              return write_packed_rows(tensor, form.rows, form.head_dim, sink);
                            }});
    return {};
  }

  const Source& source_;
  BitNetStorage storage_;
  Dtype dtype_;
  ExportTensors out_;
};

}  // namespace

Result<ExportTensors> export_tensors(const Source& source, BitNetStorage storage, Dtype dtype,
                                     const std::function<bool(std::string_view name)>& advance) {
  Collector collector(source, storage, dtype);
  for (const SourceTensor& tensor : source.tensors) {
    if (!advance(tensor.name)) return fail(ErrorCode::cancelled, "stopped before anything was written");
    TERN_TRY_DO(collector.add(tensor));
  }
  return collector.take();
}

}  // namespace tern::convert
