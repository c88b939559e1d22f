#include "cli/threads_option.hpp"

#include <CLI/CLI.hpp>

#include "sys/cpu.hpp"

namespace tern::cli {

void declare_threads(CLI::App& app, int& n) {
  app.add_option("-t,--threads", n, "threads (default: the cores this process may use)")
      ->type_name("N")
      ->check(CLI::Range(0, 1024));
}

int threads_or_all(int n) {
  return n > 0 ? n : sys::usable_cores();
}

}  // namespace tern::cli
