// tern quantize: a GGUF file's tensors in other formats, with llama-quantize's line of arguments.
#include "convert/quantize.hpp"

#include <CLI/CLI.hpp>

#include "base/words.hpp"
#include "cli/all.hpp"
#include "cli/json_output.hpp"
#include "formats/all.hpp"
#include "report/table.hpp"
#include "sys/cpu.hpp"
#include "sys/mapped_file.hpp"

namespace tern::cli {
namespace {

// Null for an option that was not given.
Result<const formats::Format*> type_by_name(std::string_view option, const std::string& name) {
  if (name.empty()) return nullptr;
  auto format = formats::by_name(name);
  if (!format) return in_context(option, std::move(format).error());
  return format;
}

class Quantize final : public Command {
 public:
  void declare(CLI::App& app) override {
    app.add_option("IN", input_, "GGUF file, best in F32, F16 or BF16")->required();
    app.add_option("OUT", output_, "GGUF file to write")->required();
    app.add_option("TYPE", type_, "format of the matrices, in any case of letters")->required();
    app.add_option("NTHREADS", n_threads_, "threads (default: the cores this process may use)")
        ->check(CLI::Range(0, 1024));
    app.add_option("IGNORED", ignored_, "a further number, which BitNet's scripts pass; nothing follows from it");
    app.add_option("--token-embedding-type", embedding_, "format of the embedding table")->type_name("TYPE");
    app.add_option("--output-tensor-type", head_, "format of the head's table")->type_name("TYPE");
    app.add_flag("--quant-embd", quant_embedding_, "embedding in Q6_K (as --token-embedding-type Q6_K)");
    app.add_flag("--pure", pure_, "every matrix, embedding and head included, in TYPE");
    app.add_flag("--allow-requantize", requantize_, "round tensors again that are quantised already");
    app.add_flag("--dry-run", dry_run_, "show what each tensor would become and the size, write nothing");
    app.add_flag("--force", force_, "overwrite the output");
    app.add_flag("--json", json_, "one JSON value");
  }

  Result<void> run(Console& console) override {
    convert::QuantizeOptions options{
        .input = input_,
        .output = output_,
        .wishes = {},
        .allow_requantize = requantize_,
        .write = {.overwrite = force_, .n_threads = n_threads_ > 0 ? n_threads_ : sys::usable_cores()}};
    options.wishes.pure = pure_;
    TERN_TRY(options.wishes.type, type_by_name("TYPE", type_));
    TERN_TRY(options.wishes.token_embedding, type_by_name("--token-embedding-type", embedding_));
    TERN_TRY(options.wishes.output, type_by_name("--output-tensor-type", head_));
    if (quant_embedding_) {
      if (options.wishes.token_embedding != nullptr && options.wishes.token_embedding != &formats::kQ6_K) {
        return fail(ErrorCode::usage, "--quant-embd means Q6_K but --token-embedding-type says {}; give one of them",
                    options.wishes.token_embedding->name);
      }
      options.wishes.token_embedding = &formats::kQ6_K;
    }
    TERN_TRY(const convert::QuantizePlan plan, convert::QuantizePlan::make(options, console));
    if (dry_run_) {
      if (json_) {
        print_json(console, as_json(plan));
      } else {
        console.out(as_table(plan, console.colour()));
      }
      return {};
    }
    // After the input was read: what is wrong with it should not hide behind the output's name.
    if (!force_ && sys::exists(output_) && !sys::is_directory(output_)) {
      return fail(ErrorCode::io, "{}: exists already; use --force to overwrite it", output_);
    }
    if (!json_) console.out(sizes(plan) + "\n");
    TERN_TRY(const convert::WriteReport report, plan.run(options, console));
    console.end();
    const double megabytes_per_second = static_cast<double>(plan.input_bytes()) / 1e6 / std::max(report.seconds, 1e-9);
    if (json_) {
      Json out = as_json(plan);
      out["outfile"] = output_;
      out["file_bytes"] = report.file_bytes;
      out["ternary_relative_error"] = report.worst_relative_error;
      out["seconds"] = report.seconds;
      out["mb_per_second"] = megabytes_per_second;
      print_json(console, out);
    } else {
      console.out(fmt::format("{}: {}, {:.2f} s, {:.0f} MB/s of input\n", printable(output_, 200),
                              human_bytes(report.file_bytes), report.seconds, megabytes_per_second));
    }
    return {};
  }

 private:
  static std::string sizes(const convert::QuantizePlan& plan) {
    const double share = 100.0 * static_cast<double>(plan.output_bytes()) /
                         static_cast<double>(std::max<std::uint64_t>(plan.input_bytes(), 1));
    return fmt::format("predicted size: {} ({} bytes, {:.1f} % of the input's {})", human_bytes(plan.output_bytes()),
                       with_separators(plan.output_bytes()), share, human_bytes(plan.input_bytes()));
  }

  static std::string as_table(const convert::QuantizePlan& plan, bool colour) {
    report::Table table{.columns = {{"tensor", report::Align::left},
                                    {"shape", report::Align::left},
                                    {"from", report::Align::left},
                                    {"to", report::Align::left},
                                    {"bytes"}},
                        .rows = {}};
    for (const convert::QuantizeChoice& choice : plan.choices()) {
      table.add({printable(choice.name, 80),
                 choice.shape.text(),
                 std::string(choice.from->name),
                 {choice.from == choice.to ? "same" : std::string(choice.to->name),
                  choice.from == choice.to ? report::Tone::muted : report::Tone::plain},
                 with_separators(choice.bytes_to)});
    }
    return report::to_text(table, colour) + "\n" + sizes(plan) + "; nothing was written\n";
  }

  [[nodiscard]] Json as_json(const convert::QuantizePlan& plan) const {
    Json out{{"infile", input_},
             {"dry_run", dry_run_},
             {"input_bytes", plan.input_bytes()},
             {"predicted_bytes", plan.output_bytes()}};
    out["tensors"] = Json::array();
    for (const convert::QuantizeChoice& choice : plan.choices()) {
      out["tensors"].push_back({{"name", choice.name},
                                {"from", choice.from->name},
                                {"to", choice.to->name},
                                {"bytes_from", choice.bytes_from},
                                {"bytes_to", choice.bytes_to}});
    }
    return out;
  }

  std::string input_;
  std::string output_;
  std::string type_;
  std::string embedding_;
  std::string head_;
  std::string ignored_;
  int n_threads_ = 0;
  bool quant_embedding_ = false;
  bool pure_ = false;
  bool requantize_ = false;
  bool dry_run_ = false;
  bool force_ = false;
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Command> make_quantize() {
  return std::make_unique<Quantize>();
}

}  // namespace tern::cli
