#include "convert/type_choice.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <numeric>
#include <optional>

#include "convert/type_rules.hpp"
#include "formats/all.hpp"

namespace tern::convert {
namespace {

constexpr std::string_view kHead = "output.weight";
constexpr std::array<std::string_view, 2> kEmbeddings{"token_embd.weight", "per_layer_token_embd.weight"};

struct RoleName {
  std::string_view part;  // of the tensor's name
  WeightRole role;
};
constexpr std::array kRoleNames{
    RoleName{"attn_qkv.weight", WeightRole::value},
    RoleName{"attn_kv_b.weight", WeightRole::value},
    RoleName{"attn_v.weight", WeightRole::value},
    RoleName{"attn_k.weight", WeightRole::key},
    RoleName{"attn_q.weight", WeightRole::query},
    RoleName{"attn_output.weight", WeightRole::attention_output},
    RoleName{"ffn_up", WeightRole::up},
    RoleName{"ffn_gate", WeightRole::gate},
    RoleName{"ffn_down", WeightRole::down},
};

// Matrices that are small, or tables that are looked up: names of many architectures, so that a file of one that Tern
// cannot run is still quantised as others do it.
constexpr auto kKept = std::to_array<std::string_view>({"_norm.weight",
                                                        "ffn_gate_inp.weight",
                                                        "ffn_gate_tid2eid.weight",
                                                        "altup",
                                                        "laurel",
                                                        "per_layer_model_proj",
                                                        "ssm_conv1d",
                                                        "shortconv.conv.weight",
                                                        "indexer.k_proj.weight",
                                                        "indexer.q_proj.weight",
                                                        "time_mix_first.weight",
                                                        "time_mix_w0.weight",
                                                        "time_mix_w1.weight",
                                                        "time_mix_w2.weight",
                                                        "time_mix_v0.weight",
                                                        "time_mix_v1.weight",
                                                        "time_mix_v2.weight",
                                                        "time_mix_a0.weight",
                                                        "time_mix_a1.weight",
                                                        "time_mix_a2.weight",
                                                        "time_mix_g1.weight",
                                                        "time_mix_g2.weight",
                                                        "time_mix_decay_w1.weight",
                                                        "time_mix_decay_w2.weight",
                                                        "time_mix_lerp_fused.weight",
                                                        "attn_rel_b.weight",
                                                        ".position_embd",
                                                        "sam.pos_embd",
                                                        "sam.neck.",
                                                        "sam.net_",
                                                        ".rel_pos",
                                                        ".patch_embd",
                                                        ".patch_merger",
                                                        "a.rvq.codebook",
                                                        "mm.a.code_embd"});
constexpr std::array<std::string_view, 2> kKeptWhole{"position_embd.weight", "token_types.weight"};

// Architectures whose models of 80 layers count as "70B": always, or where heads share keys.
constexpr std::array<std::string_view, 1> kAlways70B{"qwen2"};
constexpr std::array<std::string_view, 1> kShared70B{"llama"};
constexpr std::array<std::string_view, 1> kFalcon{"falcon"};

template <std::size_t N>
bool holds(const std::array<std::string_view, N>& words, std::string_view word) {
  return std::ranges::find(words, word) != words.end();
}

WeightRole role_of(std::string_view name) {
  if (name == kHead) return WeightRole::head;
  if (holds(kEmbeddings, name)) return WeightRole::embedding;
  for (const RoleName& known : kRoleNames) {
    if (name.find(known.part) != std::string_view::npos) return known.role;
  }
  return WeightRole::other;
}

bool may_change(const TensorInfo& tensor) {
  const std::string_view name = tensor.name;
  return tensor.shape.n_rows() > 1 && name.ends_with("weight") && !holds(kKeptWhole, name) &&
         std::ranges::none_of(kKept, [&](std::string_view part) { return name.find(part) != std::string_view::npos; });
}

// "blk.12.": 12; -1 for tensors of no layer.
std::int64_t layer_of(std::string_view name) {
  constexpr std::string_view kPrefix = "blk.";
  if (!name.starts_with(kPrefix)) return -1;
  const char* end = name.data() + name.size();
  int layer = -1;
  const auto [stop, error] = std::from_chars(name.data() + kPrefix.size(), end, layer);
  return error == std::errc() && stop != end && *stop == '.' ? layer : -1;
}

class Chooser {
 public:
  Chooser(const TypeWishes& wishes, const ModelFacts& facts, std::span<const TensorInfo> tensors)
      : wishes_(wishes), mixture_(*wishes.mixture), facts_(facts) {
    for (const TensorInfo& tensor : tensors) {
      const WeightRole role = role_of(tensor.name);
      has_head_ |= role == WeightRole::head;
      n_values_ += role == WeightRole::value ? 1 : 0;
      n_layers_ = std::max(n_layers_, layer_of(tensor.name) + 1);
    }
    if (facts.n_layers > 0) n_layers_ = facts.n_layers;
    is_70b_ = facts.n_layers == 80 && (holds(kAlways70B, facts.architecture) ||
                                       (holds(kShared70B, facts.architecture) && facts.n_heads != facts.n_kv_heads));
  }

