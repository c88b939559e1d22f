// Perplexity by llama.cpp's protocol: the text is tokenised once, cut into chunks of n_ctx tokens (the tail is
// dropped), each evaluated with an empty cache; where the vocabulary adds BOS the first token of a chunk is overwritten
// by it; only the second half of a chunk is scored (255 tokens of 512). Every token's loss is kept, so that two models
// can be compared pair by pair. Not comparable across tokenizers: for that there is bits per byte. Source: llama.cpp's
// perplexity tool, whose figures this reproduces.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "base/progress.hpp"
#include "engine/session.hpp"

namespace tern::eval {

struct PerplexityOptions {
  std::int64_t n_ctx = 0;        // 0: min(512, trained context)
  std::int64_t max_chunks = -1;  // -1: all
  int n_threads = 1;
  engine::CacheFormats cache = {};  // F16 is what llama.cpp's figures are made with
};

/// A text as the chunks that will be scored; the same chunks serve every model with this tokenizer.
struct Chunks {
  std::int64_t n_ctx = 0;
  std::int64_t n_chunks = 0;
  std::int64_t n_tokens = 0;               // of the whole text
  std::vector<std::int32_t> ids;           // [n_chunks][n_ctx]
  std::vector<std::int32_t> scored_bytes;  // [n_chunks][n_scored] bytes of the text that each scored token spells
  [[nodiscard]] std::int64_t first_scored() const { return n_ctx / 2; }  // the position whose logits are first used
  [[nodiscard]] std::int64_t n_scored() const { return n_ctx - 1 - first_scored(); }
};

/// Errors: bad_input when the text has fewer than 2 * n_ctx tokens; the model must have a tokenizer.
[[nodiscard]] Result<Chunks> make_chunks(const engine::Model& model, std::string_view text,
                                         const PerplexityOptions& options);

struct PerplexityResult {
  std::int64_t n_chunks = 0;
  std::int64_t n_ctx = 0;
  std::vector<double> nll;  // [n_chunks][n_scored], natural logarithm
  double perplexity = 0.0;
  double standard_error = 0.0;  // of the perplexity, unpaired (llama.cpp's ±)
  double bits_per_byte = 0.0;
  double seconds = 0.0;
  double tokens_per_second = 0.0;  // all tokens computed, scored or not
};

/// Errors: cancelled; those of the session.
[[nodiscard]] Result<PerplexityResult> perplexity(std::shared_ptr<const engine::Model> model, const Chunks& chunks,
                                                  const PerplexityOptions& options, Progress& progress);

/// -log softmax(logits)[target] in double.
[[nodiscard]] double negative_log_likelihood(std::span<const float> logits, std::int32_t target);

}  // namespace tern::eval
