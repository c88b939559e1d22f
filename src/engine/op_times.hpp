// Where the time of steps goes.
#pragma once

#include <vector>

namespace tern::engine {

/// Wall-clock seconds by operation of a compiled plan, added up over all steps. Operations that run together on each
/// token (token_ops.hpp) share their time as the threads spent it in them.
struct OpTimes {
  std::vector<double> whole;     // [CompiledPlan::ops()]
  std::vector<double> rounding;  // of these, the seconds in which the input of products was brought into its form
};

}  // namespace tern::engine
