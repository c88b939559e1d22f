// tern tokenizer train: learns a byte-level BPE vocabulary from texts and writes it as Hugging Face programs read it.
#include <CLI/CLI.hpp>
#include <filesystem>

#include "base/words.hpp"
#include "cli/all.hpp"
#include "cli/counted.hpp"
#include "cli/json_output.hpp"
#include "cli/output_file.hpp"
#include "cli/threads_option.hpp"
#include "sys/atomic_file.hpp"
#include "sys/mapped_file.hpp"
#include "sys/path.hpp"
#include "text/bpe_trainer.hpp"
#include "text/tokenizer.hpp"
#include "text/write_tokenizer_json.hpp"
#include "train/data/count_words.hpp"
#include "train/data/documents.hpp"

namespace tern::cli {
namespace {

class TokenizerTrain final : public Command {
 public:
  void declare(CLI::App& app) override {
    app.add_option("FILE...", files_, "texts in UTF-8")->required();
    app.add_option("--vocab-size", vocab_size_, "tokens, with the 256 bytes and the special ones")
        ->type_name("N")
        ->required();
    takes_output(app.add_option("-o,--output", output_,
                                "a name that ends in .json for the file, else a folder for tokenizer.json; "
                                "tokenizer_config.json goes beside it")
                     ->type_name("DIR")
                     ->required());
    app.add_option("--special", special_,
                   "a special token, given once for each: the first is BOS, the second EOS, a single one EOS "
                   "(default <|begin_of_text|> and <|end_of_text|>)")
        ->type_name("TEXT")
        ->expected(1)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    app.add_option("--min-frequency", min_frequency_, "pairs that occur less often are not merged (default 0)")
        ->type_name("N");
    app.add_option("--separator", separator_,
                   fmt::format("what stands between two documents; no token reaches over it (default {}); empty for "
                               "none",
                               train::kDefaultSeparator))
        ->type_name("TEXT");
    declare_threads(app, n_threads_);
    app.add_flag("--force", force_, "overwrite the files");
    app.add_flag("--json", json_, "one JSON value");
    app.footer(
        "Words are split by LLaMA 3's pattern. Vocabulary and merges are those of Hugging Face's BpeTrainer on the\n"
        "same documents; the result does not depend on the number of threads.\n");
  }

  Result<void> run(Console& console) override {
    const std::string json_path = output_.ends_with(".json") ? output_ : folder() + "/tokenizer.json";
    const std::string config_path = sys::beside(json_path, "tokenizer_config.json");
    if (json_path == config_path) {
      return fail(ErrorCode::usage, "-o is {}, which is the name of the file beside the tokenizer; name another",
                  output_);
    }
    for (const std::string& path : {json_path, config_path}) {
      TERN_TRY_DO(keeps_inputs(path, files_));
      TERN_TRY_DO(sys::may_write(path, force_));
    }
    if (vocab_size_ < 0) return fail(ErrorCode::usage, "--vocab-size is {}, expected a number of tokens", vocab_size_);
    if (min_frequency_ < 0) return fail(ErrorCode::usage, "--min-frequency is {}, expected 0 or more", min_frequency_);
    const text::BpeTraining training{
        .vocab_size = static_cast<std::size_t>(std::max<std::int64_t>(vocab_size_, 0)),
        .special_tokens =
            special_.empty() ? std::vector<std::string>{"<|begin_of_text|>", "<|end_of_text|>"} : special_,
        .min_frequency = static_cast<std::uint64_t>(min_frequency_)};
    TERN_TRY_DO(text::check_training(training));
    sys::ThreadPool threads(threads_or_all(n_threads_));
    TERN_TRY(const train::CountedText counted_text, train::count_words(files_, separator_, threads, console));
    if (counted_text.words.entries().empty()) {
      return fail(ErrorCode::bad_input, "{}: no text to learn from: every document is empty", files_.front());
    }
    TERN_TRY(const text::Vocabulary vocabulary, text::train_bpe(counted_text.words, training, console));
    if (const auto made = text::Tokenizer::make(vocabulary); !made) {
      return fail(ErrorCode::usage,
                  "a special token is spelled like a piece of text ({}): choose names that no text holds, such as "
                  "<|name|>",
                  made.error().message);
    }
    TERN_TRY(const std::string json, text::tokenizer_json_text(vocabulary));
    if (!output_.ends_with(".json")) {
      std::error_code error;
      std::filesystem::create_directories(folder(), error);
      if (error) return fail(ErrorCode::io, "{}: cannot make this folder: {}", folder(), error.message());
    }
    TERN_TRY_DO(write_both(json_path, json, config_path, text::tokenizer_config_text(vocabulary)));
    console.end();
    report(console, json_path, vocabulary, counted_text);
    return {};
  }

 private:
  [[nodiscard]] std::string folder() const { return sys::without_final_slashes(output_); }

  // Both or none.
  [[nodiscard]] Result<void> write_both(const std::string& first, std::string_view first_text,
                                        const std::string& second, std::string_view second_text) const {
    TERN_TRY(sys::AtomicFile one, sys::AtomicFile::create(first, force_));
    TERN_TRY(sys::AtomicFile two, sys::AtomicFile::create(second, force_));
    TERN_TRY_DO(one.write(first_text));
    TERN_TRY_DO(two.write(second_text));
    TERN_TRY_DO(one.seal());
    TERN_TRY_DO(two.seal());
    TERN_TRY_DO(one.publish());
    return two.publish();
  }

  void report(Console& console, const std::string& path, const text::Vocabulary& vocabulary,
              const train::CountedText& counted_text) const {
    const bool is_short = vocabulary.size() < static_cast<std::size_t>(vocab_size_);
    if (json_) {
      const auto name = [&](std::optional<std::int32_t> id) {
        return id ? Json(vocabulary.tokens[static_cast<std::size_t>(*id)]) : Json(nullptr);
      };
      print_json(console, {{"file", path},
                           {"n_vocab", vocabulary.size()},
                           {"n_merges", vocabulary.merges.size()},
                           {"bos", name(vocabulary.bos)},
                           {"eos", name(vocabulary.eos)},
                           {"n_documents", counted_text.n_documents},
                           {"n_words", counted_text.words.total()},
                           {"n_different_words", counted_text.words.entries().size()},
                           {"n_bytes", counted_text.n_bytes}});
      return;
    }
    if (is_short) {
      console.note(fmt::format("note: {} of the {} tokens wanted: the text has no more pairs that occur often enough",
                               with_separators(vocabulary.size()),
                               with_separators(static_cast<std::uint64_t>(vocab_size_))));
    }
    console.out(fmt::format("{}: {}, {}, from {} of text in {}\n", printable(path, 200),
                            counted(vocabulary.size(), "token"), counted(vocabulary.merges.size(), "merge"),
                            human_bytes(counted_text.n_bytes), counted(counted_text.n_documents, "document")));
  }

  std::vector<std::string> files_;
  std::int64_t vocab_size_ = 0;
  std::string output_;
  std::vector<std::string> special_;
  std::int64_t min_frequency_ = 0;
  std::string separator_{train::kDefaultSeparator};
  int n_threads_ = 0;
  bool force_ = false;
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Command> make_tokenizer_train() {
  return std::make_unique<TokenizerTrain>();
}

}  // namespace tern::cli
