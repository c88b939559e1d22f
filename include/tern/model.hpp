// A language model from a GGUF file: tokenise, continue a text, ask for logits. One Model is one conversation with one
// context; it is not safe to use one object from two threads at once. Files are mapped, so loading takes milliseconds.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tern/error.hpp"

namespace tern {

struct ModelOptions {
  int n_threads = 0;       // 0: the cores this process may use
  std::int64_t n_ctx = 0;  // tokens of context; 0: what the model was trained with
  std::string isa = {};    // instruction set to force ("avx2", "scalar"); "": the best
};

struct GenerationOptions {
  std::int64_t n_predict = 128;  // tokens at most
  float temperature = 0.8F;      // 0: greedy
  std::int32_t top_k = 40;
  float top_p = 0.95F;
  float min_p = 0.05F;
  float repeat_penalty = 1.0F;
  std::uint64_t seed = 0;
  std::vector<std::string> stop = {};  // the text ends before the first of these
};

class Model {
 public:
  /// Errors: not_found, bad_input, unsupported, out_of_memory; the message names file and tensor.
  [[nodiscard]] static Result<Model> load(const std::string& path, const ModelOptions& options = {});

  Model(Model&&) noexcept;
  Model& operator=(Model&&) noexcept;
  ~Model();

  [[nodiscard]] std::string architecture() const;
  [[nodiscard]] std::int64_t n_vocab() const;
  [[nodiscard]] std::int64_t n_ctx() const;

  /// Token ids of a text; special-token strings in it are plain text. No BOS is added.
  [[nodiscard]] Result<std::vector<std::int32_t>> tokenize(std::string_view text) const;
  [[nodiscard]] Result<std::string> detokenize(std::span<const std::int32_t> ids) const;

  /// Continues `prompt` (BOS is put in front where the vocabulary wants it; an empty prompt starts at BOS). Each piece
  /// of valid UTF-8 goes to `on_text` as it becomes certain; return false there to stop. Gives the whole continuation.
  [[nodiscard]] Result<std::string> generate(std::string_view prompt, const GenerationOptions& options = {},
                                             const std::function<bool(std::string_view)>& on_text = {});

  /// Logits [ids.size() * n_vocab] of every position, from an empty context.
  [[nodiscard]] Result<std::vector<float>> logits(std::span<const std::int32_t> ids);

 private:
  struct Impl;
  explicit Model(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace tern
