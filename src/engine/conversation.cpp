#include "engine/conversation.hpp"

#include <algorithm>

namespace tern::engine {
namespace {

// Room that must be left for an answer before it begins; older turns go first.
std::int64_t answer_room(std::int64_t n_ctx) {
  return std::min<std::int64_t>(n_ctx / 4, 256);
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const auto first = text.find_first_not_of(kSpace);
  return first == std::string_view::npos ? std::string_view{}
                                         : text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

}  // namespace

Result<Conversation> Conversation::make(std::unique_ptr<Session> session, const text::ChatFormat* format,
                                        std::string system) {
  if (session->model().tokenizer() == nullptr) {
    return fail(ErrorCode::bad_input, "this model cannot write text: {}", session->model().tokenizer_error());
  }
  Conversation made(std::move(session), format, std::move(system));
  TERN_TRY(made.opening_, made.opening());
  const std::int64_t n_ctx = made.session_->options().n_ctx;
  if (std::ssize(made.opening_) + answer_room(n_ctx) > n_ctx) {
    return fail(ErrorCode::bad_input,
                "the system text has {} tokens but the context holds {}; shorten it or use a larger context (-c)",
                made.opening_.size(), n_ctx);
  }
  return made;
}

Result<std::vector<std::int32_t>> Conversation::opening() const {
  const text::Tokenizer& tokenizer = *session_->model().tokenizer();
  const text::Vocabulary& vocabulary = tokenizer.vocabulary();
  std::vector<std::int32_t> ids;
  if (vocabulary.bos && (vocabulary.add_bos || (format_ != nullptr && format_->begins_with_bos)))
    ids.push_back(*vocabulary.bos);
  std::vector<std::int32_t> system;
  if (format_ == nullptr) {
    TERN_TRY(system, tokenizer.encode(system_));
  } else if (!system_.empty() && !format_->system_in_user) {
    TERN_TRY(system, text::encode_chat(
                         tokenizer, *format_,
                         {{format_->system.before, true}, {trimmed(system_), false}, {format_->system.after, true}}));
  }
  ids.insert(ids.end(), system.begin(), system.end());
  return ids;
}

Result<std::vector<std::int32_t>> Conversation::encode_question(std::string_view message, bool is_first) const {
  const text::Tokenizer& tokenizer = *session_->model().tokenizer();
  if (format_ == nullptr) return tokenizer.encode(message);
  std::vector<text::ChatPiece> pieces;
  if (!is_first) pieces.push_back({format_->assistant.after, true});  // closes the answer before
  pieces.push_back({format_->user.before, true});
  if (is_first && format_->system_in_user && !system_.empty()) {
    pieces.push_back({format_->system.before, true});
    pieces.push_back({trimmed(system_), false});
    pieces.push_back({format_->system.after, true});
  }
  pieces.push_back({trimmed(message), false});
  pieces.push_back({format_->user.after, true});
  pieces.push_back({format_->assistant.before, true});
  return text::encode_chat(tokenizer, *format_, pieces);
}

Result<void> Conversation::drop_oldest() {
  turns_.erase(turns_.begin());
  TERN_TRY(turns_.front().question, encode_question(turns_.front().message, true));
  return {};
}

std::vector<std::int32_t> Conversation::history() const {
  std::vector<std::int32_t> ids = opening_;
  for (const Turn& turn : turns_) {
    ids.insert(ids.end(), turn.question.begin(), turn.question.end());
    ids.insert(ids.end(), turn.answer.begin(), turn.answer.end());
  }
  return ids;
}

std::int64_t Conversation::n_tokens() const {
  return std::ssize(history());
}

void Conversation::align(const std::vector<std::int32_t>& ids) {
  const auto [mine, theirs] = std::ranges::mismatch(held_, ids);
  session_->truncate(0, mine - held_.begin());
}

void Conversation::reset() {
  turns_.clear();
  held_.clear();
  session_->truncate(0, 0);
}

Result<ConversationAnswer> Conversation::ask(std::string_view message, GenerateOptions options, const TextSink& sink) {
  const std::int64_t n_ctx = session_->options().n_ctx;
  TERN_TRY(std::vector<std::int32_t> question, encode_question(message, turns_.empty()));
  if (question.empty() && history().empty())
    return fail(ErrorCode::bad_input, "the message is empty and the vocabulary has no BOS token to start from");
  if (std::ssize(opening_) + std::ssize(question) + 1 > n_ctx) {
    return fail(ErrorCode::bad_input,
                "the message has {} tokens but the context has room for {}; shorten it or use a larger context (-c)",
                question.size(), n_ctx - std::ssize(opening_) - 1);
  }
  if (format_ != nullptr && !format_->end.empty()) options.stop.emplace_back(format_->end);
  // A new line of scaffold begins the answer, so that a leading space is not part of it; a plain text just goes on.
  options.continues_text = format_ == nullptr;

  const std::vector<Turn> turns_before = turns_;
  turns_.push_back({std::string(message), std::move(question), {}});
  ConversationAnswer answer;
  while (turns_.size() > 1 && n_tokens() + answer_room(n_ctx) > n_ctx) {
    TERN_TRY_DO(drop_oldest());
    ++answer.n_turns_dropped;
  }
  const std::int64_t n_wanted = options.n_predict;
  for (;;) {
    const std::vector<std::int32_t> ids = history();
    align(ids);
    auto part = generate(*session_, ids, options, sink);
    if (!part) {
      turns_ = turns_before;
      held_.clear();
      session_->truncate(0, 0);
      return std::unexpected(std::move(part).error());
    }
    auto& turn = turns_.back().answer;
    turn.insert(turn.end(), part->ids.begin(), part->ids.end());
    held_ = ids;
    held_.insert(held_.end(), part->ids.begin(), part->ids.end());
    held_.resize(static_cast<std::size_t>(session_->length(0)));

    GenerateResult& whole = answer.result;
    whole.ids.insert(whole.ids.end(), part->ids.begin(), part->ids.end());
    whole.text += part->text;
    whole.reason = part->reason;
    whole.n_prompt += part->n_prompt;
    whole.n_drafted += part->n_drafted;
    whole.n_accepted += part->n_accepted;
    whole.prompt_seconds += part->prompt_seconds;
    whole.generate_seconds += part->generate_seconds;
    if (part->reason != StopReason::context_full || turns_.size() == 1) return answer;
    // The answer goes on with fewer turns before it. (Its sampler begins anew; a character cut in two is shown as
    // U+FFFD.)
    TERN_TRY_DO(drop_oldest());
    ++answer.n_turns_dropped;
    if (n_wanted >= 0) options.n_predict = n_wanted - std::ssize(whole.ids);
    options.continues_text = true;
    options.sampler.seed += 1;
  }
}

}  // namespace tern::engine
