// Implementation of bench_json.hpp.
#include "lab/bench_json.hpp"

namespace tern::lab {
namespace {

using Json = nlohmann::ordered_json;

Json or_null(const std::optional<double>& value) {
  return value ? Json(*value) : Json(nullptr);
}

Json operation_json(const OperationRow& row) {
  const bool is_counted = row.cost.bytes > 0.0;
  return {{"operation", row.name},
          {"count", row.n_operations},
          {"seconds", row.seconds},
          {"percent_of_limit", percent_json(row.judged)},
          {"limit", limit_json(row.judged)},
          {"gigabytes_per_second", is_counted ? Json(row.gigabytes_per_second()) : Json(nullptr)},
          {"gigamacs_per_second", is_counted ? Json(row.gigamacs_per_second()) : Json(nullptr)}};
}

Json row_json(const BenchRow& row, bool compared) {
  Json out{{"n_prompt", row.test.n_prompt},
           {"n_gen", row.test.n_gen},
           {"n_depth", row.test.n_depth},
           {"n_sequences", row.test.n_sequences},
           {"n_threads", row.test.n_threads},
           {"isa", row.test.isa},
           {"tokens_per_second", row.speed.median},
           {"min", row.speed.min},
           {"max", row.speed.max},
           {"repetitions", row.rates},
           {"disturbed", row.disturbed},
           {"bytes_per_token", row.cost.bytes_per_token()},
           {"gigabytes_per_second", row.gigabytes_per_second()},
           {"gigamacs_per_second", row.gigamacs_per_second()},
           {"percent_of_limit", percent_json(row.judged)},
           {"limit", limit_json(row.judged)},
           {"ratio_to_16_bit_sums", or_null(row.judged.ratio_to_16_bit_sums)}};
  if (!row.operations.empty()) {
    out["operations"] = Json::array();
    for (const OperationRow& operation : row.operations) out["operations"].push_back(operation_json(operation));
  }
  if (compared) {
    out["ratio"] = row.against ? Json(row.against->ratio) : Json(nullptr);
    out["ratio_of_limit"] = row.against ? or_null(row.against->ratio_of_limit) : Json(nullptr);
    out["within_spread"] = row.against ? Json(row.against->within_spread) : Json(nullptr);
  }
  return out;
}

}  // namespace

Json percent_json(const Judgement& judged) {
  return or_null(judged.percent);
}

Json limit_json(const Judgement& judged) {
  return judged.limit.empty() ? Json(nullptr) : Json(judged.limit);
}

Json limits_json(std::span<const Limit> limits) {
  Json out = Json::array();
  for (const Limit& limit : limits) {
    out.push_back({{"quantity", limit.quantity},
                   {"n_threads", limit.n_threads},
                   {"value", or_null(limit.value)},
                   {"unit", limit.unit()}});
  }
  return out;
}

Json to_json(const BenchResult& result) {
  Json loads = Json::object();
  for (const BenchResult::Load& load : result.loads) loads[load.isa] = load.seconds;
  Json out{{"version", result.version},
           {"cpu", result.cpu},
           {"cores", result.n_cores},
           {"model", result.model},
           {"file_bytes", result.file_bytes},
           {"architecture", result.architecture},
           {"load_seconds", std::move(loads)},
           {"peak_resident_bytes", result.peak_resident_bytes},
           {"n_batch", result.n_batch},
           {"cache_type_k", result.cache.keys->name},
           {"pages", engine::pages_name(result.pages)},
           {"huge_bytes", result.huge_bytes},
           {"cache_type_v", result.cache.values->name},
           {"limits", limits_json(result.limits)}};
  if (!result.against.empty()) out["against"] = result.against;
  out["rows"] = Json::array();
  for (const BenchRow& row : result.rows) out["rows"].push_back(row_json(row, !result.against.empty()));
  return out;
}

}  // namespace tern::lab
