// Hugging Face checkpoints: the classes that an architecture lists, float or in BitNet's published spellings (bf16
// masters; packed with a scale that multiplies; packed with a scale that divides). What kind of file a tensor lies in
// is not known here.
#include <algorithm>
#include <set>

#include "base/words.hpp"
#include "convert/row_order.hpp"
#include "convert/sentence_transformers.hpp"
#include "convert/source.hpp"
#include "convert/source_names.hpp"
#include "convert/ternary_rows.hpp"
#include "files/checkpoint.hpp"
#include "formats/all.hpp"
#include "sys/mapped_file.hpp"

namespace tern::convert {
namespace {

using models::BitNetStorage;
using models::TensorName;
using models::TensorRole;

struct Found {
  const files::StoredTensor* tensor = nullptr;
  TensorName::Rows rows = TensorName::Rows::as_stored;
  float plus = 0.0F;
  std::string first_name;  // what was looked for, for the error
};

Found find_source(const models::Architecture& architecture, const files::Checkpoint& checkpoint,
                  std::string_view gguf_name) {
  Found found;
  for (const SourceName& known : source_names(architecture, gguf_name)) {
    if (known.line->hugging_face.empty()) continue;
    const std::string name = known.hugging_face();
    if (found.first_name.empty()) found.first_name = name;
    for (const std::string& spelling : spellings(name)) {
      if (const files::StoredTensor* tensor = checkpoint.find(spelling)) {
        return {tensor, known.line->rows, known.line->plus, found.first_name};
      }
    }
  }
  return found;
}

const formats::Format* natural_format(files::Dtype dtype) {
  if (dtype == files::Dtype::f16) return &formats::kF16;
  if (dtype == files::Dtype::bf16) return &formats::kBF16;
  return &formats::kF32;
}

Result<float> packed_scale(const files::Checkpoint& checkpoint, const files::StoredTensor& packed,
                           BitNetStorage storage) {
  const std::string name = packed.name + "_scale";
  const files::StoredTensor* tensor = checkpoint.find(name);
  if (tensor == nullptr) return fail(ErrorCode::bad_input, "{} is packed, but its {} is missing", packed.name, name);
  if (tensor->n_elements() != 1) {
    return fail(ErrorCode::bad_input, "{} has shape {}, expected one number", name, tensor->shape_text());
  }
  float scale = 0.0F;
  TERN_TRY_DO(files::rows_to_f32(*tensor, 0, 1, {&scale, 1}));
  const float multiplier = storage == BitNetStorage::packed_divide ? 1.0F / scale : scale;
  if (!(multiplier > 0.0F) || multiplier > 3.4e38F)
    return fail(ErrorCode::bad_input, "{} is {}, expected a positive number", name, scale);
  return multiplier;
}

// BitNet-trained embedding models say so by their tensors alone: a norm inside every projection.
bool has_input_norms(const files::Checkpoint& checkpoint) {
  return std::ranges::any_of(spellings("model.layers.0.self_attn.q_proj.norm.weight"),
                             [&](const std::string& name) { return checkpoint.find(name) != nullptr; });
}

// The checkpoint with what reading its tensors needs.
struct Opened {
  models::HfConfig config;
  files::Checkpoint checkpoint;
};

class Builder {
 public:
  explicit Builder(std::shared_ptr<const Opened> opened) : opened_(std::move(opened)) {}

  Result<Source> build(const std::string& path) {
    const models::HfConfig& config = opened_->config;
    TERN_TRY(source_.architecture, models::for_config(config));
    source_.parameters = config.parameters;
    source_.parameters.architecture = std::string(source_.architecture->name);
    if (config.storage == BitNetStorage::none &&
        source_.architecture->defaults().linear_activation != models::ActivationPolicy{}) {
      source_.parameters.linear_activation = source_.architecture->defaults().linear_activation;
    }
    source_.name = folder_name(path);
    source_.keep_open = opened_;
    source_.notes = opened_->checkpoint.notes();
    const models::Plan plan = source_.architecture->plan(source_.parameters);
    for (const models::TensorSpec& spec : plan.tensors) {
      TERN_TRY_DO(add(spec));
    }
    TERN_TRY_DO(add_rope_factors(plan));
    list_unknown();
    return std::move(source_);
  }

