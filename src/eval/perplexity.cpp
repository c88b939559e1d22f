#include "eval/perplexity.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "stats/perplexity.hpp"
#include "sys/clock.hpp"

namespace tern::eval {

Result<Chunks> make_chunks(const engine::Model& model, std::string_view text, const PerplexityOptions& options) {
  const text::Tokenizer* tokenizer = model.tokenizer();
  if (tokenizer == nullptr)
    return fail(ErrorCode::bad_input, "this model cannot read text: {}", model.tokenizer_error());
  Chunks out;
  out.n_ctx = options.n_ctx > 0 ? options.n_ctx : std::min<std::int64_t>(512, model.parameters().n_ctx_train);
  if (out.n_ctx < 4) return fail(ErrorCode::usage, "a chunk of {} tokens is too short; expected at least 4", out.n_ctx);
  const text::Vocabulary& vocabulary = tokenizer->vocabulary();
  const bool add_bos = vocabulary.add_bos && vocabulary.bos.has_value();
  TERN_TRY(const auto ids, tokenizer->encode(text, {.add_bos = add_bos, .add_eos = false, .parse_special = false}));
  out.n_tokens = std::ssize(ids);
  if (out.n_tokens / 2 < out.n_ctx) {
    return fail(ErrorCode::bad_input,
                "the text has {} tokens, expected at least {} (two chunks of {}); use a longer text or a smaller -c",
                out.n_tokens, 2 * static_cast<std::uint64_t>(out.n_ctx), out.n_ctx);
  }
  out.n_chunks = out.n_tokens / out.n_ctx;
  if (options.max_chunks > 0) out.n_chunks = std::min(out.n_chunks, options.max_chunks);
  out.ids.assign(ids.begin(), ids.begin() + out.n_chunks * out.n_ctx);
  for (std::int64_t chunk = 0; chunk < out.n_chunks; ++chunk) {
    for (std::int64_t i = out.first_scored() + 1; i < out.n_ctx; ++i) {
      const std::int32_t id = out.ids[static_cast<std::size_t>(chunk * out.n_ctx + i)];
      out.scored_bytes.push_back(static_cast<std::int32_t>(tokenizer->piece(id).size()));
    }
    if (add_bos) out.ids[static_cast<std::size_t>(chunk * out.n_ctx)] = *vocabulary.bos;
  }
  return out;
}

double negative_log_likelihood(std::span<const float> logits, std::int32_t target) {
  const float top = *std::ranges::max_element(logits);
  double sum = 0.0;
  for (const float logit : logits) sum += static_cast<double>(std::exp(logit - top));
  return std::log(sum) - (static_cast<double>(logits[static_cast<std::size_t>(target)]) - static_cast<double>(top));
}

Result<PerplexityResult> perplexity(std::shared_ptr<const engine::Model> model, const Chunks& chunks,
                                    const PerplexityOptions& options, Progress& progress) {
  const sys::Stopwatch clock;
  constexpr std::int64_t kBatch = 256;
  TERN_TRY(const auto session, engine::Session::make(std::move(model), {.n_threads = options.n_threads,
                                                                        .n_ctx = chunks.n_ctx,
                                                                        .n_sequences = 1,
                                                                        .n_batch = kBatch,
                                                                        .cache = options.cache}));
  sys::ThreadPool pool(options.n_threads);
  PerplexityResult result;
  result.n_chunks = chunks.n_chunks;
  result.n_ctx = chunks.n_ctx;
  result.nll.resize(static_cast<std::size_t>(chunks.n_chunks * chunks.n_scored()));
  progress.begin("perplexity", static_cast<std::uint64_t>(chunks.n_chunks));
  for (std::int64_t chunk = 0; chunk < chunks.n_chunks; ++chunk) {
    const std::int32_t* ids = chunks.ids.data() + chunk * chunks.n_ctx;
    double* nll = result.nll.data() + chunk * chunks.n_scored();
    session->truncate(0, 0);
    // Logits are asked for in pieces, so that a large vocabulary does not take gigabytes.
    for (std::int64_t begin = 0; begin < chunks.n_ctx; begin += kBatch) {
      const std::int64_t end = std::min(begin + kBatch, chunks.n_ctx);
      std::vector<engine::BatchItem> batch;
      std::vector<std::int64_t> scored;
      for (std::int64_t i = begin; i < end; ++i) {
        const bool wanted = i >= chunks.first_scored() && i + 1 < chunks.n_ctx;
        batch.push_back({ids[i], static_cast<std::int32_t>(i), 0, wanted});
        if (wanted) scored.push_back(i);
      }
      TERN_TRY_DO(session->decode(batch));
      if (progress.cancelled())
        return fail(ErrorCode::cancelled, "stopped in chunk {} of {}", chunk + 1, chunks.n_chunks);
      pool.parallel_for(std::ssize(scored), 8, [&](std::int64_t first, std::int64_t last) {
        for (std::int64_t s = first; s < last; ++s) {
          const std::int64_t i = scored[static_cast<std::size_t>(s)];
          nll[i - chunks.first_scored()] =
              negative_log_likelihood(session->logits(static_cast<std::size_t>(s)), ids[i + 1]);
        }
      });
    }
    for (std::int64_t i = 0; i < chunks.n_scored(); ++i) {
      if (std::isfinite(nll[i])) continue;
      return fail(ErrorCode::bad_input,
                  "the model gives no probability ({}) for a token of chunk {}: its weights hold NaN or overflow; "
                  "convert it again",
                  nll[i], chunk + 1);
    }
    progress.update(static_cast<std::uint64_t>(chunk + 1));
  }
  progress.end();
  const auto summary = stats::perplexity(result.nll);
  result.perplexity = summary.value;
  result.standard_error = summary.standard_error.value_or(0.0);
  result.bits_per_byte =
      summary.bits_per_byte(std::accumulate(chunks.scored_bytes.begin(), chunks.scored_bytes.end(), 0.0));
  result.seconds = clock.seconds();
  result.tokens_per_second = static_cast<double>(chunks.n_chunks * chunks.n_ctx) / result.seconds;
  return result;
}

}  // namespace tern::eval
