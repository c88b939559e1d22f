// tern tokenize: a text's token ids under a model's tokenizer or any tokenizer file.
#include <CLI/CLI.hpp>

#include "base/utf8.hpp"
#include "base/words.hpp"
#include "cli/all.hpp"
#include "cli/json_output.hpp"
#include "cli/model_options.hpp"
#include "cli/pre_option.hpp"
#include "cli/text_input.hpp"
#include "models/tokenizer_source.hpp"
#include "text/tokenizer.hpp"

namespace tern::cli {
namespace {

class Tokenize final : public Command {
 public:
  void declare(CLI::App& app) override {
    app.add_option("MODEL", argument_, "GGUF file, as with -m");
    app.add_option("-m,--model", model_, "GGUF file whose tokenizer is used (its weights are not read)")
        ->type_name("FILE");
    app.add_option("--tokenizer", tokenizer_,
                   "or a tokenizer by itself: tokenizer.json, a SentencePiece model, tiktoken ranks, llama2.c's .bin, "
                   "or a folder with one")
        ->type_name("PATH");
    declare_pre(app, pre_);
    text_.declare(app);
    app.add_flag("--bos", bos_, "put the BOS token in front");
    app.add_flag("--parse-special", parse_special_, "read names of special tokens in the text as those tokens");
    app.add_flag("--pieces", pieces_, "one line a token: id and what it spells");
    app.add_flag("--json", json_, "one JSON value: ids and n");
  }

  Result<void> run(Console& console) override {
    if (!argument_.empty() && !(model_.empty() && tokenizer_.empty()))
      TERN_TRY_DO(names_a_file(argument_, "tokenize", stray_hint()));
    const bool twice = !argument_.empty() && !model_.empty();
    if (model_.empty()) model_ = argument_;
    if (twice || model_.empty() == tokenizer_.empty()) {
      return fail(ErrorCode::usage, "tokenize: expected one of -m FILE and --tokenizer PATH; see tern tokenize --help");
    }
    TERN_TRY(auto given, text_.read());
    std::vector<std::string> warnings;
    const std::string& path = model_.empty() ? tokenizer_ : model_;
    TERN_TRY(auto vocabulary,
             models::read_tokenizer(path, pre_.empty() ? std::nullopt : std::optional(pre_), warnings));
    for (const std::string& warning : warnings) console.note("warning: " + warning);
    const auto tokenizer = text::Tokenizer::make(std::move(vocabulary));
    if (!tokenizer) return in_context(path, tokenizer.error());
    if (!given) {
      TERN_TRY(given, read_standard_input());
    }
    TERN_TRY(const auto ids,
             tokenizer->encode(*given, {.add_bos = bos_, .add_eos = false, .parse_special = parse_special_}));
    std::string out;
    if (json_) {
      Json value{{"ids", ids}, {"n", ids.size()}};
      out = value.dump() + "\n";  // on one line: a book has a hundred thousand ids
    } else if (pieces_) {
      for (const std::int32_t id : ids) out += fmt::format("{:>7}  \"{}\"\n", id, shown(tokenizer->piece(id)));
    } else {
      out = fmt::format("{}\n", fmt::join(ids, " "));
    }
    console.out(out);
    return {};
  }

  [[nodiscard]] std::vector<std::string> choices(std::string_view option) const override {
    if (option == "--pre") return pre_choices();
    return {};
  }

  [[nodiscard]] std::string_view stray_hint() const override { return "a text goes behind -p, a file behind -f"; }

 private:
  // A token's bytes on one line: UTF-8 as it is, control and broken bytes as \xNN.
  static std::string shown(std::string_view piece) {
    std::string out;
    while (!piece.empty()) {
      const Utf8Step step = utf8_step(piece);
      const auto byte = static_cast<unsigned char>(piece.front());
      if (step.valid && byte >= 0x20 && byte != 0x7f) {
        out += piece.substr(0, step.length);
      } else {
        for (const char c : piece.substr(0, step.length))
          out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
      }
      piece.remove_prefix(step.length);
    }
    return out;
  }

  std::string model_;
  std::string argument_;
  std::string tokenizer_;
  std::string pre_;
  TextInput text_;
  bool bos_ = false;
  bool parse_special_ = false;
  bool pieces_ = false;
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Command> make_tokenize() {
  return std::make_unique<Tokenize>();
}

}  // namespace tern::cli
