#include "engine/embed.hpp"

namespace tern::engine {

Result<std::vector<std::int32_t>> embedding_ids(const Model& model, std::string_view text) {
  const text::Tokenizer* tokenizer = model.tokenizer();
  if (tokenizer == nullptr) {
    return fail(ErrorCode::unsupported, "the model has no usable tokenizer: {}", model.tokenizer_error());
  }
  const text::Vocabulary& vocabulary = tokenizer->vocabulary();
  TERN_TRY(auto ids, tokenizer->encode(text, {.add_bos = vocabulary.add_bos, .add_eos = vocabulary.add_eos}));
  if (ids.empty()) return fail(ErrorCode::usage, "an empty text has no embedding");
  return ids;
}

Result<std::vector<float>> embed(Session& session, std::span<const std::int32_t> ids) {
  TERN_CHECK(session.model().plan().pooling() != models::Pooling::none);
  const std::int64_t n_ctx = session.options().n_ctx;
  if (std::ssize(ids) > n_ctx) {
    return fail(ErrorCode::usage,
                "a text has {} tokens but the context is {}: split the text, or use a larger context (-c)", ids.size(),
                n_ctx);
  }
  std::vector<BatchItem> batch;
  batch.reserve(ids.size());
  for (std::size_t i = 0; i < ids.size(); ++i) batch.push_back({ids[i], static_cast<std::int32_t>(i), 0, false});
  session.truncate(0, 0);
  TERN_TRY_DO(session.decode(batch));
  return session.embedding(0);
}

}  // namespace tern::engine
