// Hugging Face checkpoints: the classes that an architecture lists, float or in BitNet's published spellings (bf16
// masters; packed with a scale that multiplies; packed with a scale that divides). Here each tensor of the plan finds
// its tensor in the checkpoint; how values are read, and what becomes of tensors that nobody asked for, have files of
// their own. What kind of file a tensor lies in is not known.
#include <algorithm>
#include <filesystem>
#include <set>

#include "convert/checkpoint_rows.hpp"
#include "convert/sentence_transformers.hpp"
#include "convert/source.hpp"
#include "convert/source_names.hpp"
#include "convert/ternary_rows.hpp"
#include "convert/unread_tensors.hpp"
#include "files/checkpoint.hpp"
#include "formats/all.hpp"
#include "sys/mapped_file.hpp"
#include "sys/path.hpp"

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
  if (const std::string inner = inner_norm_name(architecture, gguf_name); !inner.empty()) {
    for (const std::string& spelling : spellings(inner)) {
      if (const files::StoredTensor* tensor = checkpoint.find(spelling)) found.tensor = tensor;
    }
    if (found.first_name.empty()) found.first_name = inner;
  }
  return found;
}

const formats::Format* natural_format(files::Dtype dtype) {
  if (dtype == files::Dtype::f16) return &formats::kF16;
  if (dtype == files::Dtype::bf16) return &formats::kBF16;
  return &formats::kF32;
}

// BitNet-trained embedding models say so by their tensors alone: a norm inside every projection.
bool has_input_norms(const files::Checkpoint& checkpoint) {
  return std::ranges::any_of(spellings("model.layers.0.self_attn.q_proj.norm.weight"),
                             [&](const std::string& name) { return checkpoint.find(name) != nullptr; });
}

// Of "." and ".." too, by which a folder is often named from inside.
std::string folder_name(const std::string& folder) {
  std::string name = sys::file_name_of(folder);
  if (name == "." || name == "..") {
    std::error_code ignored;
    name = std::filesystem::weakly_canonical(folder, ignored).filename().string();
  }
  return name.empty() ? folder : name;
}

class Builder {
 public:
  Builder(models::HfConfig config, std::shared_ptr<const files::Checkpoint> checkpoint)
      : config_(std::move(config)), checkpoint_(std::move(checkpoint)) {}

  Result<Source> build() {
    TERN_TRY(source_.architecture, models::for_config(config_));
    source_.parameters = config_.parameters;
    source_.llama3_rope = config_.llama3_rope;
    source_.parameters.architecture = std::string(source_.architecture->name);
    if (config_.storage == BitNetStorage::none &&
        source_.architecture->defaults().linear_activation != models::ActivationPolicy{}) {
      source_.parameters.linear_activation = source_.architecture->defaults().linear_activation;
    }
    source_.name = folder_name(checkpoint_->folder());
    source_.keep_open = checkpoint_;
    source_.notes = checkpoint_->notes();
    const models::Plan plan = source_.architecture->plan(source_.parameters);
    for (const models::TensorSpec& spec : plan.tensors) {
      TERN_TRY_DO(add(spec));
    }
    TERN_TRY_DO(add_rope_factors(plan));
    list_unread(*checkpoint_, used_, source_);
    return std::move(source_);
  }

 private:
  Result<void> add(const models::TensorSpec& spec) {
    const Found found = find_source(*source_.architecture, *checkpoint_, spec.name);
    if (found.tensor != nullptr) used_.insert(found.tensor->name);
    if (spec.role == TensorRole::head && config_.tied_embeddings) {
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
    TERN_TRY(SourceTensor tensor, read_as(spec, found));
    source_.tensors.push_back(std::move(tensor));
    return {};
  }

  // The head of a model that says it has none: a copy of the embedding table.
  Result<bool> equals_embedding(const files::StoredTensor& head) const {
    const files::StoredTensor* table = find_source(*source_.architecture, *checkpoint_, "token_embd.weight").tensor;
    return table == nullptr ? false : equal_matrices(head, *table);
  }

  Result<SourceTensor> read_as(const models::TensorSpec& spec, const Found& found) {
    const files::StoredTensor& tensor = *found.tensor;
    const bool is_packed = tensor.dtype == files::Dtype::u8 && spec.role == TensorRole::linear;
    const bool is_reordered = found.rows != TensorName::Rows::as_stored;
    TERN_TRY_DO(check_shape(tensor, spec, is_packed));
    SourceTensor out{.name = spec.name,
                     .shape = spec.shape,
                     .role = spec.role,
                     .natural = natural_format(tensor.dtype),
                     .read = {},
                     .source_name = tensor.name,
                     .source_type = files::dtype_name(tensor.dtype),
                     .transform = is_reordered ? "rows reordered" : ""};
    const std::int64_t head_dim = source_.parameters.head_dim;
    const bool is_master = spec.role == TensorRole::linear && config_.storage == BitNetStorage::online_masters;
    if (is_packed || is_master) {
      if (is_packed) used_.insert(tensor.name + "_scale");
      TERN_TRY(OneRow rows, is_packed ? packed_rows(*checkpoint_, tensor, config_.storage) : master_rows(tensor));
      out.natural = &formats::kI2_S;
      out.is_ternary = true;
      out.transform = is_packed ? (is_reordered ? "unpacked, rows reordered" : "unpacked")
                                : (is_reordered ? "ternarised, rows reordered" : "ternarised");
      out.read = matrix_reader(checkpoint_, tensor, std::move(rows), found.rows, head_dim);
      if (is_master) out.masters = matrix_reader(checkpoint_, tensor, float_rows(tensor), found.rows, head_dim);
    } else if (spec.shape.is_vector()) {
      out.natural = &formats::kF32;
      out.read = vector_reader(checkpoint_, tensor, found.rows, head_dim, found.plus);
      if (found.plus != 0.0F) out.transform = found.plus == 1.0F ? "+ 1" : "shifted";
    } else {
      out.read = matrix_reader(checkpoint_, tensor, float_rows(tensor), found.rows, head_dim);
    }
    return out;
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

  // GGUF keeps LLaMA-3's rope scaling as divisors of the frequencies, so that readers need not know the rule.
  Result<void> add_rope_factors(const models::Plan& plan) {
    const std::optional<models::Llama3Rope>& rule = config_.llama3_rope;
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

  models::HfConfig config_;
  std::shared_ptr<const files::Checkpoint> checkpoint_;
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
  const std::string folder = checkpoint.folder();
  auto source = Builder(std::move(*config), std::make_shared<const files::Checkpoint>(std::move(checkpoint))).build();
  if (!source) return in_context(folder, std::move(source).error());
  return source;
}

}  // namespace tern::convert
