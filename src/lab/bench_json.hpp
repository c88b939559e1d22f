// A benchmark as one JSON value: everything that was measured, nothing rounded. What is missing is null.
#pragma once

#include <nlohmann/json.hpp>
#include <span>

#include "lab/bench.hpp"

namespace tern::lab {

[[nodiscard]] nlohmann::ordered_json to_json(const BenchResult& result);

/// Members of a row: null where there is no percentage, or no limit is known.
[[nodiscard]] nlohmann::ordered_json percent_json(const Judgement& judged);
[[nodiscard]] nlohmann::ordered_json limit_json(const Judgement& judged);

/// [{quantity, n_threads, value, unit}, ...]
[[nodiscard]] nlohmann::ordered_json limits_json(std::span<const Limit> limits);

}  // namespace tern::lab