  // The format wished for; null: the tensor stays as it is.
  Result<const formats::Format*> wish(const TensorInfo& tensor) {
    const WeightRole role = role_of(tensor.name);
    if (mixture_.copies || !may_change(tensor)) return nullptr;
    if (role == WeightRole::head && wishes_.leave_output) return nullptr;
    if (role == WeightRole::embedding && wishes_.token_embedding != nullptr) return wishes_.token_embedding;
    if (role == WeightRole::head && wishes_.output != nullptr) return wishes_.output;
    TERN_TRY(const formats::Format* named, type_for(wishes_.tensor_types, tensor.name));
    if (named != nullptr) return named;
    if (wishes_.pure) return mixture_.format;
    if (role == WeightRole::head || (role == WeightRole::embedding && !has_head_)) {
      if (role == WeightRole::embedding && wishes_.output != nullptr) return wishes_.output;
      return head_format(tensor.shape.row_length());
    }
    if (mixture_.format->is_float) return mixture_.format;
    return by_rules(role, tensor.name);
  }

  [[nodiscard]] bool needs_importance(const TensorInfo& tensor, const formats::Format& taken) const {
    const WeightRole role = role_of(tensor.name);
    return mixture_.needs_importance && &taken == mixture_.format && role != WeightRole::head &&
           role != WeightRole::embedding;
  }

 private:
  [[nodiscard]] bool applies_to_model(Models models) const {
    switch (models) {
      case Models::all:
        return true;
      case Models::shared_keys:
        return facts_.n_kv_heads > 0 && facts_.n_heads / facts_.n_kv_heads >= 4;
      case Models::eight_experts:
        return facts_.n_experts == 8;
      case Models::falcon:
        return holds(kFalcon, facts_.architecture);
    }
    return false;
  }

  [[nodiscard]] const formats::Format* first_rule(std::span<const MixtureRule> rules, WeightRole role,
                                                  std::int64_t layer, std::int64_t n_layers) const {
    for (const MixtureRule& rule : rules) {
      if (rule.role == role && applies(rule.layers, layer, n_layers) && applies_to_model(rule.models))
        return rule.format;
    }
    return nullptr;
  }

  // The head decides most of the loss and is read once a token.
  [[nodiscard]] const formats::Format* head_format(std::int64_t row_length) const {
    if (mixture_.format->is_float) return mixture_.format;
    if (const formats::Format* own = first_rule(mixture_.rules, WeightRole::head, 0, 1)) return own;
    if (applies_to_model(Models::falcon) || !mixture_.format->fits_row(row_length)) return &formats::kQ8_0;
    return mixture_.format == &formats::kQ8_0 ? mixture_.format : &formats::kQ6_K;
  }

  const formats::Format* by_rules(WeightRole role, std::string_view name) {
    std::int64_t layer = n_seen_[role]++;
    // A layer's experts may be many tensors.
    if (facts_.n_experts > 1 && role != WeightRole::value) layer = std::max<std::int64_t>(layer_of(name), 0);
    const std::int64_t n = role == WeightRole::value ? n_values_ : n_layers_;
    const formats::Format* format = first_rule(common_rules(), role, layer, n);
    if (format == nullptr) format = first_rule(mixture_.rules, role, layer, n);
    if (format == nullptr) format = mixture_.format;
    // Eight heads share a value there: it is small, and worth more bits.
    const bool is_coarse = format == &formats::kQ3_K || format == &formats::kQ4_K;
    return is_70b_ && role == WeightRole::value && is_coarse ? &formats::kQ5_K : format;
  }

