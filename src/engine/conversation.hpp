// A conversation with a model: turns kept as token ids, the session's cache used again as far as it still fits, and the
// oldest turns forgotten when the context is full. Without a chat format it is one text that both sides write on.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/generate.hpp"
#include "text/chat_format.hpp"

namespace tern::engine {

struct ConversationAnswer {
  GenerateResult result;
  std::size_t n_turns_dropped = 0;  // pairs of a question and its answer that were forgotten to make room
};

class Conversation {
 public:
  /// `format` null: plain continuation. `system` may be empty; without a format it begins the text.
  /// Errors: no tokenizer; a system text that leaves no room.
  [[nodiscard]] static Result<Conversation> make(std::unique_ptr<Session> session, const text::ChatFormat* format,
                                                 std::string system);

  /// One question and its answer; text goes to the sink as it becomes certain. A cancelled answer stays in the
  /// conversation as far as it was given. Errors leave the conversation as it was: bad_input for a message longer than
  /// the context.
  [[nodiscard]] Result<ConversationAnswer> ask(std::string_view message, GenerateOptions options, const TextSink& sink);

  /// Forgets every turn (the system's words stay).
  void reset();

  [[nodiscard]] std::size_t n_turns() const { return turns_.size(); }
  /// Tokens of the conversation as they stand in the context.
  [[nodiscard]] std::int64_t n_tokens() const;
  [[nodiscard]] const Session& session() const { return *session_; }

 private:
  struct Turn {
    std::string message;
    std::vector<std::int32_t> question;  // with the scaffold around it, up to where the answer begins
    std::vector<std::int32_t> answer;
  };

  Conversation(std::unique_ptr<Session> session, const text::ChatFormat* format, std::string system)
      : session_(std::move(session)), format_(format), system_(std::move(system)) {}
  [[nodiscard]] Result<std::vector<std::int32_t>> encode_question(std::string_view message, bool is_first) const;
  [[nodiscard]] Result<std::vector<std::int32_t>> opening() const;
  [[nodiscard]] std::vector<std::int32_t> history() const;
  /// Forgets the first turn; the next one becomes the first in its scaffold too.
  [[nodiscard]] Result<void> drop_oldest();
  /// Lets go of the cache behind the first difference.
  void align(const std::vector<std::int32_t>& ids);

  std::unique_ptr<Session> session_;
  const text::ChatFormat* format_;
  std::string system_;
  std::vector<std::int32_t> opening_;  // BOS and the system's turn: never dropped
  std::vector<Turn> turns_;
  std::vector<std::int32_t> held_;  // what the session's cache holds
};

}  // namespace tern::engine
