#include "base/error.hpp"

#include <cstdio>
#include <cstdlib>

namespace tern {

std::unexpected<Error> in_context(std::string_view context, Error error) {
  error.message = fmt::format("{}: {}", context, error.message);
  return std::unexpected<Error>(std::move(error));
}

void check_failed(const char* condition, const char* file, int line) {
  std::fprintf(stderr, "tern: internal error: %s is false at %s:%d\n", condition, file, line);
  std::abort();
}

}  // namespace tern