  const TypeWishes& wishes_;
  const Mixture& mixture_;
  const ModelFacts& facts_;
  bool has_head_ = false;
  bool is_70b_ = false;
  std::int64_t n_values_ = 0;
  std::int64_t n_layers_ = 0;
  std::map<WeightRole, std::int64_t> n_seen_;  // tensors of a role that rules were asked about
};

}  // namespace

ModelFacts model_facts(const files::Metadata& metadata) {
  ModelFacts facts;
  facts.architecture = metadata.get_string("general.architecture").value_or("");
  const auto number = [&](std::string_view key) -> std::optional<std::int64_t> {
    const std::string full = fmt::format("{}.{}", facts.architecture, key);
    std::optional<std::int64_t> value;
    if (const auto one = metadata.get_i64(full)) {
      value = *one;
    } else if (const auto each_layer = metadata.get_i64s(full); each_layer && !each_layer->empty()) {
      value = each_layer->front();
    }
    // Nothing of a model is counted in millions but its vocabulary.
    return value && (*value < 0 || *value > 1000000) ? std::nullopt : value;
  };
  facts.n_layers = number("block_count").value_or(0);
  facts.n_heads = number("attention.head_count").value_or(0);
  facts.n_kv_heads = number("attention.head_count_kv").value_or(facts.n_heads);
  facts.n_experts = number("expert_count").value_or(0);
  return facts;
}

Result<std::vector<TypeChoice>> choose_types(const TypeWishes& wishes, const ModelFacts& facts,
                                             std::span<const TensorInfo> tensors, Walk walk) {
  TERN_CHECK(wishes.mixture != nullptr);
  std::vector<std::size_t> order(tensors.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  if (walk == Walk::by_layer) {
    std::ranges::sort(order, {}, [&](std::size_t i) { return std::pair(layer_of(tensors[i].name), tensors[i].name); });
  }
  std::vector<TypeChoice> choices(tensors.size());
  Chooser chooser(wishes, facts, tensors);
  for (const std::size_t i : order) {
    TypeChoice& choice = choices[i];
    TERN_TRY(choice.wished, chooser.wish(tensors[i]));
    choice.taken = tensors[i].format;
    if (choice.wished == nullptr) continue;
    if (choice.wished != tensors[i].format) {
      choice.taken = &fitting_format(*choice.wished, tensors[i].shape.row_length());
    }
    choice.needs_importance = chooser.needs_importance(tensors[i], *choice.taken);
  }
  return choices;
}

double typical_bits_per_weight(const Mixture& mixture) {
  struct Typical {
    std::string_view name;
    std::int64_t row_length;
    std::int64_t n_rows;
  };
  constexpr std::array<Typical, 7> kLayer{{{"attn_q", 4096, 4096},
                                           {"attn_k", 4096, 1024},
                                           {"attn_v", 4096, 1024},
                                           {"attn_output", 4096, 4096},
                                           {"ffn_gate", 4096, 14336},
                                           {"ffn_up", 4096, 14336},
                                           {"ffn_down", 14336, 4096}}};
  constexpr std::int64_t kLayerCount = 32;
  constexpr std::int64_t kVocabulary = 128256;
  std::vector<std::string> names{"token_embd.weight", "output.weight"};
  std::vector<Shape> shapes(2, matrix_shape(4096, kVocabulary));
  for (std::int64_t layer = 0; layer < kLayerCount; ++layer) {
    for (const Typical& matrix : kLayer) {
      names.push_back(fmt::format("blk.{}.{}.weight", layer, matrix.name));
      shapes.push_back(matrix_shape(matrix.row_length, matrix.n_rows));
    }
  }
  std::vector<TensorInfo> tensors;
  for (std::size_t i = 0; i < names.size(); ++i) tensors.push_back({names[i], shapes[i], &formats::kF32});
  const ModelFacts facts{"llama", kLayerCount, 32, 8, 0};
  TypeWishes wishes;
  wishes.mixture = &mixture;
  const auto choices = choose_types(wishes, facts, tensors);
  if (!choices) return 0.0;
  double bits = 0.0;
  double n = 0.0;
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    const auto elements = static_cast<double>(tensors[i].shape.n_elements());
    bits += elements * (*choices)[i].taken->bits_per_weight();
    n += elements;
  }
  return bits / n;
}

}  // namespace tern::convert