 private:
  static std::string folder_name(std::string path) {
    while (path.size() > 1 && path.ends_with('/')) path.pop_back();
    const auto slash = path.rfind('/');
    return slash == std::string::npos ? path : path.substr(slash + 1);
  }

  Result<void> add(const models::TensorSpec& spec) {
    const files::Checkpoint& checkpoint = opened_->checkpoint;
    const Found found = find_source(*source_.architecture, checkpoint, spec.name);
    if (found.tensor != nullptr) used_.insert(found.tensor->name);
    if (spec.role == TensorRole::head && opened_->config.tied_embeddings) {
      if (found.tensor == nullptr) return {};
      TERN_TRY(const bool is_copy, equals_embedding(*found.tensor));
      if (is_copy) return {};
      // As the library that wrote it loads it: two tables that differ are two tables.
      source_.notes.push_back(
          fmt::format("{} differs from the embedding although tie_word_embeddings is true: it is kept as the head",
                      found.tensor->name));
    }
    if (found.tensor == nullptr) {
      if (spec.optional && spec.role != TensorRole::head) return {};
      if (spec.role == TensorRole::head) {
        source_.notes.emplace_back(
            "no lm_head.weight although tie_word_embeddings is false: the embedding table serves as head");
        return {};
      }
      return fail(ErrorCode::bad_input, "tensor {} is missing (for {})",
                  found.first_name.empty() ? spec.name : found.first_name, spec.name);
    }
    const files::StoredTensor& tensor = *found.tensor;
    const bool is_packed = tensor.dtype == files::Dtype::u8 && spec.role == TensorRole::linear;
    TERN_TRY_DO(check_shape(tensor, spec, is_packed));
    SourceTensor out{.name = spec.name,
                     .shape = spec.shape,
                     .role = spec.role,
                     .natural = natural_format(tensor.dtype),
                     .read = {},
                     .source_name = tensor.name,
                     .source_type = files::dtype_name(tensor.dtype)};
    if (found.rows != TensorName::Rows::as_stored) out.transform = "rows reordered";
    if (is_packed) {
      TERN_TRY_DO(add_packed(tensor, found.rows, out));
    } else if (spec.role == TensorRole::linear && opened_->config.storage == BitNetStorage::online_masters) {
      TERN_TRY_DO(add_masters(tensor, found.rows, out));
    } else if (spec.shape.is_vector()) {
      out.natural = &formats::kF32;
      out.read = vector_reader(tensor, found);
      if (found.plus != 0.0F) out.transform = found.plus == 1.0F ? "+ 1" : "shifted";
    } else {
      out.read = row_reader(tensor, found.rows, [&tensor](std::int64_t row, std::span<float> values) {
        return files::rows_to_f32(tensor, row, 1, values);
      });
    }
    source_.tensors.push_back(std::move(out));
    return {};
  }

  Result<bool> equals_embedding(const files::StoredTensor& head) const {
    const files::StoredTensor* table =
        find_source(*source_.architecture, opened_->checkpoint, "token_embd.weight").tensor;
    if (table == nullptr || table->shape != head.shape || table->shape.size() != 2) return false;
    const auto k = static_cast<std::size_t>(head.row_length());
    std::vector<float> a(k);
    std::vector<float> b(k);
    for (std::int64_t row = 0; row < head.shape[0]; ++row) {
      TERN_TRY_DO(files::rows_to_f32(head, row, 1, a));
      TERN_TRY_DO(files::rows_to_f32(*table, row, 1, b));
      if (a != b) return false;
    }
    return true;
  }

