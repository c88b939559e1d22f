// The program's exit codes: 0 ok, 1 failed, 2 usage, 3 bad input, 4 out of resources, 128 + n ended by signal n.
#pragma once

#include <string_view>

#include "base/error.hpp"

namespace tern::cli {

[[nodiscard]] constexpr int exit_code(ErrorCode code) {
  switch (code) {
    case ErrorCode::usage:
      return 2;
    case ErrorCode::bad_input:
    case ErrorCode::not_found:
    case ErrorCode::unsupported:
      return 3;
    case ErrorCode::out_of_memory:
    case ErrorCode::out_of_space:
      return 4;
    case ErrorCode::cancelled:
      return 130;
    case ErrorCode::io:
    case ErrorCode::internal:
      return 1;
  }
  return 1;
}

/// The same for people: the help and the manual pages print it.
struct ExitCodeText {
  std::string_view code;
  std::string_view meaning;
};
inline constexpr ExitCodeText kExitCodes[] = {
    {"0", "done"},
    {"1", "failed"},
    {"2", "wrong usage"},
    {"3", "bad input"},
    {"4", "out of memory or disk"},
    {"129", "stopped by a hang-up"},
    {"130", "stopped with Ctrl-C"},
    {"141", "stopped by a closed pipe"},
    {"143", "stopped by SIGTERM"},
};

}  // namespace tern::cli
