// tern bench: how fast a model runs here, with llama-bench's letters, and how near that is to the machine's limits.
#include "lab/bench.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>

#include "base/words.hpp"
#include "cli/all.hpp"
#include "cli/cache_options.hpp"
#include "cli/json_output.hpp"
#include "cli/machine_limits.hpp"
#include "cli/model_options.hpp"
#include "cli/number_list.hpp"
#include "cli/threads_option.hpp"
#include "cli/version.hpp"
#include "formats/all.hpp"
#include "lab/bench_compare.hpp"
#include "lab/bench_json.hpp"
#include "lab/bench_matmul.hpp"
#include "lab/bench_report.hpp"
#include "sys/cpu.hpp"

namespace tern::cli {
namespace {

constexpr std::array<std::string_view, 3> kOutputs{"md", "json", "csv"};

class Bench final : public Command {
 public:
  void declare(CLI::App& app) override {
    app_ = &app;
    model_.declare_file(app, stray_hint());
    app.add_option("-p,--n-prompt", prompts_, "lengths of prompts; 0: none (default 512)")->type_name("N,...");
    app.add_option("-n,--n-gen", generations_, "numbers of tokens to generate; 0: none (default 128)")
        ->type_name("N,...");
    app.add_option("-d,--n-depth", depths_, "positions already in the context, untimed (default 0)")
        ->type_name("N,...");
    app.add_option("-s,--sequences", sequences_, "sequences side by side, each of these lengths (default 1)")
        ->type_name("N,...");
    app.add_option("-t,--threads", threads_, "threads (default: the cores this process may use)")->type_name("N,...");
    app.add_option("--isa", isas_, "instruction sets: see tern doctor (default: the best, or TERN_ISA)")
        ->type_name("ISA,...");
    app.add_option("-b,--batch-size", n_batch_, "tokens computed in one step at most (default: the engine's)")
        ->type_name("N")
        ->check(CLI::Range(1, 1 << 20));
    cache_.declare(app);
    app.add_option("-r,--repetitions", repetitions_, "repetitions of every test, in turns (default 5)")
        ->type_name("R")
        ->check(CLI::Range(1, 1000));
    app.add_option("-o,--output", output_, "md, json or csv (default md)")->type_name("FORM");
    app.add_flag("--json", json_, "one JSON value, as -o json");
    app.add_flag("--operations", operations_, "where the time of each test goes, by operation, in runs of their own");
    app.add_option("--compare", compare_, "what -o json wrote earlier: each row gets the ratio to that one's")
        ->type_name("FILE");
    app.add_option("--limit-seconds", limit_seconds_,
                   "seconds for each limit of the machine, before and after; 0: no percentages (default 1)")
        ->type_name("S");
    app.add_option("--matmul", matmul_, "no model: a random weight of ROWSxCOLUMNSxLENGTH, against F32")
        ->type_name("MxNxK");
    app.add_option("--type", types_, "formats of that weight; can be repeated")
        ->type_name("FORMAT,...")
        ->allow_extra_args(false);
    app.footer(
        "Tests\n"
        "  pp512     read a prompt of 512 tokens            tg128     generate 128 tokens, one after the other\n"
        "  @ d4096   with 4096 positions in the context     x 4       for 4 sequences at once\n"
        "\nA percentage is the least time that the machine could take, over the time it took. The least time is the\n"
        "longer of two: reading the weights (and keys and values) at its read bandwidth, and the multiply-adds at\n"
        "the peak of the instructions that do them. Both are measured in the same run.\n");
  }

  Result<void> run(Console& console) override {
    if (json_ && !output_.empty() && output_ != "json")
      return fail(ErrorCode::usage, "--json and -o {}: give one", printable(output_));
    if (json_) output_ = "json";
    if (output_.empty()) output_ = kOutputs.front();
    if (std::ranges::find(kOutputs, output_) == kOutputs.end()) {
      return fail(ErrorCode::usage, "-o is \"{}\", expected {}{}", printable(output_), fmt::join(kOutputs, ", "),
                  did_you_mean(output_, kOutputs));
    }
    if (operations_ && output_ == "csv")
      return fail(ErrorCode::usage, "--operations makes a table of its own for each test: use -o md or json, not csv");
    TERN_TRY_DO(check_limit_seconds(limit_seconds_, 600.0));
    if (!matmul_.empty()) return run_matmul(console);
    if (!types_.empty()) return fail(ErrorCode::usage, "--type goes with --matmul: a model has its formats already");
    return run_model(console);
  }

  [[nodiscard]] std::vector<std::string> choices(std::string_view option) const override {
    return option == "--output" ? std::vector<std::string>(kOutputs.begin(), kOutputs.end())
                                : std::vector<std::string>{};
  }
  [[nodiscard]] std::string_view stray_hint() const override { return "lists have no blanks: -p 128,512"; }

