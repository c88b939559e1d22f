// A sweep and its verdict as one JSON value: everything that was measured, nothing rounded. What is missing is null.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "lab/sweep.hpp"
#include "lab/sweep_verdict.hpp"

namespace tern::lab {

[[nodiscard]] nlohmann::ordered_json to_json(const SweepResult& result, const Verdict& verdict);

}  // namespace tern::lab
