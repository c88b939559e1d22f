// Errors of the public interface: a value, or a code with one line for a person. Nothing in Tern throws across this
// border.
#pragma once

#include <expected>
#include <string>

namespace tern {

/// The closed set of failure kinds.
enum class ErrorCode {
  usage,          // the caller asked for something that cannot be asked
  bad_input,      // bytes from outside that do not mean what they should
  not_found,      // a file, tensor or name that is not there
  unsupported,    // understood, but not done by this program
  io,             // the operating system refused
  out_of_memory,  // would need more memory than there is
  out_of_space,   // the disk is full
  cancelled,      // the user stopped it
  internal,       // our bug, reported instead of aborting
};

struct Error {
  ErrorCode code = ErrorCode::internal;
  std::string message;  // one line, no final newline
};

template <typename T>
using Result = std::expected<T, Error>;

}  // namespace tern
