// What is done to a text before it is split into words: a chain of steps, made from the data of a Vocabulary (the
// section "normalizer" of a Hugging Face tokenizer.json, SentencePiece's character map). It changes no ids by itself
// and knows no tokens. Bytes that are not UTF-8 stay as they are. A text may not grow beyond 64 times its size (64 KiB
// are always allowed) nor beyond 1 GiB, so that a few bytes of a hostile file cannot ask for much memory or time.
#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "text/vocabulary.hpp"

namespace tern::text {

class NormalizerStep {
 public:
  virtual ~NormalizerStep() = default;
  /// Puts the changed text into `out` (empty before) and says true; says false, with `out` in any state, where the text
  /// stays as it is. Errors: more than `max_bytes` come out; a pattern takes too long.
  [[nodiscard]] virtual Result<bool> apply(std::string_view text, std::size_t max_bytes, std::string& out) const = 0;
};

using NormalizerSteps = std::vector<std::unique_ptr<const NormalizerStep>>;

class Normalizer {
 public:
  /// The steps that `vocabulary` asks for: its character map, its section "normalizer" (WordPiece without one: BERT's
  /// uncased cleaning), and the removal of extra spaces.
  [[nodiscard]] static Result<Normalizer> make(const Vocabulary& vocabulary);

  [[nodiscard]] bool empty() const { return steps_.empty(); }

  /// The normalised text: `text` itself, or a view into `storage`.
  [[nodiscard]] Result<std::string_view> apply(std::string_view text, std::string& storage) const;

 private:
  NormalizerSteps steps_;
};

/// Appends the steps of a section "normalizer". Errors: a type that this program does not have, by name.
[[nodiscard]] Result<void> append_normalizer_steps(const nlohmann::json& section, NormalizerSteps& steps);

/// The error of a text that grew too large.
[[nodiscard]] std::unexpected<Error> text_grew_too_large(std::size_t max_bytes);

// The makers of steps, each in a file of its own.
[[nodiscard]] Result<std::unique_ptr<const NormalizerStep>> make_bert_step(const nlohmann::json& section);
[[nodiscard]] Result<std::unique_ptr<const NormalizerStep>> make_replace_step(const nlohmann::json& section);
[[nodiscard]] Result<std::unique_ptr<const NormalizerStep>> make_precompiled_step(const nlohmann::json& section);
[[nodiscard]] Result<std::unique_ptr<const NormalizerStep>> make_sentencepiece_step(
    std::span<const std::uint8_t> charsmap);

}  // namespace tern::text
