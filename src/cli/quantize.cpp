// tern quantize: a GGUF file's tensors in other formats, with llama-quantize's line of arguments.
#include "convert/quantize.hpp"

#include <CLI/CLI.hpp>
#include <charconv>
#include <utility>

#include "base/words.hpp"
#include "cli/all.hpp"
#include "cli/json_output.hpp"
#include "cli/output_file.hpp"
#include "cli/threads_option.hpp"
#include "convert/typical_bits.hpp"
#include "formats/all.hpp"
#include "formats/foreign.hpp"
#include "report/table.hpp"
#include "sys/atomic_file.hpp"
#include "sys/path.hpp"

namespace tern::cli {
namespace {

constexpr std::string_view kTypeMissing = "TYPE is missing (a format or a mixture); see tern quantize --help";

// What TYPE can be, with the bits a weight takes in a usual model.
std::string types_table() {
  report::Table table{
      .columns = {{"TYPE", report::Align::left}, {"or"}, {"bits/weight"}, {"tensors", report::Align::left}},
      .rows = {}};
  for (const convert::Mixture& mixture : convert::mixtures()) {
    std::string other = mixture.number >= 0 ? fmt::format("{}", mixture.number) : "";
    if (!mixture.alias.empty()) other = fmt::format("{}, {}", mixture.alias, other);
    table.add({std::string(mixture.name), other,
               mixture.copies ? "" : fmt::format("{:.2f}", convert::typical_bits_per_weight(mixture)),
               std::string(mixture.summary)});
  }
  return report::to_text(table) +
         "Bits a weight in a model of LLaMA-3-8B's shapes. Mixtures (Q4_K_M ...) are llama-quantize's, tensor by "
         "tensor.\n";
}

// "ggml-model-Q4_K_M.gguf" beside the input, as llama-quantize names a file that nobody named.
std::string usual_output(const std::string& input, const convert::Mixture& mixture) {
  return sys::beside(input, fmt::format("ggml-model-{}.gguf", mixture.name));
}

bool is_number(std::string_view word) {
  return !word.empty() && word.find_first_not_of("0123456789") == std::string_view::npos;
}

// A tensor type of other programs, which no mixture is named after.
bool is_known_elsewhere(std::string_view name) {
  return std::ranges::any_of(formats::foreign_types(),
                             [&](const formats::ForeignType& type) { return equal_ignoring_case(type.name, name); });
}

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
    takes_output(app.add_option("OUT", output_, "GGUF file to write; left out: ggml-model-TYPE.gguf beside IN"));
    app.add_option("TYPE", type_, "a format or a mixture of formats, by name in any case of letters or by number");
    app.add_option("NTHREADS", threads_, "threads (default: the cores this process may use)");
    app.add_option("IGNORED", ignored_, "a further number, which BitNet's scripts pass; nothing follows from it");
    app.add_option("--token-embedding-type", embedding_, "format of the embedding table")->type_name("FORMAT");
    app.add_option("--output-tensor-type", head_, "format of the head's table")->type_name("FORMAT");
    app.add_option(
           "--tensor-type", tensor_types_,
           "format of the tensors in whose names REGEX is found; may be given often, the first that fits counts")
        ->type_name("REGEX=FORMAT")
        ->allow_extra_args(false);
    app.add_option("--tensor-type-file", type_files_, "a file of such words, one a line; # begins a comment")
        ->type_name("FILE")
        ->allow_extra_args(false);
    app.add_flag("--quant-embd", quant_embedding_, "embedding in Q6_K (as --token-embedding-type Q6_K)");
    app.add_flag("--leave-output-tensor", leave_output_, "the head's table stays as it is");
    app.add_flag("--pure", pure_, "no mixture: every matrix, embedding and head included, in TYPE's format");
    app.add_option("--override-kv", overrides_,
                   "set a metadata key: KEY=int:N, float:X, bool:true or str:TEXT; may be given often")
        ->type_name("KEY=TYPE:VALUE")
        ->allow_extra_args(false);
    app.add_flag("--allow-requantize", requantize_, "round tensors again that are quantised already");
    app.add_flag("--keep-split", keep_split_,
                 "a model in several files becomes one in as many: OUT-00001-of-0000N.gguf");
    app.add_flag("--dry-run", dry_run_, "show what each tensor would become and the size, write nothing");
    app.add_flag("--force", force_, "overwrite the output");
    app.add_flag("--json", json_, "one JSON value");
    // Known from llama-quantize, and refused with a reason: no description, so that help does not offer them.
    app.add_option("--imatrix", importance_, "")->group("");
    app.add_option("--include-weights", importance_, "")->group("");
    app.add_option("--exclude-weights", importance_, "")->group("");
    app.footer(types_table());
  }

