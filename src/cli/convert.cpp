// tern convert: a checkpoint of another ecosystem becomes a GGUF file; a GGUF file changes its types as in tern
// quantize.
#include "convert/convert.hpp"

#include <CLI/CLI.hpp>
#include <array>
#include <filesystem>
#include <optional>
#include <span>

#include "base/words.hpp"
#include "cli/all.hpp"
#include "cli/counted.hpp"
#include "cli/json_output.hpp"
#include "cli/output_file.hpp"
#include "cli/pre_option.hpp"
#include "cli/threads_option.hpp"
#include "cli/written_model.hpp"
#include "convert/quantize.hpp"
#include "files/kind.hpp"
#include "formats/all.hpp"
#include "report/table.hpp"
#include "sys/mapped_file.hpp"

namespace tern::cli {
namespace {

constexpr std::string_view kAuto = "auto";
constexpr std::array<std::string_view, 8> kOutTypes{"f32", "f16", "bf16", "q8_0", "i2_s", "tq1_0", "tq2_0", kAuto};

// Null is auto.
Result<const formats::Format*> outtype_by_name(std::string_view name) {
  for (const std::string_view known : kOutTypes) {
    if (!equal_ignoring_case(known, name)) continue;
    if (known == kAuto) return nullptr;
    return formats::by_name(known);
  }
  return fail(ErrorCode::usage, "--outtype is \"{}\"{}, expected one of {}; tern quantize makes the others",
              printable(name), did_you_mean(name, kOutTypes), fmt::join(kOutTypes, ", "));
}

// "smollm-135m-BF16.gguf" for the folder ../smollm-135m or its model.safetensors, in the current folder.
std::string usual_output(const std::string& source, std::string_view type) {
  std::error_code ignored;
  const auto path = std::filesystem::weakly_canonical(source, ignored);
  std::string name = (sys::is_directory(source) ? path.filename() : path.stem()).string();
  // Names that every folder has say nothing: the folder's does.
  if (name == "model" || name == "pytorch_model" || name.starts_with("model-0") || name.starts_with("pytorch_model-0"))
    name = path.parent_path().filename().string();
  if (name.empty()) name = "model";
  return fmt::format("{}-{}.gguf", name, type);
}

// "model/config.json" was meant as "model": what describes a checkpoint is not the checkpoint.
Result<void> is_no_part_of_a_folder(const std::string& source) {
  const std::filesystem::path path(source);
  if (sys::is_directory(source) || (path.extension() != ".json" && path.extension() != ".model")) return {};
  const std::string folder = path.has_parent_path() ? path.parent_path().string() : ".";
  const auto kind = files::detect_kind(folder);
  if (!kind || kind->kind == files::FileKind::unknown) return {};
  return fail(ErrorCode::bad_input, "{}: is a part of a model's folder; name the folder: tern convert {}",
              printable(source, 200), printable(folder, 200));
}

class Convert final : public Command {
 public:
  void declare(CLI::App& app) override {
    app.add_option(
           "SOURCE", source_,
           "a Hugging Face folder; a .safetensors or PyTorch file beside its config.json; a llama2.c checkpoint; "
           "a GGUF file whose type is to change")
        ->required();
    takes_output(
        app.add_option("-o,--outfile", outfile_, "GGUF file to write (default: SOURCE-TYPE.gguf in this folder)")
            ->type_name("FILE"));
    app.add_option(
           "--outtype", outtype_,
           fmt::format("{0}; {1} is the source's own precision (default {1})", fmt::join(kOutTypes, ", "), kAuto))
        ->type_name("TYPE");
    app.add_option("--tokenizer", tokenizer_, "tokenizer file or folder (default: beside the source)")
        ->type_name("PATH");
    declare_pre(app, pre_);
    app.add_option("--model-name", model_name_, "general.name (default: the source's name)")->type_name("NAME");
    app.add_flag("--vocab-only", vocab_only_, "metadata and tokenizer, no tensors");
    declare_threads(app, n_threads_);
    app.add_flag("--allow-requantize", allow_requantize_, "of a GGUF file: round what was rounded before");
    app.add_flag("--dry-run", dry_run_,
                 "show what becomes of each tensor, unknown ones too, and the size; write nothing");
    app.add_flag("--force", force_, "overwrite the output");
    app.add_flag("--json", json_, "one JSON value");
  }