 private:
  Result<void> run_model(Console& console) {
    lab::BenchOptions options;
    TERN_TRY(options.lists, lists());
    TERN_TRY(options.cache, cache_.resolve());
    TERN_TRY(options.pages, model_.pages());
    TERN_TRY_DO(model_.settle());
    std::optional<lab::OldBench> old;
    if (!compare_.empty()) {  // before the minutes that are measured
      TERN_TRY(old, lab::read_old_bench(compare_));
    }
    options.model = model_.model;
    options.repetitions = repetitions_;
    options.n_batch = n_batch_;
    options.operations = operations_;
    options.measure_limit = machine_limits(limit_seconds_);
    options.last_level_cache = sys::last_level_cache_bytes(sys::caches());
    options.version = version_text();
    TERN_TRY(lab::BenchResult result, lab::bench(options, console));
    console.end();
    if (old) lab::compare(result, *old, console);
    show(console, result);
    return lab::check(result);
  }

  Result<void> run_matmul(Console& console) {
    if (model_.settle() || !model_.model.empty())
      return fail(ErrorCode::usage, "--matmul needs no model: leave out {}", printable(model_.model, 100));
    for (const char* option : {"--n-prompt", "--n-gen", "--n-depth", "--sequences", "--batch-size", "--cache-type-k",
                               "--cache-type-v", "--pages", "--operations", "--compare"}) {
      if (app_->get_option(option)->count() > 0)
        return fail(ErrorCode::usage, "{} is for models, not for --matmul: leave it out", option);
    }
    if (types_.empty()) return fail(ErrorCode::usage, "--matmul: no format: give --type, such as --type Q4_K");
    lab::MatmulOptions options;
    TERN_TRY(options.shape, lab::parse_matmul_shape(matmul_));
    for (const std::string& list : types_) {
      TERN_TRY(const auto words, read_words("--type", list));
      for (const std::string_view word : words) {
        auto format = formats::by_name(word);
        if (!format) return in_context("--type", std::move(format).error());
        if (std::ranges::find(options.types, *format) == options.types.end()) options.types.push_back(*format);
      }
    }
    TERN_TRY(options.threads, threads());
    TERN_TRY(options.isas, isas());
    options.repetitions = repetitions_;
    options.measure_limit = machine_limits(limit_seconds_);
    options.last_level_cache = sys::last_level_cache_bytes(sys::caches());
    options.version = version_text();
    TERN_TRY(const lab::MatmulResult result, lab::bench_matmul(options, console));
    console.end();
    show(console, result);
    return lab::check(result);
  }

  void show(Console& console, const auto& result) const {
    if (output_ == "json") {
      print_json(console, lab::to_json(result));
    } else {
      console.out(output_ == "csv" ? lab::to_csv(result) : lab::to_markdown(result));
    }
  }

  [[nodiscard]] Result<lab::BenchLists> lists() const {
    constexpr std::int64_t kMostTokens = 1 << 24;
    lab::BenchLists lists;
    TERN_TRY(lists.prompts, read_numbers("-p", prompts_, 0, kMostTokens));
    TERN_TRY(lists.generations, read_numbers("-n", generations_, 0, kMostTokens));
    TERN_TRY(lists.depths, read_numbers("-d", depths_, 0, kMostTokens));
    TERN_TRY(const auto sequences, read_numbers("-s", sequences_, 1, 1024));
    lists.sequences.clear();
    for (const std::int64_t n : sequences) lists.sequences.push_back(static_cast<int>(n));
    TERN_TRY(lists.threads, threads());
    TERN_TRY(lists.isas, isas());
    return lists;
  }

  [[nodiscard]] Result<std::vector<int>> threads() const {
    if (threads_.empty()) return std::vector<int>{threads_or_all(0)};
    TERN_TRY(const auto numbers, read_numbers("-t", threads_, 1, 1024));
    std::vector<int> all;
    for (const std::int64_t n : numbers) all.push_back(static_cast<int>(n));
    return all;
  }

  [[nodiscard]] Result<std::vector<std::string>> isas() const {
    TERN_TRY(const auto words, read_words("--isa", isas_));
    if (!isas_.empty() && std::ranges::find(words, "") != words.end())
      return fail(ErrorCode::usage, "--isa: an empty name; expected names separated by commas");
    return std::vector<std::string>(words.begin(), words.end());
  }

  const CLI::App* app_ = nullptr;  // to know what was given; lives as long as the command line
  ModelOptions model_;
  std::string prompts_ = "512";
  std::string generations_ = "128";
  std::string depths_ = "0";
  std::string sequences_ = "1";
  std::string threads_;
  std::string isas_;
  std::int64_t n_batch_ = 0;
  CacheOptions cache_;
  int repetitions_ = 5;
  std::string output_;
  bool json_ = false;
  bool operations_ = false;
  std::string compare_;
  double limit_seconds_ = 1.0;
  std::string matmul_;
  std::vector<std::string> types_;
};

}  // namespace

std::unique_ptr<Command> make_bench() {
  return std::make_unique<Bench>();
}

}  // namespace tern::cli
