// The program's exit codes: 0 ok, 1 failed, 2 usage, 3 bad input, 4 out of resources, 128 + n ended by signal n.
#pragma once

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

}  // namespace tern::cli