  Result<void> run(Console& console) override {
    TERN_TRY(const formats::Format* outtype, outtype_by_name(outtype_));
    const convert::WriteOptions write{.overwrite = force_, .n_threads = threads_or_all(n_threads_)};
    TERN_TRY(const files::KindOfPath found, files::detect_kind(source_));
    if (found.kind == files::FileKind::unknown) TERN_TRY_DO(is_no_part_of_a_folder(source_));
    if (found.kind == files::FileKind::gguf && outtype != nullptr) return requantise(*outtype, write, console);
    convert::ConvertOptions options{.source = source_,
                                    .outfile = outfile_,
                                    .outtype = outtype,
                                    .tokenizer = tokenizer_,
                                    .pre = pre_.empty() ? std::nullopt : std::optional(pre_),
                                    .name = model_name_,
                                    .vocab_only = vocab_only_,
                                    .dry_run = dry_run_,
                                    .write = write};
    TERN_TRY(const convert::ConvertPlan plan, convert::ConvertPlan::make(options, console));
    if (outfile_.empty()) options.outfile = usual_output(source_, plan.main_type());
    if (dry_run_) {
      show(console, plan.choices(), plan.unknown(), plan.architecture(), plan.output_bytes(), options.outfile);
      return plan.ready();
    }
    TERN_TRY_DO(keeps_inputs(options.outfile, checkpoint_files(source_, tokenizer_)));
    TERN_TRY(const convert::ConvertReport report, plan.run(options, console));
    console.end();
    if (json_) {
      print_json(console, {{"outfile", options.outfile},
                           {"architecture", report.architecture},
                           {"n_tensors", report.n_tensors},
                           {"parameters", report.n_parameters},
                           {"file_bytes", report.write.file_bytes},
                           {"ternary_relative_error", report.write.worst_relative_error},
                           {"seconds", report.write.seconds}});
      return {};
    }
    console.out(fmt::format("{}, {:.2f} s\n", written_line(options.outfile, report), report.write.seconds));
    return {};
  }

  [[nodiscard]] std::vector<std::string> choices(std::string_view option) const override {
    if (option == "--outtype") return {kOutTypes.begin(), kOutTypes.end()};
    if (option == "--pre") return pre_choices();
    return {};
  }

  [[nodiscard]] std::string_view stray_hint() const override { return "the output is named with -o FILE (--outfile)"; }

 private:
  // A GGUF file: what tern quantize does, by its rules.
  Result<void> requantise(const formats::Format& outtype, const convert::WriteOptions& write, Console& console) {
    if (!tokenizer_.empty() || !pre_.empty() || !model_name_.empty() || vocab_only_) {
      return fail(
          ErrorCode::usage,
          "{}: is a GGUF file, whose tokenizer and names stay as they are: --tokenizer, --pre, --model-name and "
          "--vocab-only are for checkpoints",
          source_);
    }
    convert::QuantizeOptions options;
    options.input = source_;
    options.output = outfile_.empty() ? usual_output(source_, outtype.name) : outfile_;
    options.write = write;
    options.allow_requantize = allow_requantize_;
    TERN_TRY(options.wishes.mixture, convert::mixture_by_name(outtype.name));
    console.note(fmt::format("{}: is a GGUF file already: its types change by the rules of tern quantize {}", source_,
                             outtype.name));
    TERN_TRY(const convert::QuantizePlan plan, convert::QuantizePlan::make(options, console));
    std::vector<convert::ConvertChoice> choices;
    std::int64_t n_parameters = 0;
    for (const convert::QuantizeChoice& choice : plan.choices()) {
      n_parameters += choice.shape.n_elements();
      choices.push_back({choice.name, std::string(choice.from->name), choice.name, choice.shape, choice.to,
                         choice.bytes_to, choice.from == choice.to ? "copied" : ""});
    }
    if (dry_run_) {
      show(console, choices, {}, "", plan.output_bytes(), options.output);
      return {};
    }
    TERN_TRY_DO(plan.ready());
    TERN_TRY_DO(keeps_inputs(options.output, model_files(plan.input())));
    TERN_TRY(const convert::WriteReport report, plan.run(options, console));
    console.end();
    if (json_) {
      print_json(console, {{"outfile", options.output},
                           {"n_tensors", choices.size()},
                           {"parameters", n_parameters},
                           {"file_bytes", report.file_bytes},
                           {"ternary_relative_error", report.worst_relative_error},
                           {"seconds", report.seconds}});
      return {};
    }
    console.out(fmt::format("{}: {} in {}, {}, {:.2f} s\n", printable(options.output, 200),
                            counted(n_parameters, "parameter"), counted(choices.size(), "tensor"),
                            human_bytes(report.file_bytes), report.seconds));
    return {};
  }

