// tern chat: a conversation in the terminal. Ctrl-C stops an answer, Ctrl-D ends the program.
#include <CLI/CLI.hpp>
#include <csignal>

#include "base/words.hpp"
#include "cli/all.hpp"
#include "cli/counted.hpp"
#include "cli/generation_options.hpp"
#include "cli/json_output.hpp"
#include "cli/line_editor.hpp"
#include "engine/conversation.hpp"
#include "sys/signals.hpp"

namespace tern::cli {
namespace {

constexpr std::int64_t kPlainAnswer = 256;  // tokens, where no template tells the model to come to an end

class Chat final : public Command {
 public:
  void declare(CLI::App& app) override {
    model_.declare(app, stray_hint());
    app.add_option("--system", system_, "what the model is told before the conversation")->type_name("TEXT");
    generation_.declare(
        app, fmt::format("tokens of an answer at most; -1: no limit (default -1; {} without a template)", kPlainAnswer),
        "end an answer before this text");
    app.add_flag("-v,--verbose", verbose_, "timings after every answer, on stderr");
    app.add_flag("--json", json_, "no streaming: the whole conversation as one JSON value at the end");
  }

  Result<void> run(Console& console) override {
    TERN_TRY(sampler_, generation_.resolve());
    first_seed_ = sampler_.seed;
    TERN_TRY(const engine::CacheFormats cache, generation_.cache.resolve());
    TERN_TRY(const auto model, model_.load(console));
    TERN_TRY_DO(makes_text(*model, model_.model, "answers"));
    const text::ChatFormat* format = nullptr;
    if (model->tokenizer() != nullptr) {
      const std::string& chat_template = model->tokenizer()->vocabulary().chat_template;
      format = text::recognise_chat_format(chat_template);
      if (format == nullptr) {
        console.note(
            chat_template.empty()
                ? "this model has no chat template: it continues your text as plain text"
                : "this model's chat template is of no kind that Tern knows: it continues your text as plain text");
      }
    }
    n_predict_ = generation_.n_predict.value_or(format == nullptr ? kPlainAnswer : -1);
    TERN_TRY(const std::int64_t n_ctx, generation_.context.resolve(*model, console));
    TERN_TRY(auto session,
             engine::Session::make(model, {.n_threads = model_.threads(), .n_ctx = n_ctx, .cache = cache}));
    TERN_TRY(auto conversation, engine::Conversation::make(std::move(session), format, system_));
    if (editor_.is_terminal()) {
      console.note(fmt::format("{} ({}). /help for the commands, Ctrl-C stops an answer, Ctrl-D ends.",
                               printable(model_.model, 80), format == nullptr ? "plain text" : format->name));
    }
    const auto ended = converse(console, conversation);
    if (json_)
      print_json(console, {{"messages", messages_},
                           {"n_tokens", conversation.n_tokens()},
                           {"n_drafted", n_drafted_},
                           {"n_accepted", n_accepted_},
                           {"seed", first_seed_}});
    return ended;
  }

  [[nodiscard]] std::string_view stray_hint() const override {
    return "what is said comes from the terminal or a pipe";
  }

 private:
  Result<void> converse(Console& console, engine::Conversation& conversation) {
    for (;;) {
      const auto line = editor_.read("> ");
      if (console.cancelled()) return fail(ErrorCode::cancelled, "");
      if (!line) return {};
      if (line->find_first_not_of(" \t") == std::string::npos) continue;
      if (line->starts_with('/')) {
        if (obey(console, conversation, *line)) return {};
        continue;
      }
      if (!answer(console, conversation, *line)) return fail(ErrorCode::cancelled, "");
    }
  }

