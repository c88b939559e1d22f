// Environment variables that a library reads while it is being loaded, and no longer. A value the user set stays.
#pragma once

#include <cstdlib>
#include <initializer_list>
#include <utility>
#include <vector>

namespace tern::linalg {

class LoadEnvironment {
 public:
  /// Names and values; an empty value sets nothing. One such object at a time: the environment is the process's.
  LoadEnvironment(std::initializer_list<std::pair<const char*, const char*>> variables) {
    for (const auto& [name, value] : variables) {
      if (value[0] == '\0' || ::getenv(name) != nullptr) continue;
      ::setenv(name, value, 0);
      set_.push_back(name);
    }
  }
  ~LoadEnvironment() {
    for (const char* name : set_) ::unsetenv(name);
  }
  LoadEnvironment(const LoadEnvironment&) = delete;
  LoadEnvironment& operator=(const LoadEnvironment&) = delete;

 private:
  std::vector<const char*> set_;
};

}  // namespace tern::linalg
