// Hugging Face folders: LlamaForCausalLM and BitNetForCausalLM in the four published spellings (float; bf16 masters;
// packed with a scale that multiplies; packed with a scale that divides).
#include <algorithm>
#include <map>
#include <set>

#include "base/words.hpp"
#include "convert/row_order.hpp"
#include "convert/source.hpp"
#include "convert/ternary_rows.hpp"
#include "files/safetensors_folder.hpp"
#include "formats/all.hpp"
#include "sys/mapped_file.hpp"

namespace tern::convert {
namespace {

using models::BitNetStorage;
using models::TensorName;
using models::TensorRole;

// "blk.{}.attn_q.weight" with the layer's number out of a concrete name, or nullopt if the pattern is another.
std::optional<std::string> layer_if_match(std::string_view pattern, std::string_view name) {
  const auto hole = pattern.find("{}");
  if (hole == std::string_view::npos) return pattern == name ? std::optional<std::string>("") : std::nullopt;
  const auto head = pattern.substr(0, hole);
  const auto tail = pattern.substr(hole + 2);
  if (name.size() <= head.size() + tail.size() || !name.starts_with(head) || !name.ends_with(tail)) return std::nullopt;
  const auto number = name.substr(head.size(), name.size() - head.size() - tail.size());
  if (!std::ranges::all_of(number, [](char c) { return c >= '0' && c <= '9'; })) return std::nullopt;
  return std::string(number);
}

std::string with_layer(std::string_view pattern, std::string_view layer) {
  std::string out(pattern);
  if (const auto hole = out.find("{}"); hole != std::string::npos) out.replace(hole, 2, layer);
  return out;
}

struct Found {
  const files::SafeTensor* tensor = nullptr;
  TensorName::Rows rows = TensorName::Rows::as_stored;
  float plus = 0.0F;
  std::string first_name;  // what was looked for, for the error
};

Found find_source(const models::Architecture& architecture, const files::Checkpoint& checkpoint,
                  std::string_view gguf_name) {
  Found found;
  for (const TensorName& line : architecture.tensor_names) {
    const auto layer = layer_if_match(line.gguf, gguf_name);
    if (!layer || line.hugging_face.empty()) continue;
    const std::string name = with_layer(line.hugging_face, *layer);
    if (found.first_name.empty()) found.first_name = name;
    if (const files::SafeTensor* tensor = checkpoint.find(name)) return {tensor, line.rows, line.plus, found.first_name};
  }
  return found;
}

const formats::Format* natural_format(files::Dtype dtype) {
  if (dtype == files::Dtype::f16) return &formats::kF16;
  if (dtype == files::Dtype::bf16) return &formats::kBF16;
  return &formats::kF32;
}

Result<float> packed_scale(const files::Checkpoint& checkpoint, const files::SafeTensor& packed,
                           BitNetStorage storage) {
  const std::string name = packed.name + "_scale";
  const files::SafeTensor* tensor = checkpoint.find(name);
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
    const models::Plan plan = source_.architecture->plan(source_.parameters);
    for (const models::TensorSpec& spec : plan.tensors) {
      TERN_TRY_DO(add(spec));
    }
    TERN_TRY_DO(add_rope_factors(plan));
    TERN_TRY_DO(refuse_unknown());
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
    if (spec.role == TensorRole::head && opened_->config.tied_embeddings) return {};  // a stored copy is left out
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
    const files::SafeTensor& tensor = *found.tensor;
    const bool is_packed = tensor.dtype == files::Dtype::u8 && spec.role == TensorRole::linear;
    TERN_TRY_DO(check_shape(tensor, spec, is_packed));
    SourceTensor out{spec.name, spec.shape, spec.role, natural_format(tensor.dtype), false, {}};
    if (is_packed) {
      TERN_TRY_DO(add_packed(tensor, found.rows, out));
    } else if (spec.role == TensorRole::linear && opened_->config.storage == BitNetStorage::online_masters) {
      TERN_TRY_DO(add_masters(tensor, found.rows, out));
    } else if (spec.shape.is_vector()) {
      out.natural = &formats::kF32;
      out.read = vector_reader(tensor, found);
    } else {
      out.read = row_reader(tensor, found.rows, [&tensor](std::int64_t row, std::span<float> values) {
        return files::rows_to_f32(tensor, row, 1, values);
      });
    }
    source_.tensors.push_back(std::move(out));
    return {};
  }

