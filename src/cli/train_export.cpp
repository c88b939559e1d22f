// tern train export: a run's model as a GGUF file or a Hugging Face folder.
#include <CLI/CLI.hpp>

#include "base/words.hpp"
#include "cli/all.hpp"
#include "cli/counted.hpp"
#include "cli/describe.hpp"
#include "cli/json_output.hpp"
#include "cli/output_file.hpp"
#include "cli/threads_option.hpp"
#include "cli/written_model.hpp"
#include "formats/all.hpp"
#include "lab/train_export.hpp"

namespace tern::cli {
namespace {

constexpr std::string_view kHuggingFace = "hf";

class TrainExport final : public Command {
 public:
  void declare(CLI::App& app) override {
    options_.n_threads = 0;
    app.add_option("RUN", options_.run, "folder of a run, or one of its checkpoints")->required();
    takes_output(app.add_option("-o,--output", options_.out, "GGUF file to write, or the folder for --outtype hf")
                     ->type_name("PATH")
                     ->required());
    app.add_option(
           "--outtype", outtype_,
           "type of the matrices: I2_S, TQ1_0, TQ2_0, Q1_0, Q2_0, F16, F32 ..., or hf for a Hugging Face folder "
           "(default: the smallest that holds what was trained)")
        ->type_name("TYPE");
    app.add_option("--embedding", table_, "type of embedding and head (default: F16; float models: as the matrices)")
        ->type_name("TYPE");
    app.add_option("--hf-weights", spelling_,
                   "of ternary models: masters, packed_multiply or packed_divide (default packed_multiply)")
        ->type_name("SPELLING");
    app.add_option("--model-name", options_.name, "general.name (default: the folder's)")->type_name("NAME");
    declare_threads(app, options_.n_threads);
    app.add_flag("--force", options_.overwrite, "overwrite the output");
    app.add_flag("--json", json_, "one JSON value");
  }

  Result<void> run(Console& console) override {
    options_.n_threads = threads_or_all(options_.n_threads);
    if (equal_ignoring_case(outtype_, kHuggingFace)) return to_hugging_face(console);
    if (!spelling_.empty()) {
      return fail(ErrorCode::usage, "train export: --hf-weights is for --outtype hf; leave it out beside GGUF files");
    }
    if (!outtype_.empty()) {
      TERN_TRY(options_.outtype, formats::by_name(outtype_));
    }
    if (!table_.empty()) {
      TERN_TRY(options_.table, formats::by_name(table_));
    }
    TERN_TRY(const convert::ConvertReport report, lab::export_gguf(options_, console));
    console.end();
    if (json_) {
      print_json(console, written_json(options_.out, report));
      return {};
    }
    console.out(written_line(options_.out, report) + "\n");
    return {};
  }

  [[nodiscard]] std::vector<std::string> choices(std::string_view option) const override {
    if (option == "--hf-weights") return {"masters", "packed_multiply", "packed_divide"};
    std::vector<std::string> names;
    if (option == "--outtype" || option == "--embedding") {
      names = format_names();
      if (option == "--outtype") names.emplace_back(kHuggingFace);
    }
    return names;
  }

 private:
  Result<void> to_hugging_face(Console& console) {
    if (!table_.empty()) {
      return fail(ErrorCode::usage, "train export: --embedding is for GGUF files; leave it out beside --outtype hf");
    }
    TERN_TRY(const models::BitNetStorage spelling,
             convert::spelling_by_name(spelling_.empty() ? "packed_multiply" : spelling_));
    TERN_TRY(const convert::HuggingFaceReport report,
             lab::export_hugging_face(options_, spelling, files::Dtype::f32, console));
    console.end();
    for (const std::string& note : report.notes) console.note(note);
    if (json_) {
      print_json(console, {{"output", options_.out},
                           {"spelling", std::string(convert::spelling_name(report.spelling))},
                           {"n_tensors", report.n_tensors},
                           {"files", report.files},
                           {"file_bytes", report.file_bytes}});
      return {};
    }
    console.out(fmt::format("{}: {} in {}\n", printable(options_.out, 200),
                            counted(static_cast<std::int64_t>(report.n_tensors), "tensor"),
                            human_bytes(report.file_bytes)));
    return {};
  }

  lab::TrainExportOptions options_;
  std::string outtype_;
  std::string table_;
  std::string spelling_;
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Command> make_train_export() {
  return std::make_unique<TrainExport>();
}

}  // namespace tern::cli
