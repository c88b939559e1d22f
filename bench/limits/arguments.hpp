// The options of the program tern_limits, read by hand: the yardstick leans on nothing but the standard library.
#pragma once

#include <expected>
#include <string>
#include <vector>

#include "limits.hpp"

namespace limits {

struct Arguments {
  std::vector<int> threads;       // at least one
  std::vector<std::string> only;  // quantities that exist; empty: all
  Options options;
  bool json = false, help = false;
};

/// One line says what is wrong.
std::expected<Arguments, std::string> read_arguments(const std::vector<std::string>& words);

const char* usage();

}  // namespace limits