  Result<void> add_packed(const files::SafeTensor& tensor, TensorName::Rows rows, SourceTensor& out) {
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
    out.read = row_reader(tensor, rows, [&tensor, scale](std::int64_t row, std::span<float> values) {
      return unpack_ternary_row(tensor, row, scale, values);
    });
    return {};
  }

  Result<void> add_masters(const files::SafeTensor& tensor, TensorName::Rows rows, SourceTensor& out) {
    out.natural = &formats::kI2_S;
    out.is_ternary = true;
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

  static Result<void> check_shape(const files::SafeTensor& tensor, const models::TensorSpec& spec, bool is_packed) {
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

  quant::RowReader row_reader(const files::SafeTensor& tensor, TensorName::Rows order, OneRow read) const {
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
  quant::RowReader vector_reader(const files::SafeTensor& tensor, const Found& found) const {
    const std::int64_t head_dim = source_.parameters.head_dim;
    return
        [opened = opened_, &tensor, order = found.rows, plus = found.plus, head_dim](
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
    models::RopeScaling& scaling = source_.parameters.rope_scaling;
    if (scaling.kind != models::RopeScaling::Kind::llama3) return {};
    const auto spec = std::ranges::find(plan.tensors, TensorRole::rope_factors, &models::TensorSpec::role);
    if (spec == plan.tensors.end()) {
      return fail(ErrorCode::unsupported, "llama3 rope scaling is not supported for architecture {}",
                  source_.architecture->name);
    }
    std::vector<float> factors = models::llama3_rope_factors(source_.parameters);
    SourceTensor out{spec->name, spec->shape, spec->role, &formats::kF32, false, {}};
    out.read = [factors = std::move(factors)](std::int64_t, std::int64_t, std::span<float> values) -> Result<void> {
      std::ranges::copy(factors, values.begin());
      return {};
    };
    scaling = {};
    source_.tensors.push_back(std::move(out));
    return {};
  }

  // A tensor nobody asked for means another model than the plan describes: better no file than a wrong one.
  Result<void> refuse_unknown() {
    std::vector<std::string> unknown;
    for (const files::SafeTensor* tensor : opened_->checkpoint.tensors()) {
      if (used_.contains(tensor->name) || tensor->name.ends_with(".rotary_emb.inv_freq")) continue;
      unknown.push_back(tensor->name);
    }
    if (unknown.empty()) return {};
    const std::size_t shown = std::min<std::size_t>(unknown.size(), 4);
    return fail(ErrorCode::unsupported, "{} tensor{} of this checkpoint mean nothing to architecture {}: {}{}",
                unknown.size(), unknown.size() == 1 ? "" : "s", source_.architecture->name,
                fmt::join(unknown.begin(), unknown.begin() + static_cast<std::ptrdiff_t>(shown), ", "),
                unknown.size() > shown ? ", ..." : "");
  }

  std::shared_ptr<const Opened> opened_;
  Source source_;
  std::set<std::string, std::less<>> used_;
};

}  // namespace

Result<Source> open_hugging_face(const std::string& path) {
  TERN_TRY(files::Checkpoint checkpoint, files::Checkpoint::open(path));
  const std::string config_path = checkpoint.folder() + "/config.json";
  TERN_TRY(const sys::MappedFile file, sys::MappedFile::open(config_path));
  auto config = models::read_hf_config(file.bytes());
  if (!config) return in_context(checkpoint.folder(), std::move(config).error());
  auto opened = std::make_shared<const Opened>(Opened{std::move(*config), std::move(checkpoint)});
  auto source = Builder(opened).build(opened->checkpoint.folder());
  if (!source) return in_context(opened->checkpoint.folder(), std::move(source).error());
  return source;
}

}  // namespace tern::convert
