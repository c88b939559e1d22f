// The options that every command with a model shares, with llama.cpp's letters.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "cli/console.hpp"
#include "engine/session.hpp"

namespace CLI {
class App;
}

namespace tern::cli {

struct ModelOptions {
  std::string model;
  int n_threads = 0;  // 0: the cores this process may use
  std::string isa;

  /// -m/--model, -t/--threads, --isa
  void declare(CLI::App& app);
  /// Loads and prints the model's warnings.
  [[nodiscard]] Result<std::shared_ptr<const engine::Model>> load(Console& console) const;
  [[nodiscard]] int threads() const;
};

}  // namespace tern::cli