  Result<void> add_packed(const files::StoredTensor& tensor, TensorName::Rows rows, SourceTensor& out) {
    const BitNetStorage storage = opened_->config.storage;
    if (storage != BitNetStorage::packed_multiply && storage != BitNetStorage::packed_divide) {
      return fail(ErrorCode::bad_input,
                  "{} is packed uint8, but config.json has no quantization_config of method bitnet in offline mode",
                  tensor.name);
    }
    used_.insert(tensor.name + "_scale");
    TERN_TRY(const float scale, packed_scale(opened_->checkpoint, tensor, storage));
    out.natural = &formats::kI2_S;
    out.is_ternary = true;
    out.transform = rows == TensorName::Rows::as_stored ? "unpacked" : "unpacked, rows reordered";
    out.read = row_reader(tensor, rows, [&tensor, scale](std::int64_t row, std::span<float> values) {
      return unpack_ternary_row(tensor, row, scale, values);
    });
    return {};
  }

  Result<void> add_masters(const files::StoredTensor& tensor, TensorName::Rows rows, SourceTensor& out) {
    out.natural = &formats::kI2_S;
    out.is_ternary = true;
    out.transform = rows == TensorName::Rows::as_stored ? "ternarised" : "ternarised, rows reordered";
    // The scale is found when the tensor is first read: opening a source must not read all of it.
    auto scale = std::make_shared<std::optional<float>>();
    out.read = row_reader(tensor, rows, [&tensor, scale](std::int64_t row, std::span<float> values) -> Result<void> {
      if (!*scale) {
        TERN_TRY(*scale, absmean(tensor));
      }
      TERN_TRY_DO(files::rows_to_f32(tensor, row, 1, values));
      ternarise(values, **scale);
      return {};
    });
    return {};
  }

  static Result<void> check_shape(const files::StoredTensor& tensor, const models::TensorSpec& spec, bool is_packed) {
    if (is_packed) {
      const std::vector<std::int64_t> expected{spec.shape.n_rows() / 4, spec.shape.row_length()};
      if (spec.shape.n_rows() % 4 == 0 && tensor.shape == expected) return {};
      return fail(ErrorCode::bad_input, "{} has shape {}, expected [{}, {}] (four rows to a byte) from config.json",
                  tensor.name, tensor.shape_text(), expected[0], expected[1]);
    }
    auto shape = tensor.gguf_shape();
    if (!shape) return in_context(tensor.name, std::move(shape).error());
    if (*shape == spec.shape && shape->n_dims == spec.shape.n_dims) return {};
    return fail(ErrorCode::bad_input, "{} has shape {}, expected [{}{}] from config.json", tensor.name,
                tensor.shape_text(), spec.shape.is_vector() ? "" : fmt::format("{}, ", spec.shape.n_rows()),
                spec.shape.row_length());
  }

  using OneRow = std::function<Result<void>(std::int64_t row, std::span<float> values)>;

  quant::RowReader row_reader(const files::StoredTensor& tensor, TensorName::Rows order, OneRow read) const {
    const std::int64_t head_dim = source_.parameters.head_dim;
    const std::int64_t k = tensor.row_length();
    return [opened = opened_, &tensor, order, head_dim, k, read = std::move(read)](
               std::int64_t first, std::int64_t n_rows, std::span<float> out) -> Result<void> {
      for (std::int64_t r = 0; r < n_rows; ++r) {
        TERN_TRY_DO(read(source_row(order, first + r, head_dim),
                         out.subspan(static_cast<std::size_t>(r * k), static_cast<std::size_t>(k))));
      }
      opened->checkpoint.release(tensor);
      return {};
    };
  }

  // A vector is one row; where rows are reordered (a bias of q or k) its elements are.
  quant::RowReader vector_reader(const files::StoredTensor& tensor, const Found& found) const {
    const std::int64_t head_dim = source_.parameters.head_dim;
    return [opened = opened_, &tensor, order = found.rows, plus = found.plus, head_dim](
               std::int64_t, std::int64_t, std::span<float> out) -> Result<void> {
      TERN_TRY(const std::vector<float> values, files::to_f32(tensor));
      for (std::size_t i = 0; i < out.size(); ++i) {
        out[i] = values[static_cast<std::size_t>(source_row(order, static_cast<std::int64_t>(i), head_dim))] + plus;
      }
      return {};
    };
  }

