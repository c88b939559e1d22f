// The options that every command with a model shares, with llama.cpp's letters.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
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
  std::optional<models::Pooling> pooling = {};  // for commands that make embeddings; not an option here

  /// -m/--model, -t/--threads, --isa
  void declare(CLI::App& app);
  /// The same, and the file may stand alone: tern run model.gguf.
  void declare_with_argument(CLI::App& app);
  /// Loads and prints the model's warnings. Errors: usage where no file is named, or two.
  [[nodiscard]] Result<std::shared_ptr<const engine::Model>> load(Console& console);
  [[nodiscard]] int threads() const;

 private:
  void declare_machine(CLI::App& app);
  std::string argument_;
};

/// -c/--ctx-size: the trained context but at most 4096 unless told otherwise, since a cache for what some models are
/// trained with would not fit the machine.
struct ContextOption {
  std::int64_t n_ctx = -1;

  void declare(CLI::App& app);
  /// The number of positions for this model; more than it was trained with is said. Errors: usage.
  [[nodiscard]] Result<std::int64_t> resolve(const engine::Model& model, Console& console) const;
};

}  // namespace tern::cli