  // The mapping; `architecture` is "" where none was needed.
  void show(Console& console, std::span<const convert::ConvertChoice> choices,
            std::span<const convert::UnknownTensor> unknown, std::string_view architecture, std::uint64_t n_bytes,
            const std::string& outfile) const {
    if (json_) {
      print_json(console, as_json(choices, unknown, architecture, n_bytes, outfile));
      return;
    }
    report::Table table{.columns = {{"source", report::Align::left},
                                    {"tensor", report::Align::left},
                                    {"shape", report::Align::left},
                                    {"from", report::Align::left},
                                    {"to", report::Align::left},
                                    {"bytes"},
                                    {"changes", report::Align::left}},
                        .rows = {}};
    for (const convert::ConvertChoice& c : choices) {
      table.add({printable(c.source_name, 80), printable(c.name, 80), c.shape.text(), c.source_type,
                 std::string(c.to->name), with_separators(c.bytes), c.transform});
    }
    for (const convert::UnknownTensor& tensor : unknown) {
      table.add({{printable(tensor.name, 80), report::Tone::bad}, "unknown", tensor.shape, std::string(tensor.type)});
    }
    std::string out = report::to_text(table, console.colour());
    out += fmt::format("\npredicted size of {}: {} ({} bytes); nothing was written\n", printable(outfile, 200),
                       human_bytes(n_bytes), with_separators(n_bytes));
    console.out(out);
  }

  [[nodiscard]] Json as_json(std::span<const convert::ConvertChoice> choices,
                             std::span<const convert::UnknownTensor> unknown, std::string_view architecture,
                             std::uint64_t n_bytes, const std::string& outfile) const {
    Json out{{"source", source_}, {"outfile", outfile}, {"dry_run", true}, {"predicted_bytes", n_bytes}};
    if (!architecture.empty()) out["architecture"] = architecture;
    out["tensors"] = Json::array();
    for (const convert::ConvertChoice& c : choices) {
      out["tensors"].push_back({{"source", c.source_name},
                                {"name", c.name},
                                {"shape", std::vector(c.shape.ne.begin(), c.shape.ne.begin() + c.shape.n_dims)},
                                {"from", c.source_type},
                                {"to", c.to->name},
                                {"bytes", c.bytes},
                                {"changes", c.transform}});
    }
    out["unknown"] = Json::array();
    for (const convert::UnknownTensor& tensor : unknown) {
      out["unknown"].push_back({{"source", tensor.name}, {"shape", tensor.shape}, {"from", tensor.type}});
    }
    return out;
  }

  std::string source_;
  std::string outfile_;
  std::string outtype_{kAuto};
  std::string tokenizer_;
  std::string pre_;
  std::string model_name_;
  int n_threads_ = 0;
  bool vocab_only_ = false;
  bool allow_requantize_ = false;
  bool dry_run_ = false;
  bool force_ = false;
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Command> make_convert() {
  return std::make_unique<Convert>();
}

}  // namespace tern::cli
