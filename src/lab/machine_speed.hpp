// What a machine's limits mean for a person who has to choose a format: the most tokens per second that a model of a
// billion weights could make in each, and what to change to go faster. By count alone: nothing is run here.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kernels/kernels.hpp"
#include "lab/bench_limits.hpp"
#include "ops/matrix.hpp"
#include "sys/host_settings.hpp"

namespace tern::lab {

/// The most that the machine could do with a billion weights in a format, embedding and head not counted.
struct FormatSpeed {
  std::string_view format;
  std::string_view trained;  // "ternary", "binary": packed, with int8 activations of one scale a token, as in BitNet
  double bits = 0.0;         // a weight, in memory
  ops::Arithmetic one_token;
  ops::Arithmetic many_tokens;
  std::optional<double> generate;  // tokens/s: reading the weights once a token
  std::optional<double> prompt;    // tokens/s: the multiply-adds
};

/// The formats that people choose among, largest first.
[[nodiscard]] std::vector<FormatSpeed> format_speeds(const kernels::Kernels& kernels, const Limits& limits,
                                                     int n_threads);

/// Every limit that format_speeds() asks for.
void want_format_limits(const kernels::Kernels& kernels, int n_threads, Limits& limits);

struct MachineFacts {
  sys::HostSettings host;
  int usable_cores = 1;
  std::string_view isa_used;
  std::string_view isa_best;
  std::string_view isa_to_try = {};  // runs here, and is taken only if it is asked for; empty: there is none
  double share_lost = 0.0;           // of the processor time while limits were measured: sys::BusyWatch
};

/// One line for each thing that would make models faster; empty when nothing is known.
[[nodiscard]] std::vector<std::string> advice(const MachineFacts& facts);

}  // namespace tern::lab
