#include "convert/type_choice.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <numeric>
#include <optional>

#include "convert/type_rules.hpp"
#include "convert/weight_roles.hpp"
#include "formats/all.hpp"

namespace tern::convert {
namespace {

// Architectures whose models of 80 layers count as "70B": always, or where heads share keys.
constexpr std::array<std::string_view, 1> kAlways70B{"qwen2"};
constexpr std::array<std::string_view, 1> kShared70B{"llama"};
constexpr std::array<std::string_view, 1> kFalcon{"falcon"};

template <std::size_t N>
bool holds(const std::array<std::string_view, N>& words, std::string_view word) {
  return std::ranges::find(words, word) != words.end();
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
    if (mixture_.copies || tensor.shape.n_rows() <= 1 || !is_matrix_to_encode(tensor.name)) return nullptr;
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

}  // namespace tern::convert
