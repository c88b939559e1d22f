// A function of a library that was loaded while the program runs.
#pragma once

#include <dlfcn.h>

namespace tern::linalg {

/// Null where the library lacks it. `Function`: a pointer to a function.
template <typename Function>
[[nodiscard]] Function symbol(void* library, const char* name) {
  return reinterpret_cast<Function>(::dlsym(library, name));
}

}  // namespace tern::linalg
