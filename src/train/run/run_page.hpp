// DIR/report.html: one offline page with a run's curves, renewed while it runs. Written from the log alone.
#pragma once

#include <string>

#include "train/run/run_log.hpp"
#include "train/run/run_state.hpp"

namespace tern::train {

[[nodiscard]] std::string run_page(const RunState& state, const RunHistory& history);

}  // namespace tern::train