  // GGUF keeps LLaMA-3's rope scaling as divisors of the frequencies, so that readers need not know the rule.
  Result<void> add_rope_factors(const models::Plan& plan) {
    const std::optional<models::Llama3Rope>& rule = opened_->config.llama3_rope;
    if (!rule) return {};
    const auto spec = std::ranges::find(plan.tensors, TensorRole::rope_factors, &models::TensorSpec::role);
    if (spec == plan.tensors.end()) {
      return fail(ErrorCode::unsupported, "llama3 rope scaling is not supported for architecture {}",
                  source_.architecture->name);
    }
    const models::HyperParameters& p = source_.parameters;
    std::vector<float> factors = models::llama3_rope_factors(*rule, p.n_rotary, p.rope_base);
    source_.tensors.push_back(
        {.name = spec->name,
         .shape = spec->shape,
         .role = spec->role,
         .natural = &formats::kF32,
         .read = [factors = std::move(factors)](std::int64_t, std::int64_t, std::span<float> values) -> Result<void> {
           std::ranges::copy(factors, values.begin());
           return {};
         },
         .source_name = "config.json",
         .source_type = "F32",
         .transform = "from rope_scaling"});
    return {};
  }

  // A tensor nobody asked for means another model than the plan describes; what to do about it is the caller's.
  void list_unknown() {
    std::vector<std::string_view> derived;
    std::size_t n_pictures = 0;
    for (const files::StoredTensor* tensor : opened_->checkpoint.tensors()) {
      if (used_.contains(tensor->name)) continue;
      // An embedding model's plan has no head to read it.
      const bool is_unread_head =
          source_.parameters.pooling != models::Pooling::none && tensor->name.ends_with("lm_head.weight");
      if (is_derived_buffer(*tensor)) {
        derived.push_back(tensor->name);
      } else if (is_of_pictures(tensor->name)) {
        ++n_pictures;
      } else if (!is_unread_head) {
        source_.unknown.push_back({tensor->name, tensor->shape_text(), files::dtype_name(tensor->dtype)});
      }
    }
    if (n_pictures > 0) {
      source_.notes.push_back(fmt::format("{} tensors that see pictures: left out, the result reads text", n_pictures));
    }
    if (derived.empty()) return;
    source_.notes.push_back(
        fmt::format("left out, as config.json says the same: {}{}", printable(derived.front(), 120),
                    derived.size() > 1 ? fmt::format(" and {} more tensors", derived.size() - 1) : ""));
  }

  std::shared_ptr<const Opened> opened_;
  Source source_;
  std::set<std::string, std::less<>> used_;
};

}  // namespace

Result<Source> open_hugging_face(const std::string& path) {
  TERN_TRY(files::Checkpoint checkpoint, files::Checkpoint::open(path));
  const std::string config_path = checkpoint.folder() + "/config.json";
  if (!sys::exists(config_path)) {
    const bool is_metas = sys::exists(checkpoint.folder() + "/params.json");
    return fail(ErrorCode::not_found, "{}: there is no config.json beside the weights{}", path,
                is_metas ? ", but Meta's params.json: Tern reads the Hugging Face layout of such models" : "");
  }
  TERN_TRY(const sys::MappedFile file, sys::MappedFile::open(config_path));
  auto config = models::read_hf_config(file.bytes());
  if (!config) return in_context(checkpoint.folder(), std::move(config).error());
  TERN_TRY(config->parameters.pooling, read_pooling(checkpoint.folder()));
  if (has_input_norms(checkpoint)) {
    config->parameters.input_norms = true;
    config->parameters.linear_activation = {models::ActivationPolicy::Mode::per_token, 8};
    if (config->storage == BitNetStorage::none) config->storage = BitNetStorage::online_masters;
  }
  auto opened = std::make_shared<const Opened>(Opened{std::move(*config), std::move(checkpoint)});
  auto source = Builder(opened).build(opened->checkpoint.folder());
  if (!source) return in_context(opened->checkpoint.folder(), std::move(source).error());
  return source;
}

}  // namespace tern::convert
