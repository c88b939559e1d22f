// tern split: a GGUF file as several smaller ones, with the rules of llama.cpp's gguf-split.
#include "convert/split.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>

#include "base/checked.hpp"
#include "base/words.hpp"
#include "cli/all.hpp"
#include "cli/counted.hpp"
#include "cli/json_output.hpp"
#include "cli/output_file.hpp"
#include "report/table.hpp"

namespace tern::cli {
namespace {

// "300M": a positive number of powers of 1000.
Result<std::uint64_t> size_of(std::string_view text) {
  std::uint64_t n = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
  const std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
  const std::uint64_t scale = unit == "K" ? 1'000 : unit == "M" ? 1'000'000 : unit == "G" ? 1'000'000'000 : 0;
  const auto bytes = checked_mul(n, scale);
  if (error == std::errc{} && scale > 0 && n > 0 && bytes) return *bytes;
  return fail(ErrorCode::usage, "--split-max-size is \"{}\", expected a whole number and a unit: 500K, 300M, 4G",
              printable(text));
}

class Split final : public Command {
 public:
  void declare(CLI::App& app) override {
    app.add_option("IN", input_, "GGUF file; of a model that is split already, any part")->required();
    takes_output(app.add_option("PREFIX", prefix_, "the parts are PREFIX-00001-of-0000N.gguf")->required());
    app.add_option("--split-max-size", max_size_, "size of a part's tensors at most, in powers of 1000: 500K, 300M, 4G")
        ->type_name("SIZE");
    app.add_option("--split-max-tensors", max_tensors_, "tensors of a part at most (default 128)")->type_name("N");
    app.add_flag("--no-tensor-first-split", no_tensor_first_, "a first part with the metadata alone");
    app.add_flag("--dry-run", dry_run_, "show the parts and their sizes, write nothing");
    app.add_flag("--force", force_, "overwrite the parts");
    app.add_flag("--json", json_, "one JSON value");
  }

  Result<void> run(Console& console) override {
    files::SplitRule rule{.max_tensors = {}, .max_bytes = {}, .no_tensor_in_first = no_tensor_first_};
    if (max_tensors_ && !max_size_.empty()) {
      return fail(ErrorCode::usage, "--split-max-size and --split-max-tensors are given; give one of them");
    }
    if (max_tensors_) {
      if (*max_tensors_ < 1)
        return fail(ErrorCode::usage, "--split-max-tensors is {}, expected at least 1", *max_tensors_);
      rule.max_tensors = static_cast<std::uint64_t>(*max_tensors_);
    }
    if (!max_size_.empty()) {
      TERN_TRY(rule.max_bytes, size_of(max_size_));
    }
    std::string prefix = prefix_;
    if (prefix.size() > 5 && prefix.ends_with(".gguf")) prefix.resize(prefix.size() - 5);
    TERN_TRY(const convert::CopyPlan plan, convert::CopyPlan::split(input_, prefix, rule, console));
    if (!dry_run_) {
      const std::vector<std::string> inputs = model_files(plan.file());
      for (const files::PlannedPart& part : plan.parts()) TERN_TRY_DO(keeps_inputs(part.path, inputs));
      TERN_TRY_DO(plan.run(force_, console));
    }
    console.end();
    if (json_) {
      print_json(console, as_json(plan));
    } else {
      console.out(as_table(plan, console.colour()));
    }
    return {};
  }

 private:
  [[nodiscard]] std::string as_table(const convert::CopyPlan& plan, bool colour) const {
    report::Table table{.columns = {{"part", report::Align::left}, {"tensors"}, {"bytes"}}, .rows = {}};
    for (std::size_t i = 0; i < plan.parts().size(); ++i) {
      const files::PlannedPart& part = plan.parts()[i];
      table.add({printable(part.path, 200), fmt::format("{}", part.layout.tensors().size()),
                 with_separators(plan.part_bytes()[i])});
    }
    return fmt::format("{}\n{}, {}, {}{}\n", report::to_text(table, colour), counted(plan.parts().size(), "part"),
                       counted(plan.file().tensors().size(), "tensor"), human_bytes(plan.output_bytes()),
                       dry_run_ ? "; nothing was written" : "");
  }

  [[nodiscard]] Json as_json(const convert::CopyPlan& plan) const {
    Json out{{"infile", input_}, {"dry_run", dry_run_}, {"n_tensors", plan.file().tensors().size()}};
    out["parts"] = Json::array();
    for (std::size_t i = 0; i < plan.parts().size(); ++i) {
      const files::PlannedPart& part = plan.parts()[i];
      out["parts"].push_back(
          {{"file", part.path}, {"n_tensors", part.layout.tensors().size()}, {"file_bytes", plan.part_bytes()[i]}});
    }
    return out;
  }

  std::string input_;
  std::string prefix_;
  std::string max_size_;
  std::optional<std::int64_t> max_tensors_;
  bool no_tensor_first_ = false;
  bool dry_run_ = false;
  bool force_ = false;
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Command> make_split() {
  return std::make_unique<Split>();
}

}  // namespace tern::cli
