// What every harness asks of an error: it says something, on one line, however broken the input.
#pragma once

#include <cstddef>
#include <string>

#include "base/error.hpp"

namespace tern::fuzz {

/// `most`: bytes that a message stays below, for inputs whose parts are quoted in it.
inline void check_one_line(const Error& error, std::size_t most = std::string::npos) {
  TERN_CHECK(!error.message.empty() && error.message.find('\n') == std::string::npos);
  TERN_CHECK(error.message.size() < most);
}

}  // namespace tern::fuzz