  // True when the conversation is to end.
  bool obey(Console& console, engine::Conversation& conversation, const std::string& line) {
    const std::string word = line.substr(0, line.find(' '));
    if (word == "/quit" || word == "/exit") return true;
    if (word == "/reset") {
      conversation.reset();
      messages_ = Json::array();
      console.note("a new conversation");
    } else if (word == "/stats") {
      console.note(stats(conversation));
    } else if (word == "/help") {
      console.note(
          "/reset  begin a new conversation\n"
          "/stats  tokens, speed, context\n"
          "/quit   end (as Ctrl-D)\n"
          "Ctrl-C stops an answer; the arrows, Home, End, Ctrl-A E K U W edit a line, up and down recall earlier "
          "ones.");
    } else {
      static constexpr std::array<std::string_view, 4> kWords{"/help", "/reset", "/stats", "/quit"};
      console.note(fmt::format("unknown command {}{}; see /help", printable(word), did_you_mean(word, kWords)));
    }
    return false;
  }

  // False when a signal asks the program to end.
  bool answer(Console& console, engine::Conversation& conversation, const std::string& line) {
    const auto sink = [&](std::string_view text) {
      if (!json_) console.out(text);
      return !console.cancelled();
    };
    const auto answered = conversation.ask(line,
                                           {.n_predict = n_predict_,
                                            .sampler = sampler_,
                                            .stop = generation_.stop,
                                            .ignore_eos = false,
                                            .n_draft = generation_.n_draft,
                                            .continues_text = false,
                                            .cancelled = [&] { return console.cancelled(); }},
                                           sink);
    ++sampler_.seed;  // the next answer draws other numbers, still reproducibly
    if (!answered) {
      console.note(answered.error().message);
      return true;
    }
    const engine::GenerateResult& result = answered->result;
    if (!json_) console.out("\n");
    messages_.push_back({{"role", "user"}, {"content", line}});
    messages_.push_back({{"role", "assistant"}, {"content", result.text}});
    if (answered->n_turns_dropped > 0) {
      console.note(fmt::format("(the context was full: the oldest {} were forgotten)",
                               answered->n_turns_dropped == 1
                                   ? "question and answer"
                                   : fmt::format("{} questions and answers", answered->n_turns_dropped)));
    }
    if (result.reason == engine::StopReason::context_full)
      console.note("(the answer ended because the context is full; use a larger -c)");
    last_ = result;
    n_drafted_ += result.n_drafted;
    n_accepted_ += result.n_accepted;
    if (verbose_) console.note(stats(conversation));
    if (!console.cancelled()) return true;
    // On a terminal Ctrl-C is for the answer; from a pipe nobody can ask again.
    if (sys::interrupt_signal() != SIGINT || !editor_.is_terminal()) return false;
    sys::clear_interrupt();
    console.note("(stopped)");
    return true;
  }

  [[nodiscard]] std::string stats(const engine::Conversation& conversation) const {
    return fmt::format(
        "{}, {} of {} of context; last answer: prompt {} at {:.1f} tokens/s, {} generated at {:.1f} tokens/s{}",
        counted(conversation.n_turns(), "turn"), conversation.n_tokens(),
        counted(conversation.session().options().n_ctx, "token"), counted(last_.n_prompt, "token"),
        rate(last_.n_prompt, last_.prompt_seconds), last_.ids.size(),
        rate(std::ssize(last_.ids), last_.generate_seconds), accepted_drafts(last_));
  }

  ModelOptions model_;
  engine::SamplerOptions sampler_;
  std::uint64_t first_seed_ = 0;
  LineEditor editor_;
  std::string system_;
  GenerationOptions generation_;
  std::int64_t n_predict_ = -1;
  bool verbose_ = false;
  bool json_ = false;
  std::int64_t n_drafted_ = 0;   // tokens that were guessed, over all answers, and
  std::int64_t n_accepted_ = 0;  // those of them that were right
  Json messages_ = Json::array();
  engine::GenerateResult last_;
};

}  // namespace

std::unique_ptr<Command> make_chat() {
  return std::make_unique<Chat>();
}

}  // namespace tern::cli
