#include "train/run/recipe.hpp"

#include <algorithm>
#include <cmath>

#include "base/utf8.hpp"
#include "base/words.hpp"
#include "files/json.hpp"
#include "models/all.hpp"
#include "train/quantizers/quantizers.hpp"
#include "train/run/recipe_fields.hpp"

namespace tern::train {
namespace {

using Json = nlohmann::ordered_json;
using Read = nlohmann::json;

std::string full_name(const RecipeField& field) {
  return fmt::format("{}.{}", field.section, field.key);
}

std::unexpected<Error> wrong(const RecipeField& field, std::string_view expected, std::string_view got) {
  return fail(ErrorCode::usage, "{} is {}, expected {}", full_name(field), printable(got), expected);
}

/// JSON as a person wrote it. Never throws: bytes that are no UTF-8 are replaced.
std::string as_written(const Read& value) {
  return value.dump(-1, ' ', false, Read::error_handler_t::replace);
}

/// Puts a JSON value where a field lives.
struct Assign {
  const RecipeField& field;
  const Read& value;

  Result<void> operator()(std::int64_t* target) const {
    // 9e6 is a whole number to people.
    const double number = value.is_number() ? value.get<double>() : 0.5;
    if (number != std::floor(number) || std::fabs(number) > 1e15)
      return wrong(field, "a whole number", as_written(value));
    *target = static_cast<std::int64_t>(number);
    return {};
  }
  Result<void> operator()(double* target) const {
    if (!value.is_number()) return wrong(field, "a number", as_written(value));
    *target = value.get<double>();
    return {};
  }
  Result<void> operator()(bool* target) const {
    if (!value.is_boolean()) return wrong(field, "true or false", as_written(value));
    *target = value.get<bool>();
    return {};
  }
  Result<void> operator()(std::string* target) const {
    if (!value.is_string()) return wrong(field, "a text in quotes", as_written(value));
    *target = value.get<std::string>();
    return {};
  }
  Result<void> operator()(Mixture* target) const {
    if (!value.is_object()) return wrong(field, "an object of weights by source", as_written(value));
    Mixture mixture;
    for (const auto& [name, weight] : value.items()) {
      if (!weight.is_number()) return wrong(field, "numbers as weights", as_written(weight));
      mixture[name] = weight.get<double>();
    }
    *target = std::move(mixture);
    return {};
  }
};

/// What other programs call a key.
constexpr std::pair<std::string_view, std::string_view> kOtherNames[] = {
    {"lr", "optimizer.learning_rate"},
    {"batch_size", "optimizer.batch"},
    {"per_device_train_batch_size", "optimizer.microbatch"},
    {"max_steps", "optimizer.tokens"},
    {"epochs", "optimizer.tokens"},
    {"num_train_epochs", "optimizer.tokens"},
    {"grad_clip", "optimizer.clip"},
    {"max_grad_norm", "optimizer.clip"},
    {"eps", "optimizer.epsilon"},
    {"wd", "optimizer.weight_decay"},
    {"warmup", "schedule.warm_up"},
    {"warmup_steps", "schedule.warm_up"},
    {"lr_scheduler_type", "schedule.kind"},
    {"seq_len", "data.context"},
    {"context_length", "data.context"},
    {"block_size", "data.context"},
    {"n_layers", "model.num_hidden_layers"},
    {"n_layer", "model.num_hidden_layers"},
    {"n_heads", "model.num_attention_heads"},
    {"n_head", "model.num_attention_heads"},
    {"n_embd", "model.hidden_size"},
    {"d_model", "model.hidden_size"},
    {"dim", "model.hidden_size"},
};

/// " (did you mean section.key?)" by the key alone, which is what people remember; "" where none is near.
std::string meant_key(std::string_view name, const std::vector<RecipeField>& fields) {
  const std::string_view key = name.substr(name.rfind('.') + 1);
  for (const auto& [other, ours] : kOtherNames) {
    if (key == other) return fmt::format(" (did you mean {}?)", ours);
  }
  std::vector<std::string_view> keys;
  for (const RecipeField& field : fields) keys.push_back(field.key);
  const std::string_view nearest = nearest_word(key, keys);
  if (nearest.empty()) return {};
  const auto found = std::ranges::find(fields, nearest, &RecipeField::key);
  return fmt::format(" (did you mean {}?)", full_name(*found));
}

/// A word typed behind --set, as the JSON it means for a field. What is no JSON stays a word, which no field but a text
/// takes.
Read value_of(const RecipeField& field, std::string_view text) {
  if (std::holds_alternative<std::string*>(field.target)) return Read(std::string(text));
  const auto* data = reinterpret_cast<const std::byte*>(text.data());
  auto parsed = files::parse_json({data, text.size()}, full_name(field));
  return parsed ? std::move(*parsed) : Read(std::string(text));
}

Result<void> check_range(const RecipeField& field) {
  double value = field.least;
  if (const auto* whole = std::get_if<std::int64_t*>(&field.target)) value = static_cast<double>(**whole);
  if (const auto* real = std::get_if<double*>(&field.target)) value = **real;
  if (value >= field.least && value <= field.most) return {};
  // Ten digits: 0.9999999 is not 1.
  return wrong(field, fmt::format("{:.10g} to {:.10g}", field.least, field.most), fmt::format("{:.10g}", value));
}

template <std::size_t N>
Result<std::size_t> choice(std::string_view name, std::string_view value,
                           const std::array<std::string_view, N>& choices) {
  const auto found = std::ranges::find(choices, value);
  if (found != choices.end()) return static_cast<std::size_t>(found - choices.begin());
  return fail(ErrorCode::usage, "{} is \"{}\", expected {}{}", name, printable(value),
              fmt::format("{}", fmt::join(choices, ", ")), did_you_mean(value, choices));
}

constexpr std::array<std::string_view, 3> kActivations{"none", "int8", "int4"};
constexpr std::array<int, 3> kActivationBits{0, 8, 4};
constexpr std::array<std::string_view, 2> kStraightThrough{"identity", "clipped"};
constexpr std::array<std::string_view, 2> kOrders{"shuffle", "windows"};
constexpr std::array<std::string_view, 4> kMatmuls{"float32", "openblas", "onednn", "bfloat16"};

}  // namespace

Result<Recipe> parse_recipe(std::string_view json, std::string_view what, const Recipe& base) {
  const auto* data = reinterpret_cast<const std::byte*>(json.data());
  TERN_TRY(const Read root, files::parse_json({data, json.size()}, what, {.max_bytes = std::size_t{1} << 20}));
  const auto explain = [&](Error error) {
    error.code = ErrorCode::bad_input;
    return in_context(what, std::move(error));
  };
  if (!root.is_object()) return fail(ErrorCode::bad_input, "{}: expected an object of sections", what);
  Recipe recipe = base;
  const std::vector<RecipeField> fields = recipe_fields(recipe);
  std::vector<std::string_view> sections;
  for (const RecipeField& field : fields) {
    if (sections.empty() || sections.back() != field.section) sections.push_back(field.section);
  }
  for (const auto& [section, keys] : root.items()) {
    if (std::ranges::find(sections, section) == sections.end()) {
      return fail(ErrorCode::bad_input, "{}: unknown section \"{}\"{}; there are {}", what, printable(section),
                  did_you_mean(section, sections), fmt::format("{}", fmt::join(sections, ", ")));
    }
    if (!keys.is_object()) return fail(ErrorCode::bad_input, "{}: {} is no object of keys", what, section);
    for (const auto& [key, value] : keys.items()) {
      const auto found = std::ranges::find_if(
          fields, [&](const RecipeField& field) { return field.section == section && field.key == key; });
      if (found == fields.end()) {
        std::vector<std::string_view> known;
        for (const RecipeField& field : fields) {
          if (field.section == section) known.push_back(field.key);
        }
        const std::string here = did_you_mean(key, known);
        return fail(ErrorCode::bad_input, "{}: unknown key \"{}\" in {}{}", what, printable(key), section,
                    here.empty() ? meant_key(key, fields) : here);
      }
      if (auto done = std::visit(Assign{*found, value}, found->target); !done) return explain(done.error());
    }
  }
  if (auto sound = check(recipe); !sound) return explain(sound.error());
  return recipe;
}

Result<void> set_field(Recipe& recipe, std::string_view assignment) {
  const std::size_t equals = assignment.find('=');
  if (equals == std::string_view::npos) {
    return fail(ErrorCode::usage, "\"{}\" sets nothing, expected SECTION.KEY=VALUE", printable(assignment));
  }
  if (utf8_valid_prefix(assignment) != assignment.size()) {
    return fail(ErrorCode::usage, "\"{}\" is not UTF-8", printable(assignment));
  }
  const std::string_view name = assignment.substr(0, equals);
  const std::vector<RecipeField> fields = recipe_fields(recipe);
  const auto found = std::ranges::find(fields, name, &full_name);
  if (found == fields.end()) {
    return fail(ErrorCode::usage, "a recipe has no \"{}\"{}; tern train --show-recipe lists the keys", printable(name),
                meant_key(name, fields));
  }
  const Read value = value_of(*found, assignment.substr(equals + 1));
  return std::visit(Assign{*found, value}, found->target);
}

std::string recipe_json(const Recipe& recipe) {
  Recipe copy = recipe;
  Json root = Json::object();
  for (const RecipeField& field : recipe_fields(copy)) {
    std::visit([&](const auto* target) { root[std::string(field.section)][std::string(field.key)] = *target; },
               field.target);
  }
  return root.dump(2) + "\n";
}

Result<void> check(const Recipe& recipe) {
  Recipe copy = recipe;
  for (const RecipeField& field : recipe_fields(copy)) TERN_TRY_DO(check_range(field));
  TERN_TRY_DO(choice("data.order", recipe.order, kOrders));
  TERN_TRY_DO(matmul_of(recipe));
  TERN_TRY_DO(schedule_of(recipe, 1));
  TERN_TRY_DO(quantizer_of(recipe));
  TERN_TRY_DO(hyper_parameters_of(recipe, 1));
  return {};
}

Result<models::HyperParameters> hyper_parameters_of(const Recipe& recipe, std::int64_t n_vocab) {
  auto architecture = models::by_name(recipe.architecture);
  if (!architecture) {
    return fail(ErrorCode::usage, "model.architecture: {}", architecture.error().message);
  }
  models::HyperParameters p = (*architecture)->defaults();
  p.architecture = recipe.architecture;
  p.n_vocab = n_vocab;
  p.n_ctx_train = recipe.context;
  p.n_embd = recipe.hidden_size;
  p.n_ff = recipe.intermediate_size;
  p.n_layers = recipe.num_hidden_layers;
  p.n_heads = recipe.num_attention_heads;
  p.n_kv_heads = recipe.num_key_value_heads;
  if (recipe.head_dim == 0 && recipe.hidden_size % recipe.num_attention_heads != 0) {
    return fail(ErrorCode::usage, "model.hidden_size {} is no multiple of num_attention_heads {}: say head_dim",
                recipe.hidden_size, recipe.num_attention_heads);
  }
  p.head_dim = recipe.head_dim == 0 ? recipe.hidden_size / recipe.num_attention_heads : recipe.head_dim;
  p.n_rotary = p.head_dim;
  p.norm_eps = static_cast<float>(recipe.rms_norm_eps);
  p.rope_base = static_cast<float>(recipe.rope_theta);
  p.input_norms = recipe.norm_per_projection;
  p.window = recipe.sliding_window;
  if (p.window > 0) p.windowed = models::window_pattern(p.n_layers, p.window_period);
  if (!recipe.hidden_act.empty()) {
    auto activation = models::activation_by_name(recipe.hidden_act);
    if (!activation) return fail(ErrorCode::usage, "model.hidden_act: {}", activation.error().message);
    p.activation = *activation;
  }
  TERN_TRY(const std::size_t rounding, choice("quantization.activations", recipe.activations, kActivations));
  using Mode = models::ActivationPolicy::Mode;
  p.linear_activation = rounding == 0 ? models::ActivationPolicy{Mode::none, 8}
                                      : models::ActivationPolicy{Mode::per_token, kActivationBits[rounding]};
  if (auto sound = models::check(p); !sound) return fail(ErrorCode::usage, "model: {}", sound.error().message);
  return p;
}

void describe_model(const models::HyperParameters& model, Recipe& recipe) {
  recipe.architecture = model.architecture;
  recipe.hidden_size = model.n_embd;
  recipe.intermediate_size = model.n_ff;
  recipe.num_hidden_layers = model.n_layers;
  recipe.num_attention_heads = model.n_heads;
  recipe.num_key_value_heads = model.n_kv_heads;
  recipe.head_dim = model.head_dim;
  recipe.hidden_act = models::activation_name(model.activation);
  recipe.rms_norm_eps = static_cast<double>(model.norm_eps);
  recipe.rope_theta = static_cast<double>(model.rope_base);
  recipe.sliding_window = model.window;
  recipe.norm_per_projection = model.input_norms;
}

Result<QuantizerOptions> quantizer_of(const Recipe& recipe) {
  QuantizerOptions out;
  auto quantizer = weight_quantizer_by_name(recipe.weights);
  if (!quantizer) return in_context("quantization.weights", std::move(quantizer).error());
  out.weights = *quantizer;
  TERN_TRY(const std::size_t rounding, choice("quantization.activations", recipe.activations, kActivations));
  TERN_TRY(const std::size_t rule, choice("quantization.straight_through", recipe.straight_through, kStraightThrough));
  out.group = recipe.group;
  out.activation_bits = kActivationBits[rounding];
  out.straight_through = static_cast<StraightThrough>(rule);
  if (out.weights == nullptr && out.activation_bits != 0) {
    return fail(ErrorCode::usage,
                "quantization.activations is {} but weights are none: activations are rounded "
                "beside quantised weights",
                recipe.activations);
  }
  return out;
}

FirstWeights first_weights_of(const Recipe& recipe) {
  const double embedding =
      recipe.embedding_initializer_range == 0.0 ? recipe.initializer_range : recipe.embedding_initializer_range;
  return {.matrices = static_cast<float>(recipe.initializer_range), .embedding = static_cast<float>(embedding)};
}

OptimizerOptions optimizer_of(const Recipe& recipe) {
  return {.beta1 = static_cast<float>(recipe.beta1),
          .beta2 = static_cast<float>(recipe.beta2),
          .epsilon = static_cast<float>(recipe.epsilon),
          .clip = recipe.clip};
}

Result<linalg::Matmul> matmul_of(const Recipe& recipe) {
  TERN_TRY(const std::size_t matmul, choice("optimizer.matmul", recipe.matmul, kMatmuls));
  return static_cast<linalg::Matmul>(matmul);
}

Result<Schedule> schedule_of(const Recipe& recipe, std::int64_t n_steps) {
  Schedule out;
  auto kind = schedule_by_name(recipe.schedule);
  if (!kind) return in_context("schedule.kind", std::move(kind).error());
  out.kind = *kind;
  out.n_steps = n_steps;
  out.warm_up = recipe.warm_up;
  out.peak = recipe.learning_rate;
  out.last = recipe.last;
  out.stable_until = recipe.stable_until;
  out.first_end = recipe.first_end;
  out.second_peak = recipe.second_peak;
  out.weight_decay = recipe.weight_decay;
  out.decay_until = recipe.decay_until;
  out.quantise_from = recipe.quantise_from;
  out.fade_in = recipe.fade_in;
  return out;
}

}  // namespace tern::train
