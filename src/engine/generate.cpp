#include "engine/generate.hpp"

#include <algorithm>
#include <cmath>

#include "engine/speculation.hpp"
#include "sys/clock.hpp"
#include "text/detokenizer.hpp"

namespace tern::engine {
namespace {

// Finds stop strings in a stream and holds back text that may be the beginning of one.
class StopFilter {
 public:
  explicit StopFilter(const std::vector<std::string>& stops) : stops_(stops) {}

  // Text that is certain to come before any stop string.
  std::string push(std::string_view text) {
    held_ += text;
    std::size_t first = std::string::npos;
    for (const std::string& stop : stops_) {
      if (!stop.empty()) first = std::min(first, held_.find(stop));
    }
    if (first != std::string::npos) {
      found_ = true;
      held_.resize(first);
      return std::exchange(held_, {});
    }
    std::size_t keep = 0;
    for (const std::string& stop : stops_) {
      for (std::size_t n = std::min(stop.size(), held_.size()); n > keep; --n) {
        if (held_.ends_with(std::string_view(stop).substr(0, n))) keep = n;
      }
    }
    std::string out = held_.substr(0, held_.size() - keep);
    held_.erase(0, out.size());
    return out;
  }
  std::string finish() { return std::exchange(held_, {}); }
  [[nodiscard]] bool found() const { return found_; }

 private:
  const std::vector<std::string>& stops_;
  std::string held_;
  bool found_ = false;
};

}  // namespace

std::string_view stop_reason_name(StopReason reason) {
  switch (reason) {
    case StopReason::length:
      return "length";
    case StopReason::end_of_text:
      return "end_of_text";
    case StopReason::stop_string:
      return "stop";
    case StopReason::context_full:
      return "context_full";
    case StopReason::cancelled:
      return "cancelled";
  }
  return "?";
}

Result<std::vector<std::int32_t>> prompt_ids(const Model& model, std::string_view prompt, bool parse_special) {
  const text::Tokenizer* tokenizer = model.tokenizer();
  if (tokenizer == nullptr)
    return fail(ErrorCode::bad_input, "this model cannot read text: {}", model.tokenizer_error());
  const text::Vocabulary& vocabulary = tokenizer->vocabulary();
  if (prompt.empty()) {
    if (vocabulary.bos) return std::vector<std::int32_t>{*vocabulary.bos};
    if (vocabulary.eos) return std::vector<std::int32_t>{*vocabulary.eos};  // separates documents where there is no BOS
    return fail(ErrorCode::usage, "the prompt is empty and the vocabulary has no BOS token to start from");
  }
  return tokenizer->encode(prompt, {.add_bos = vocabulary.add_bos, .add_eos = false, .parse_special = parse_special});
}

Result<GenerateResult> generate(Session& session, std::span<const std::int32_t> history, const GenerateOptions& options,
                                const TextSink& sink) {
  TERN_TRY_DO(check(options.sampler));
  const text::Tokenizer* tokenizer = session.model().tokenizer();
  if (tokenizer == nullptr)
    return fail(ErrorCode::bad_input, "this model cannot write text: {}", session.model().tokenizer_error());
  const std::int64_t n_ctx = session.options().n_ctx;
  if (std::ssize(history) > n_ctx) {
    return fail(ErrorCode::usage,
                "the prompt has {} tokens but the context holds {}; shorten it or use a larger context (-c)",
                history.size(), n_ctx);
  }
  if (history.empty())
    return fail(ErrorCode::usage, "the prompt is empty and the vocabulary has no BOS token to start from");

  GenerateResult result;
  sys::Stopwatch clock;
  std::vector<std::int32_t> ids(history.begin(), history.end());
  // The last token is always computed anew when nothing else is left, since its logits are needed.
  const std::int64_t reused = std::min(session.length(0), std::ssize(history) - 1);
  session.truncate(0, reused);
  std::vector<BatchItem> batch;
  for (std::int64_t i = reused; i < std::ssize(history); ++i) {
    batch.push_back({ids[static_cast<std::size_t>(i)], static_cast<std::int32_t>(i), 0, i + 1 == std::ssize(history)});
  }
  // In the session's own pieces, so that a long prompt can be stopped.
  const auto is_cancelled = [&] { return options.cancelled && options.cancelled(); };
  const auto piece = static_cast<std::size_t>(session.options().n_batch);
  for (std::span<const BatchItem> rest = batch; !rest.empty();) {
    const auto part = rest.first(std::min(piece, rest.size()));
    TERN_TRY_DO(session.decode(part));
    rest = rest.subspan(part.size());
    result.n_prompt += std::ssize(part);
    if (is_cancelled()) {
      result.reason = StopReason::cancelled;
      result.prompt_seconds = clock.seconds();
      return result;
    }
  }
  result.prompt_seconds = clock.seconds();
  clock.restart();

  Sampler sampler(options.sampler);
  Speculation speculation(session, options.n_draft);
  text::Detokenizer detokenizer(*tokenizer, {.at_start = !options.continues_text, .render_special = false});
  StopFilter filter(options.stop);
  const auto emit = [&](const std::string& text) {
    result.text += text;
    return text.empty() || sink(text);
  };
  for (;;) {
    if (options.n_predict >= 0 && std::ssize(result.ids) >= options.n_predict) break;
    if (is_cancelled()) {
      result.reason = StopReason::cancelled;
      break;
    }
    const std::int32_t token = sampler.sample(speculation.logits(), ids);
    if (!std::isfinite(speculation.logits()[static_cast<std::size_t>(token)])) {
      speculation.finish();
      return fail(ErrorCode::bad_input,
                  "the model gives no probability for any token: its weights hold NaN or overflow; convert it again");
    }
    if (!options.ignore_eos && tokenizer->is_end_of_generation(token)) {
      result.reason = StopReason::end_of_text;
      break;
    }
    ids.push_back(token);
    result.ids.push_back(token);
    if (!emit(filter.push(detokenizer.push(token)))) {
      result.reason = StopReason::cancelled;
      break;
    }
    if (filter.found()) {
      result.reason = StopReason::stop_string;
      break;
    }
    if (options.n_predict >= 0 && std::ssize(result.ids) >= options.n_predict) break;
    if (std::ssize(ids) > n_ctx) {
      result.reason = StopReason::context_full;
      break;
    }
    const std::int64_t n_left = options.n_predict < 0 ? n_ctx : options.n_predict - std::ssize(result.ids);
    TERN_TRY_DO(speculation.advance(ids, n_left));
  }
  speculation.finish();
  result.n_drafted = speculation.n_drafted();
  result.n_accepted = speculation.n_accepted();
  if (!filter.found() && result.reason != StopReason::cancelled) {
    std::string rest = filter.push(detokenizer.finish());
    if (filter.found())
      result.reason = StopReason::stop_string;
    else
      rest += filter.finish();
    if (!emit(rest)) result.reason = StopReason::cancelled;
  }
  result.generate_seconds = clock.seconds();
  return result;
}

}  // namespace tern::engine
