// tern embed: texts as vectors, and how alike they are.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <vector>

#include "base/words.hpp"
#include "cli/all.hpp"
#include "cli/counted.hpp"
#include "cli/json_output.hpp"
#include "cli/model_options.hpp"
#include "cli/output_file.hpp"
#include "cli/text_input.hpp"
#include "engine/embed.hpp"
#include "files/npy.hpp"
#include "report/table.hpp"

namespace tern::cli {
namespace {

// Beyond this the matrix of pairs says less than it takes to print.
constexpr std::size_t kMostCompared = 100;
constexpr std::size_t kMostShown = 12;

class Embed final : public Command {
 public:
  void declare(CLI::App& app) override {
    model_.declare(app, stray_hint());
    app.add_option("-p,--prompt", prompts_, "a text; may be given several times")
        ->type_name("TEXT")
        ->allow_extra_args(false);
    app.add_option("-f,--file", files_, "a file whose lines are texts; may be given several times, - is stdin")
        ->type_name("FILE")
        ->allow_extra_args(false);
    app.add_flag("--whole", whole_, "each file is one text, not one a line");
    app.add_option("--pooling", pooling_,
                   "how tokens become one vector: mean, cls (the first) or last (default: as the file says)")
        ->type_name("KIND");
    app.add_flag("--no-normalize", raw_, "vectors as they are, not scaled to length 1");
    takes_output(app.add_option("-o,--output", output_, "float32 .npy file [n_texts, width]")->type_name("FILE"));
    app.add_flag("--force", force_, "overwrite the output");
    context_.declare(app);
    app.add_flag("--json", json_, "vectors and cosines as one JSON value");
  }

  Result<void> run(Console& console) override {
    TERN_TRY_DO(model_.settle());
    if (!output_.empty()) TERN_TRY_DO(keeps_model_and_texts(output_, model_.model, files_));
    TERN_TRY_DO(read_texts(console));
    const std::vector<std::string>& texts = texts_;
    if (!pooling_.empty()) {
      auto named = models::pooling_by_name(pooling_);
      if (!named) return fail(ErrorCode::usage, "--pooling: {}", named.error().message);
      model_.pooling = *named;
    }
    TERN_TRY(const auto model, model_.load(console));
    if (model->plan().pooling() == models::Pooling::none) {
      return fail(ErrorCode::usage,
                  "{} does not say how its tokens' vectors become one: name it with --pooling mean, cls or last",
                  printable(model_.model, 100));
    }
    TERN_TRY(const std::int64_t n_ctx, context_.resolve(*model, console));
    TERN_TRY(const auto session, engine::Session::make(model, {.n_threads = model_.threads(), .n_ctx = n_ctx}));
    std::vector<std::vector<float>> vectors;
    std::vector<std::size_t> n_tokens;
    console.begin("embed", texts.size());
    for (std::size_t i = 0; i < texts.size(); ++i) {
      auto embedded = one(*session, texts[i], n_tokens);
      if (!embedded) return in_context(places_[i], std::move(embedded).error());
      vectors.push_back(std::move(*embedded));
      console.update(i + 1);
      if (console.cancelled()) return fail(ErrorCode::cancelled, "stopped; nothing was written");
    }
    console.end();
    if (!output_.empty()) TERN_TRY_DO(write(vectors));
    if (json_) {
      print_json(console, as_json(*model, texts, vectors, n_tokens));
    } else {
      console.out(as_text(*model, texts, vectors, n_tokens, console.colour()));
    }
    return {};
  }

  [[nodiscard]] std::vector<std::string> choices(std::string_view option) const override {
    if (option == "--pooling") return models::pooling_names();
    return {};
  }

  [[nodiscard]] std::string_view stray_hint() const override {
    return "a text goes behind -p, a file of texts behind -f";
  }

 private:
  Result<void> read_texts(Console& console) {
    TERN_TRY_DO(reads_standard_input_once(files_));
    for (const std::string& prompt : prompts_) {
      // Of nothing there would be the vector of what the tokenizer puts around a text.
      if (prompt.empty())
        return fail(ErrorCode::usage, "-p: text {} is empty, expected one to embed", texts_.size() + 1);
      add(prompt, fmt::format("text {}", texts_.size() + 1));
    }
    for (const std::string& file : files_) {
      TERN_TRY(const std::string content, read_text(file));
      const std::string name = name_of_text(file);
      if (whole_) {
        if (content.empty()) return fail(ErrorCode::bad_input, "{}: holds no text", name);
        add(content, name);
        continue;
      }
      std::size_t n_lines = 0;
      std::size_t n_blank = 0;
      for (std::size_t at = 0; at < content.size();) {
        const std::size_t end = std::min(content.find('\n', at), content.size());
        std::string line = content.substr(at, end - at);
        if (line.ends_with('\r')) line.pop_back();
        ++n_lines;
        if (line.find_first_not_of(" \t") == std::string::npos) {
          ++n_blank;
        } else {
          add(std::move(line), fmt::format("{}, line {}", name, n_lines));
        }
        at = end + 1;
      }
      if (n_blank == n_lines) return fail(ErrorCode::bad_input, "{}: holds no text", name);
      if (n_blank > 0)
        console.note(fmt::format("{}: {} blank, skipped", name,
                                 n_blank == 1 ? "1 line is" : fmt::format("{} lines are", n_blank)));
    }
    if (texts_.empty()) return fail(ErrorCode::usage, "no text: give -p TEXT or -f FILE");
    return {};
  }

