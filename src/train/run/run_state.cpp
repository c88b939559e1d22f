#include "train/run/run_state.hpp"

#include <charconv>

#include "files/json.hpp"
#include "models/all.hpp"

namespace tern::train {
namespace {

using Json = nlohmann::ordered_json;
using Read = nlohmann::json;

constexpr int kVersion = 1;

/// Hyper-parameters as their GGUF keys, which say everything that a file of the model would say.
Json model_json(const models::HyperParameters& parameters) {
  files::Metadata metadata;
  models::write_hyper_parameters(parameters, metadata);
  Json out = Json::object();
  out["general.architecture"] = parameters.architecture;
  for (const auto& [key, value] : metadata.entries()) {
    if (const auto* flags = std::get_if<std::vector<bool>>(&value.storage)) {
      out[key] = *flags;
    } else if (const auto* text = std::get_if<std::string>(&value.storage)) {
      out[key] = *text;
    } else if (const auto* real = std::get_if<float>(&value.storage)) {
      out[key] = static_cast<double>(*real);
    } else if (const auto* whole = std::get_if<std::uint32_t>(&value.storage)) {
      out[key] = *whole;
    } else {
      TERN_CHECK(false);  // write_hyper_parameters has no other kind
    }
  }
  return out;
}

Result<models::HyperParameters> read_model(const Read& json, bool input_norms) {
  files::Metadata metadata;
  std::string name;
  std::int64_t n_vocab = 0;
  for (const auto& [key, value] : json.items()) {
    if (key == "general.architecture" && value.is_string()) {
      name = value.get<std::string>();
    } else if (value.is_string()) {
      metadata.set(key, value.get<std::string>());
    } else if (value.is_number_unsigned() && value.get<std::uint64_t>() <= UINT32_MAX) {
      metadata.set(key, static_cast<std::uint32_t>(value.get<std::uint64_t>()));
      if (key.ends_with(".vocab_size")) n_vocab = value.get<std::int64_t>();
    } else if (value.is_number_float()) {
      metadata.set(key, static_cast<float>(value.get<double>()));
    } else if (value.is_array()) {
      std::vector<bool> flags;
      for (const Read& flag : value) flags.push_back(flag.is_boolean() && flag.get<bool>());
      metadata.set(key, std::move(flags));
    } else {
      return fail(ErrorCode::bad_input, "model: {} has a value of no known kind", key);
    }
  }
  TERN_TRY(const models::Architecture* architecture, models::by_name(name));
  models::HyperParameters defaults = architecture->defaults();
  defaults.architecture = name;
  // The policy stands in the file; norms inside projections would change it, so they are put in afterwards.
  TERN_TRY(models::HyperParameters p, models::read_hyper_parameters(metadata, {n_vocab, false}, defaults));
  p.input_norms = input_norms;
  return p;
}

}  // namespace

std::string run_state_json(const RunState& state) {
  Json out;
  out["version"] = kVersion;
  out["recipe"] = Json::parse(recipe_json(state.recipe));
  out["model"] = model_json(state.model);
  out["norms_inside_projections"] = state.model.input_norms;
  out["optional_tensors"] = state.optional_tensors;
  out["steps"] = state.n_steps;
  out["step"] = state.step;
  out["data"] = fmt::format("{:016x}", state.data);
  out["least_loss"] = state.least_loss;
  out["blas_kernels"] = state.blas_kernels;
  out["isa"] = state.isa;
  return out.dump(2) + "\n";
}

Result<RunState> parse_run_state(std::string_view json, std::string_view what) {
  const auto* data = reinterpret_cast<const std::byte*>(json.data());
  TERN_TRY(const Read root, files::parse_json({data, json.size()}, what, {.max_bytes = std::size_t{1} << 24}));
  const auto has = [&](const char* key, auto is) { return root.is_object() && root.contains(key) && is(root[key]); };
  const auto whole = [](const Read& value) { return value.is_number_integer(); };
  const auto text = [](const Read& value) { return value.is_string(); };
  const auto object = [](const Read& value) { return value.is_object(); };
  if (!has("version", whole) || root["version"] != kVersion) {
    return fail(ErrorCode::bad_input, "{}: is no state of a training run that this version of Tern reads", what);
  }
  const bool complete = has("recipe", object) && has("model", object) && has("steps", whole) && has("step", whole) &&
                        has("data", text) && has("blas_kernels", text) && has("isa", text) &&
                        has("least_loss", [](const Read& value) { return value.is_number(); }) &&
                        has("norms_inside_projections", [](const Read& value) { return value.is_boolean(); }) &&
                        has("optional_tensors", [](const Read& value) { return value.is_array(); });
  if (!complete) return fail(ErrorCode::bad_input, "{}: the state of the training run lacks a part", what);
  RunState state;
  TERN_TRY(state.recipe, parse_recipe(root["recipe"].dump(), what));
  auto model = read_model(root["model"], root["norms_inside_projections"].get<bool>());
  if (!model) return in_context(what, std::move(model).error());
  state.model = std::move(*model);
  for (const Read& name : root["optional_tensors"]) {
    if (!name.is_string()) return fail(ErrorCode::bad_input, "{}: optional_tensors holds what is no name", what);
    state.optional_tensors.push_back(name.get<std::string>());
  }
  state.n_steps = root["steps"].get<std::int64_t>();
  state.step = root["step"].get<std::int64_t>();
  state.least_loss = root["least_loss"].get<double>();
  state.blas_kernels = root["blas_kernels"].get<std::string>();
  state.isa = root["isa"].get<std::string>();
  const auto digits = root["data"].get<std::string>();
  if (std::from_chars(digits.data(), digits.data() + digits.size(), state.data, 16).ec != std::errc{} ||
      state.n_steps < 1 || state.step < 0 || state.step > state.n_steps) {
    return fail(ErrorCode::bad_input, "{}: the state of the training run is damaged (step {} of {})", what, state.step,
                state.n_steps);
  }
  return state;
}

}  // namespace tern::train
