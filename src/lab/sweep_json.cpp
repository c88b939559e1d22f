// Implementation of sweep_json.hpp.
#include "lab/sweep_json.hpp"

#include <cmath>

#include "stats/summary.hpp"

namespace tern::lab {
namespace {

using Json = nlohmann::ordered_json;

template <typename T>
Json or_null(const std::optional<T>& value) {
  return value ? Json(*value) : Json(nullptr);
}

Json interval(const std::optional<stats::Interval>& value) {
  return value ? Json{value->low, value->high} : Json(nullptr);
}

Json speed(const std::vector<double>& rounds) {
  if (rounds.empty()) return nullptr;
  const stats::Summary summary = stats::summarise(rounds);
  return {{"median", summary.median}, {"min", summary.min}, {"max", summary.max}, {"rounds", rounds}};
}

Json text_json(const SweepText& text, const TextScore& score) {
  const stats::PairedComparison& paired = score.paired;
  return {{"text", text.name},
          {"perplexity", score.perplexity},
          {"stderr", score.standard_error},
          {"delta", paired.delta_perplexity},
          {"delta_interval", interval(paired.delta_interval)},
          {"mean_nll_difference", paired.mean_difference},
          {"p_value", or_null(paired.p_value)},
          {"p_adjusted", or_null(score.p_adjusted)},
          {"significant", paired.significant},
          {"identical", score.identical},
          {"bits_per_byte", score.bits_per_byte},
          {"n_tokens", paired.n_tokens},
          {"n_chunks", text.n_chunks}};
}

Json format_json(const SweepResult& result, std::size_t i) {
  const FormatResult& format = result.formats[i];
  Json out{{"format", format.format->name}};
  if (!format.error.empty()) {
    out["error"] = format.error;
    return out;
  }
  out["reference"] = result.reference == i;
  out["texts"] = Json::array();
  for (std::size_t t = 0; t < format.texts.size(); ++t)
    out["texts"].push_back(text_json(result.texts[t], format.texts[t]));
  out["mean"] = {{"loss", std::expm1(format.mean.mean_difference)},
                 {"loss_interval", format.mean.interval ? Json{std::expm1(format.mean.interval->low),
                                                               std::expm1(format.mean.interval->high)}
                                                        : Json(nullptr)},
                 {"below_margin", loss_is_shown_small(result, i)}};
  out["size_bytes"] = format.file_bytes;
  out["embedding_bytes"] = format.embedding_bytes;
  out["embedding_relative_rmse"] = format.relative_rmse;
  out["peak_memory_bytes"] = or_null(format.peak_memory);
  if (!format.memory_error.empty()) out["memory_error"] = format.memory_error;
  out["prefill_tokens_per_second"] = speed(format.prefill);
  out["generation_tokens_per_second"] = speed(format.generation);
  out["continuation"] = result.n_predict > 0 ? Json(format.continuation) : Json(nullptr);
  return out;
}

Json choice_json(const SweepResult& result, const Choice& choice) {
  Json out{{"format", nullptr}, {"reason", choice.reason}, {"ties", Json::array()}};
  if (choice.format) out["format"] = result.formats[*choice.format].format->name;
  for (const std::size_t tie : choice.ties) out["ties"].push_back(result.formats[tie].format->name);
  return out;
}

}  // namespace

Json to_json(const SweepResult& result, const Verdict& verdict) {
  Json out;
  const SweepModel& model = result.model;
  out["model"] = {{"path", model.path},
                  {"architecture", model.architecture},
                  {"n_parameters", model.n_parameters},
                  {"n_vocab", model.n_vocab},
                  {"n_embd", model.n_embd},
                  {"n_layers", model.n_layers},
                  {"context_length", model.n_ctx_train},
                  {"file_bytes", model.file_bytes},
                  {"embedding", model.embedding},
                  {"embedding_format", model.stored->name},
                  {"tied", model.tied}};
  out["machine"] = {
      {"cpu", result.cpu}, {"isa", result.isa}, {"n_threads", result.n_threads}, {"n_cores", result.n_cores}};
  out["protocol"] = {
      {"chunk", result.n_ctx},
      {"reference", result.reference ? Json(result.formats[*result.reference].format->name) : Json(nullptr)},
      {"significance", "p_value < 0.05 (delta_interval excludes 0); p_adjusted is Holm's over formats x texts"},
      {"margin", result.margin},
      {"repetitions", result.repetitions},
      {"prefill_tokens", result.n_prompt},
      {"generated_tokens", result.n_generate},
      {"prompt", result.prompt},
      {"continuation_tokens", result.n_predict}};
  out["texts"] = Json::array();
  for (const SweepText& text : result.texts) {
    out["texts"].push_back({{"text", text.name},
                            {"path", text.path},
                            {"n_documents", text.n_documents},
                            {"n_tokens", text.n_tokens},
                            {"n_chunks", text.n_chunks},
                            {"n_scored", text.n_scored}});
  }
  out["formats"] = Json::array();
  for (std::size_t i = 0; i < result.formats.size(); ++i) out["formats"].push_back(format_json(result, i));
  out["verdict"] = {{"production", choice_json(result, verdict.production)},
                    {"least_memory", choice_json(result, verdict.least_memory)},
                    {"most_speed", choice_json(result, verdict.most_speed)},
                    {"no_measurable_loss", choice_json(result, verdict.no_measurable_loss)}};
  out["warnings"] = result.warnings;
  for (const std::string& warning : verdict.warnings) out["warnings"].push_back(warning);
  out["seconds"] = result.seconds;
  return out;
}

}  // namespace tern::lab