  Result<void> run(Console& console) override {
    if (!importance_.empty()) {
      return fail(
          ErrorCode::usage,
          "importance matrices (--imatrix, --include-weights, --exclude-weights) are not supported by Tern yet; "
          "quantise without one");
    }
    TERN_TRY_DO(sort_arguments());
    TERN_TRY(const int n_threads, thread_count());
    convert::QuantizeOptions options{.input = input_,
                                     .output = output_,
                                     .wishes = {},
                                     .overrides = {},
                                     .allow_requantize = requantize_,
                                     .keep_split = keep_split_,
                                     .write = {.overwrite = force_, .n_threads = threads_or_all(n_threads)}};
    options.wishes.mixture = mixture_;
    options.wishes.pure = pure_;
    options.wishes.leave_output = leave_output_;
    TERN_TRY_DO(read_lists(options));
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
      if (const auto ready = plan.ready(); !ready) console.note(fmt::format("warning: {}", ready.error().message));
      if (json_) {
        print_json(console, as_json(plan));
      } else {
        console.out(as_table(plan, console.colour()));
      }
      return {};
    }
    // A TYPE that Tern has only with an importance matrix is like one it does not have: not the file's fault.
    if (const auto ready = plan.ready(); !ready) return fail(ErrorCode::usage, "{}", ready.error().message);
    // After the input was read: what is wrong with it should not hide behind the output's name.
    const std::vector<std::string> inputs = model_files(plan.input());
    for (const std::string& path : plan.outputs()) {
      TERN_TRY_DO(keeps_inputs(path, inputs));
      TERN_TRY_DO(keeps_inputs(path, type_files_));
      TERN_TRY_DO(sys::may_write(path, force_));
    }
    if (!json_) console.out(sizes(plan) + "\n");
    TERN_TRY(const convert::WriteReport report, plan.run(options, console));
    console.end();
    const double megabytes_per_second = static_cast<double>(plan.input_bytes()) / 1e6 / std::max(report.seconds, 1e-9);
    if (json_) {
      Json out = as_json(plan);
      out["outfile"] = plan.outputs().front();
      out["file_bytes"] = report.file_bytes;
      out["ternary_relative_error"] = report.worst_relative_error;
      out["seconds"] = report.seconds;
      out["mb_per_second"] = megabytes_per_second;
      print_json(console, out);
    } else {
      console.out(fmt::format("{}: {}, {:.2f} s, {:.0f} MB/s of input\n", written(plan), human_bytes(report.file_bytes),
                              report.seconds, megabytes_per_second));
    }
    return {};
  }

 private:
  // IN OUT TYPE [NTHREADS], or IN TYPE [NTHREADS] as llama-quantize takes it.
  Result<void> sort_arguments() {
    if (type_.empty() || is_number(type_)) {
      if (const auto mixture = convert::mixture_by_name(output_); mixture && !output_.empty()) {
        mixture_ = *mixture;
        if (!type_.empty()) ignored_ = std::exchange(threads_, type_);
        output_ = usual_output(input_, *mixture_);
        return {};
      }
    }
    if (type_.empty()) return fail(ErrorCode::usage, "quantize: {}", kTypeMissing);
    auto mixture = convert::mixture_by_name(type_);
    if (!mixture && is_known_elsewhere(type_)) {
      std::vector<std::string_view> names;
      for (const convert::Mixture& known : convert::mixtures()) names.push_back(known.name);
      return fail(ErrorCode::usage, "TYPE: {} is not supported by Tern; known are {}", printable(type_),
                  fmt::join(names, ", "));
    }
    if (!mixture) return in_context("TYPE", std::move(mixture).error());
    mixture_ = *mixture;
    return {};
  }

  [[nodiscard]] Result<int> thread_count() const {
    int n = 0;
    const char* end = threads_.data() + threads_.size();
    if (threads_.empty()) return 0;
    const auto [stop, error] = std::from_chars(threads_.data(), end, n);
    if (error != std::errc{} || stop != end || n < 0 || n > 1024)
      return fail(ErrorCode::usage, "quantize: NTHREADS is \"{}\", expected a whole number from 0 to 1024",
                  printable(threads_));
    return n;
  }

  Result<void> read_lists(convert::QuantizeOptions& options) const {
    for (const std::string& text : tensor_types_) {
      auto type = convert::parse_tensor_type(text);
      if (!type) return in_context("--tensor-type", std::move(type).error());
      options.wishes.tensor_types.push_back(std::move(*type));
    }
    for (const std::string& path : type_files_) {
      TERN_TRY_DO(convert::read_tensor_types(path, options.wishes.tensor_types));
    }
    for (const std::string& text : overrides_) {
      auto override = convert::parse_metadata_override(text);
      if (!override) return in_context("--override-kv", std::move(override).error());
      options.overrides.push_back(std::move(*override));
    }
    return {};
  }

  static std::string written(const convert::QuantizePlan& plan) {
    const std::vector<std::string> paths = plan.outputs();
    const std::string first = printable(paths.front(), 200);
    return paths.size() == 1 ? first : fmt::format("{} and {} more", first, paths.size() - 1);
  }

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
  std::string threads_;
  std::vector<std::string> tensor_types_;
  std::vector<std::string> type_files_;
  std::vector<std::string> overrides_;
  std::vector<std::string> importance_;
  const convert::Mixture* mixture_ = nullptr;
  bool leave_output_ = false;
  bool keep_split_ = false;
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
