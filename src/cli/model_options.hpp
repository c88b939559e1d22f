// The options that every command with a model shares, with llama.cpp's letters.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "cli/console.hpp"
#include "engine/session.hpp"

namespace CLI {
class App;
}

namespace tern::cli {

/// Errors: usage for a word in the place of the model's file that is no file: a text stands there with nothing in front
/// of it, and `hint` says where it goes.
[[nodiscard]] Result<void> names_a_file(const std::string& word, std::string_view command, std::string_view hint);

struct ModelOptions {
  std::string model;
  int n_threads = 0;  // 0: the cores this process may use
  std::string isa;
  std::optional<models::Pooling> pooling = {};  // for commands that make embeddings; not an option here

  /// -m/--model, --pages, -t/--threads, --isa; the file may stand alone: tern run model.gguf.
  /// `stray_hint`, which must outlive this: what was meant by a word in the file's place that names none.
  void declare(CLI::App& app, std::string_view stray_hint);
  /// The file and its pages alone, for a command whose threads and instruction sets are lists of its own.
  void declare_file(CLI::App& app, std::string_view stray_hint);
  /// Makes `model` the file that was named either way. `texts` are what an option took that takes several files.
  /// Errors: usage where no file is named, or two.
  [[nodiscard]] Result<void> settle(std::span<const std::string> texts = {});
  /// settle(), loads and prints the model's warnings.
  [[nodiscard]] Result<std::shared_ptr<const engine::Model>> load(Console& console);
  [[nodiscard]] int threads() const;
  /// Errors: usage for a word that --pages does not take.
  [[nodiscard]] Result<engine::Pages> pages() const;

 private:
  void declare_machine(CLI::App& app);
  std::string pages_ = "auto";
  std::string argument_;
  std::string command_;  // its name, for messages
  std::string_view stray_hint_;
};

/// -c/--ctx-size: the trained context but at most 4096 unless told otherwise, since a cache for what some models are
/// trained with would not fit the machine.
struct ContextOption {
  std::optional<std::int64_t> n_ctx;

  void declare(CLI::App& app);
  /// The number of positions for this model; more than it was trained with is said. Errors: usage.
  [[nodiscard]] Result<std::int64_t> resolve(const engine::Model& model, Console& console) const;
};

}  // namespace tern::cli
