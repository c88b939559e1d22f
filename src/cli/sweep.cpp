// tern sweep: the embedding in several formats, what each costs and brings, and which to take.
#include "lab/sweep.hpp"

#include <CLI/CLI.hpp>
#include <chrono>
#include <ctime>

#include "cli/all.hpp"
#include "cli/json_output.hpp"
#include "cli/model_options.hpp"
#include "cli/output_file.hpp"
#include "cli/text_input.hpp"
#include "cli/version.hpp"
#include "formats/all.hpp"
#include "lab/report_sweep.hpp"
#include "lab/sweep_json.hpp"
#include "lab/sweep_memory.hpp"
#include "sys/atomic_file.hpp"
#include "sys/mapped_file.hpp"

namespace tern::cli {
namespace {

// The command as it was typed, quoted where a shell needs it.
std::string command_line() {
  const auto words = sys::read_text_file("/proc/self/cmdline", 1 << 20);
  if (!words) return "tern sweep ...";
  std::string out;
  std::string_view left = *words;
  while (!left.empty()) {
    const auto word = left.substr(0, left.find('\0'));
    left.remove_prefix(std::min(word.size() + 1, left.size()));
    if (!out.empty()) out += ' ';
    const bool plain =
        !word.empty() &&
        word.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=./,:@%") ==
            std::string_view::npos;
    if (plain) {
      out += word;
      continue;
    }
    out += '\'';
    for (const char c : word) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
    out += '\'';
  }
  return out;
}

std::string now() {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  std::tm utc{};
  ::gmtime_r(&seconds, &utc);
  char text[32];
  return {text, std::strftime(text, sizeof text, "%Y-%m-%d %H:%M UTC", &utc)};
}

class Sweep final : public Command {
 public:
  void declare(CLI::App& app) override {
    model_.declare(app, stray_hint());
    app.add_option("--embedding", formats_,
                   fmt::format("formats to compare, separated by commas; the first is the reference (default {})",
                               fmt::join(formats_, ",")))
        ->delimiter(',')
        ->type_name("TYPE,...");
    app.add_option("--data", data_, "texts: raw, .jsonl (see --field) or .csv (its columns of text)")
        ->type_name("FILE...");
    app.add_option("--field", field_, "field of a .jsonl line that is the text (default text)")->type_name("NAME");
    app.add_option("--chunks", n_chunks_, "chunks of each text at most; -1: all (default -1)")->type_name("N");
    app.add_option("-c,--ctx-size", n_ctx_, "tokens of a chunk (default: 512, or the trained context if that is less)")
        ->type_name("N");
    app.add_option("--prompt", prompt_, "text that every format continues greedily (default \"Once upon a time\")")
        ->type_name("TEXT");
    app.add_option("-n,--n-predict", n_predict_, "tokens of that continuation; 0: none (default 60)")
        ->type_name("N")
        ->check(CLI::Range(0, 1 << 20));
    app.add_option("--repetitions", repetitions_, "interleaved rounds of speed; 0: none (default 5)")
        ->type_name("R")
        ->check(CLI::Range(0, 1000));
    app.add_option("--margin", margin_, "loss of perplexity that the verdict puts up with, in percent (default 0.5)")
        ->type_name("PERCENT");
    takes_output(app.add_option("--report", report_, "write an HTML page that needs nothing else")->type_name("FILE"));
    app.add_flag("--force", force_, "overwrite the report");
    app.add_flag("--json", json_, "one JSON value");
    app.add_option("--worker", worker_, "")->group("");  // the process that measures one format's memory
  }