  void add(std::string text, std::string place) {
    texts_.push_back(std::move(text));
    places_.push_back(std::move(place));
  }

  Result<std::vector<float>> one(engine::Session& session, const std::string& text,
                                 std::vector<std::size_t>& n_tokens) const {
    TERN_TRY(const auto ids, engine::embedding_ids(session.model(), text));
    n_tokens.push_back(ids.size());
    TERN_TRY(auto vector, engine::embed(session, ids));
    if (!raw_) engine::normalize(vector);
    return vector;
  }

  Result<void> write(const std::vector<std::vector<float>>& vectors) const {
    const std::vector<std::int64_t> shape{std::ssize(vectors), std::ssize(vectors.front())};
    TERN_TRY(auto writer, files::NpyWriter::create(output_, shape, force_));
    for (const auto& vector : vectors) TERN_TRY_DO(writer.write(vector));
    return writer.commit();
  }

  [[nodiscard]] Json as_json(const engine::Model& model, const std::vector<std::string>& texts,
                             const std::vector<std::vector<float>>& vectors,
                             const std::vector<std::size_t>& n_tokens) const {
    Json out{{"model", model_.model},
             {"pooling", models::pooling_name(model.plan().pooling())},
             {"width", model.plan().embedding_width()},
             {"normalized", !raw_},
             {"isa", model.kernels().isa}};
    out["embeddings"] = Json::array();
    for (std::size_t i = 0; i < texts.size(); ++i) {
      out["embeddings"].push_back({{"text", texts[i]}, {"n_tokens", n_tokens[i]}, {"embedding", vectors[i]}});
    }
    if (!output_.empty()) out["output"] = output_;
    if (texts.size() > kMostCompared) return out;
    out["cosine"] = Json::array();
    for (const auto& a : vectors) {
      Json row = Json::array();
      for (const auto& b : vectors) row.push_back(engine::cosine(a, b));
      out["cosine"].push_back(std::move(row));
    }
    return out;
  }

  [[nodiscard]] std::string as_text(const engine::Model& model, const std::vector<std::string>& texts,
                                    const std::vector<std::vector<float>>& vectors,
                                    const std::vector<std::size_t>& n_tokens, bool colour) const {
    const bool compares = texts.size() >= 2 && texts.size() <= kMostShown;
    report::Table table{.columns = {{""}, {"text", report::Align::left}, {"tokens"}, {"vector", report::Align::left}},
                        .rows = {}};
    if (compares) {
      table.columns.pop_back();
      for (std::size_t i = 0; i < texts.size(); ++i) table.columns.push_back({fmt::format("cos {}", i + 1)});
    }
    for (std::size_t i = 0; i < texts.size(); ++i) {
      std::vector<report::Cell> row{fmt::format("{}", i + 1), printable(texts[i], 40), fmt::format("{}", n_tokens[i])};
      if (!compares) {
        const auto shown = std::span(vectors[i]).first(std::min<std::size_t>(vectors[i].size(), 4));
        row.emplace_back(fmt::format("{:.4f} ...", fmt::join(shown, " ")));
      }
      for (std::size_t j = 0; compares && j < texts.size(); ++j) {
        row.emplace_back(fmt::format("{:.4f}", engine::cosine(vectors[i], vectors[j])));
      }
      table.add(std::move(row));
    }
    std::string out = report::to_text(table, colour);
    out += fmt::format("\n{} of {}, pooling {}{}{}\n", counted(texts.size(), "vector"),
                       counted(model.plan().embedding_width(), "number"), models::pooling_name(model.plan().pooling()),
                       raw_ ? "" : ", length 1", output_.empty() ? "; -o FILE.npy or --json gives all of them" : "");
    return out;
  }

  ModelOptions model_;
  ContextOption context_;
  std::vector<std::string> prompts_;
  std::vector<std::string> files_;
  std::vector<std::string> texts_;
  std::vector<std::string> places_;  // of each text: where it is from, for messages
  std::string pooling_;
  std::string output_;
  bool whole_ = false;
  bool raw_ = false;
  bool force_ = false;
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Command> make_embed() {
  return std::make_unique<Embed>();
}

}  // namespace tern::cli
