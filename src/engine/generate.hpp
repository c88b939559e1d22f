// Continues a text: prompt ids in, pieces of UTF-8 text out as they become certain, until a stop rule holds.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/sampler.hpp"
#include "engine/session.hpp"

namespace tern::engine {

enum class StopReason : std::uint8_t { length, end_of_text, stop_string, context_full, cancelled };

/// "length", "stop", ... as the OpenAI API and llama.cpp say it.
[[nodiscard]] std::string_view stop_reason_name(StopReason reason);

struct GenerateOptions {
  std::int64_t n_predict = -1;  // tokens at most; -1: until end of text or a full context
  SamplerOptions sampler;
  std::vector<std::string> stop = {};  // the text ends before the first of these
  bool ignore_eos = false;
  /// Tokens guessed ahead at most by prompt lookup, and verified in one step: the tokens are the same, and come sooner
  /// where the text repeats itself. 0: none.
  std::int64_t n_draft = 0;
  /// The prompt's text was shown before: a SentencePiece leading space of the first new token is then kept.
  bool continues_text = true;
  /// Asked between the pieces of a prompt and between tokens; true ends with StopReason::cancelled. May be empty.
  std::function<bool()> cancelled = {};
};

struct GenerateResult {
  std::vector<std::int32_t> ids;  // without the end-of-text token
  std::string text;
  StopReason reason = StopReason::length;
  std::int64_t n_prompt = 0;    // prompt tokens computed (a prefix still in the session is not)
  std::int64_t n_drafted = 0;   // tokens that were guessed, and
  std::int64_t n_accepted = 0;  // those of them that were right
  double prompt_seconds = 0.0;
  double generate_seconds = 0.0;
};

/// Text is handed over in order; return false to stop (the result says cancelled).
using TextSink = std::function<bool(std::string_view)>;

/// The ids of a prompt as generation wants them: BOS in front where the vocabulary adds it; an empty prompt is BOS
/// alone. Special-token strings are read as such only with `parse_special`. Errors: no tokenizer; an empty prompt
/// without BOS.
[[nodiscard]] Result<std::vector<std::int32_t>> prompt_ids(const Model& model, std::string_view prompt,
                                                           bool parse_special = false);

/// Runs sequence 0 of the session: what it already holds must be `history[0 .. length)`, the rest of `history` is the
/// prompt. Errors: usage when the prompt does not fit the context (both numbers are named), or the model has no
/// tokenizer.
[[nodiscard]] Result<GenerateResult> generate(Session& session, std::span<const std::int32_t> history,
                                              const GenerateOptions& options, const TextSink& sink);

}  // namespace tern::engine