  Result<void> run(Console& console) override {
    TERN_TRY_DO(model_.settle(data_));
    if (!worker_.empty()) return work(console);
    TERN_TRY(lab::SweepOptions options, checked_options());
    if (!report_.empty()) {
      TERN_TRY_DO(keeps_model_and_texts(report_, model_.model, data_));
      TERN_TRY_DO(sys::may_write(report_, force_));
    }
    options.memory = [&](const formats::Format& format) -> Result<std::uint64_t> {
      std::vector<std::string> words{"sweep",      "--worker", std::string(format.name),           "-m",
                                     model_.model, "-t",       fmt::format("{}", model_.threads())};
      if (!model_.isa.empty()) words.insert(words.end(), {"--isa", model_.isa});
      TERN_TRY(const lab::MemoryReport report, lab::child_peak_memory(words, console));
      if (report.includes_making_it)
        return fail(ErrorCode::unsupported, "this system does not let a process reset its peak");
      return report.peak_resident;
    };
    TERN_TRY(const lab::SweepResult result, lab::sweep(options, console));
    console.end();
    const lab::Verdict verdict = lab::judge(result);
    if (!report_.empty()) {
      const std::string page = lab::sweep_page(
          result, verdict, command_line(),
          fmt::format("Made by `{}` on {}. This page loads nothing from anywhere.", version_text(), now()));
      TERN_TRY_DO(sys::write_file(report_, page, force_));
    }
    if (json_) {
      Json value = lab::to_json(result, verdict);
      value["command"] = command_line();
      print_json(console, value);
    } else {
      console.out(lab::sweep_text(result, verdict, console.colour()));
    }
    if (!report_.empty()) console.note(fmt::format("report: {}", report_));
    if (!result.reference)
      return fail(ErrorCode::bad_input, "none of these formats can hold the embedding; the table gives the reasons");
    return {};
  }

  [[nodiscard]] std::string_view stray_hint() const override { return "texts go behind --data"; }

 private:
  Result<void> work(Console& console) {
    TERN_TRY(const formats::Format* format, formats::by_name(worker_));
    console.out(lab::to_line(lab::measure_here(model_.model, *format, model_.threads(), model_.isa)));
    return {};
  }

  [[nodiscard]] Result<lab::SweepOptions> checked_options() const {
    if (std::ranges::any_of(data_, is_stream)) {
      return fail(ErrorCode::usage,
                  "--data: a pipe can be read once, but every format reads the texts: put it in a file");
    }
    if (data_.empty())
      return fail(ErrorCode::usage, "--data is missing: name at least one text; see tern sweep --help");
    if (n_chunks_ == 0 || n_chunks_ < -1)
      return fail(ErrorCode::usage, "--chunks is {}, expected 1 or more, or -1 for all", n_chunks_);
    if (n_ctx_ < 0) return fail(ErrorCode::usage, "-c is {}, expected 4 or more, or 0 for the usual chunk", n_ctx_);
    if (!(margin_ > 0.0 && margin_ <= 100.0))
      return fail(ErrorCode::usage, "--margin is {:g}, expected a percentage above 0, at most 100", margin_);
    lab::SweepOptions options{.model = model_.model,
                              .formats = {},
                              .data = data_,
                              .field = field_,
                              .n_ctx = n_ctx_,
                              .max_chunks = n_chunks_,
                              .n_threads = model_.threads(),
                              .isa = model_.isa,
                              .prompt = prompt_,
                              .n_predict = n_predict_,
                              .repetitions = repetitions_,
                              .margin = margin_ / 100.0,
                              .memory = {}};
    for (const std::string& name : formats_) {
      TERN_TRY(const formats::Format* format, formats::by_name(name));
      if (std::ranges::find(options.formats, format) != options.formats.end()) {
        return fail(ErrorCode::usage, "--embedding names {} twice", format->name);
      }
      options.formats.push_back(format);
    }
    return options;
  }

  ModelOptions model_;
  std::vector<std::string> formats_{"F32", "F16", "Q8_0", "Q6_K", "Q5_0", "Q4_0", "Q3_K"};
  std::vector<std::string> data_;
  std::string field_ = "text";
  std::int64_t n_chunks_ = -1;
  std::int64_t n_ctx_ = 0;
  std::string prompt_ = "Once upon a time";
  std::int64_t n_predict_ = 60;
  int repetitions_ = 5;
  double margin_ = 0.5;
  std::string report_;
  std::string worker_;
  bool force_ = false;
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Command> make_sweep() {
  return std::make_unique<Sweep>();
}

}  // namespace tern::cli
