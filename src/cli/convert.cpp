// tern convert: a checkpoint of another ecosystem becomes a GGUF file.
#include "convert/convert.hpp"

#include <CLI/CLI.hpp>
#include <array>

#include "base/words.hpp"
#include "cli/all.hpp"
#include "cli/json_output.hpp"
#include "formats/all.hpp"
#include "sys/cpu.hpp"
#include "sys/mapped_file.hpp"

namespace tern::cli {
namespace {

constexpr std::array<std::string_view, 8> kOutTypes{"f32", "f16", "bf16", "q8_0", "i2_s", "tq1_0", "tq2_0", "auto"};

// Null is auto.
Result<const formats::Format*> outtype_by_name(std::string_view name) {
  for (const std::string_view known : kOutTypes) {
    if (!equal_ignoring_case(known, name)) continue;
    if (known == "auto") return nullptr;
    return formats::by_name(known);
  }
  return fail(ErrorCode::usage, "--outtype is \"{}\"{}, expected one of {}; tern quantize makes the others",
              printable(name), did_you_mean(name, kOutTypes), fmt::join(kOutTypes, ", "));
}

class Convert final : public Command {
 public:
  void declare(CLI::App& app) override {
    app.add_option("SOURCE", source_,
                   "a Hugging Face folder, a .safetensors file beside its config.json, or a llama2.c checkpoint")
        ->required();
    app.add_option("-o,--outfile", outfile_, "GGUF file to write")->required()->type_name("FILE");
    app.add_option("--outtype", outtype_,
                   "f32, f16, bf16, q8_0, i2_s, tq1_0, tq2_0, or auto: the source's own precision (default auto)")
        ->type_name("TYPE");
    app.add_option("--tokenizer", tokenizer_, "tokenizer file or folder (default: beside the source)")
        ->type_name("PATH");
    app.add_option("--pre", pre_, "pre-tokeniser where the source leaves it open: gpt-2, llama-bpe, qwen2")
        ->type_name("NAME");
    app.add_option("-t,--threads", n_threads_, "threads (default: the cores this process may use)")
        ->type_name("N")
        ->check(CLI::Range(0, 1024));
    app.add_flag("--force", force_, "overwrite the output");
    app.add_flag("--json", json_, "one JSON value");
  }

  Result<void> run(Console& console) override {
    convert::ConvertOptions options{
        .source = source_,
        .outfile = outfile_,
        .outtype = nullptr,
        .tokenizer = tokenizer_,
        .pre = {},
        .write = {.overwrite = force_, .n_threads = n_threads_ > 0 ? n_threads_ : sys::usable_cores()}};
    TERN_TRY(options.outtype, outtype_by_name(outtype_));
    if (!pre_.empty()) options.pre = pre_;
    TERN_TRY(const convert::ConvertReport report, convert::convert(options, console));
    console.end();
    if (json_) {
      print_json(console, {{"outfile", outfile_},
                           {"architecture", report.architecture},
                           {"n_tensors", report.n_tensors},
                           {"parameters", report.n_parameters},
                           {"file_bytes", report.write.file_bytes},
                           {"ternary_relative_error", report.write.worst_relative_error},
                           {"seconds", report.write.seconds}});
      return {};
    }
    console.out(fmt::format("{}: {}, {} parameters in {} tensors, {}, {:.2f} s\n", printable(outfile_, 200),
                            report.architecture, with_separators(static_cast<std::uint64_t>(report.n_parameters)),
                            report.n_tensors, human_bytes(report.write.file_bytes), report.write.seconds));
    return {};
  }

 private:
  std::string source_;
  std::string outfile_;
  std::string outtype_ = "auto";
  std::string tokenizer_;
  std::string pre_;
  int n_threads_ = 0;
  bool force_ = false;
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Command> make_convert() {
  return std::make_unique<Convert>();
}

}  // namespace tern::cli
