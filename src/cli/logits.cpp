// tern logits: the numbers behind the text, for people who check a conversion against another program.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <vector>

#include "base/words.hpp"
#include "cli/all.hpp"
#include "cli/json_output.hpp"
#include "cli/model_options.hpp"
#include "cli/output_file.hpp"
#include "cli/text_input.hpp"
#include "files/npy.hpp"
#include "formats/all.hpp"

namespace tern::cli {
namespace {

class Logits final : public Command {
 public:
  void declare(CLI::App& app) override {
    model_.declare(app, stray_hint());
    ids_option_ = app.add_option("--ids", id_list_, "token ids, separated by commas")->type_name("ID,...");
    app.add_option("-f,--file", file_, "or a file with the ids, as tern tokenize prints them; - is stdin")
        ->type_name("FILE");
    takes_output(
        app.add_option("-o,--output", output_, "float32 .npy file [n_tokens, n_vocab]")->required()->type_name("FILE"));
    app.add_flag("--force", force_, "overwrite the output");
    app.add_flag("--json", json_, "say what was written as one JSON value");
  }

  Result<void> run(Console& console) override {
    if ((ids_option_->count() > 0) == !file_.empty())
      return fail(ErrorCode::usage, "logits: expected one of --ids and -f; see tern logits --help");
    TERN_TRY_DO(model_.settle());
    TERN_TRY_DO(keeps_model_and_texts(output_, model_.model, std::span(&file_, 1)));
    if (file_.empty()) {
      TERN_TRY(ids_, parse_ids("--ids", id_list_));
    } else {
      TERN_TRY(const std::string content, read_text(file_));
      TERN_TRY(ids_, parse_ids(name_of_text(file_), as_list(content)));
    }
    TERN_TRY(const auto model, model_.load(console));
    constexpr std::size_t kBatch = 64;
    const auto n_tokens = static_cast<std::int64_t>(ids_.size());
    TERN_TRY(const auto session, engine::Session::make(model, {.n_threads = model_.threads(),
                                                               .n_ctx = n_tokens,
                                                               .n_batch = kBatch,
                                                               .cache = engine::CacheFormats::both(formats::kF32)}));
    const std::vector<std::int64_t> shape{n_tokens, model->plan().n_vocab()};
    TERN_TRY(auto writer, files::NpyWriter::create(output_, shape, force_));
    console.begin("logits", ids_.size());
    for (std::size_t begin = 0; begin < ids_.size(); begin += kBatch) {
      const std::size_t end = std::min(begin + kBatch, ids_.size());
      std::vector<engine::BatchItem> batch;
      for (std::size_t i = begin; i < end; ++i) batch.push_back({ids_[i], static_cast<std::int32_t>(i), 0, true});
      TERN_TRY_DO(session->decode(batch));
      for (std::size_t i = 0; i < batch.size(); ++i) {
        TERN_TRY_DO(writer.write(session->logits(i)));
      }
      console.update(end);
      if (console.cancelled()) return fail(ErrorCode::cancelled, "stopped; nothing was written");
    }
    console.end();
    TERN_TRY_DO(writer.commit());
    if (json_)
      print_json(console,
                 {{"output", output_}, {"n_tokens", shape[0]}, {"n_vocab", shape[1]}, {"isa", model->kernels().isa}});
    return {};
  }

  [[nodiscard]] std::string_view stray_hint() const override {
    return "token ids go behind --ids, separated by commas";
  }

 private:
  // A file's ids may stand with spaces and on lines instead of commas.
  static std::string as_list(std::string_view content) {
    constexpr std::string_view kBetween = " \t\r\n";
    std::string list;
    bool gap = false;
    for (const char c : content) {
      if (kBetween.contains(c)) {
        gap = !list.empty();
        continue;
      }
      if (gap && c != ',' && !list.ends_with(',')) list += ',';
      list += c;
      gap = false;
    }
    return list;
  }

  // Strict: a list that is not what it seems must not become other logits.
  static Result<std::vector<std::int32_t>> parse_ids(std::string_view source, std::string_view list) {
    std::vector<std::int32_t> ids;
    for (std::size_t at = 0; at <= list.size();) {
      const std::size_t comma = std::min(list.find(',', at), list.size());
      std::string_view word = list.substr(at, comma - at);
      while (word.starts_with(' ')) word.remove_prefix(1);
      while (word.ends_with(' ')) word.remove_suffix(1);
      std::int32_t id = 0;
      const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), id);
      if (word.empty() || error != std::errc{} || end != word.data() + word.size()) {
        return fail(ErrorCode::usage,
                    "{}: \"{}\" is not a token id; expected numbers separated by commas, such as 1,2,3", source,
                    printable(word));
      }
      ids.push_back(id);
      at = comma + 1;
    }
    return ids;
  }

  ModelOptions model_;
  const CLI::Option* ids_option_ = nullptr;
  std::string id_list_;
  std::string file_;
  std::vector<std::int32_t> ids_;
  std::string output_;
  bool force_ = false;
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Command> make_logits() {
  return std::make_unique<Logits>();
}

}  // namespace tern::cli
