// tern synth: a model with random weights in the shape of a real one.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <limits>

#include "base/words.hpp"
#include "cli/all.hpp"
#include "cli/describe.hpp"
#include "cli/output_file.hpp"
#include "cli/threads_option.hpp"
#include "cli/written_model.hpp"
#include "convert/synth.hpp"
#include "formats/all.hpp"

namespace tern::cli {
namespace {

class Synth final : public Command {
 public:
  void declare(CLI::App& app) override {
    options_.write.n_threads = 0;
    app.add_option("SHAPE", shape_, fmt::format("{}", fmt::join(convert::synth_shape_names(), ", ")))->required();
    takes_output(app.add_option("OUT", options_.outfile, "GGUF file to write")->required());
    app.add_option("--type", type_, "type of the matrices (default: I2_S for BitNet's shapes, else F16)")
        ->type_name("TYPE");
    app.add_option("--embedding", table_, "type of embedding and head (default F16)")->type_name("TYPE");
    app.add_option("--seed", options_.seed, "another seed, other weights (default 1)")
        ->type_name("N")
        ->check(CLI::Range(std::int64_t{0}, std::numeric_limits<std::int64_t>::max()));
    for (Change& change : changes_) {
      app.add_option(change.option, change.value, change.help)
          ->type_name("N")
          ->check(CLI::Range(change.least, change.most));
    }
    app.add_flag("--untied", untied_, "a head of its own, beside the embedding");
    declare_threads(app, options_.write.n_threads);
    app.add_flag("--force", options_.write.overwrite, "overwrite the output");
    app.add_flag("--json", json_, "one JSON value");
    std::string shapes = "Shapes\n";
    for (const convert::SynthShape& shape : convert::synth_shapes()) {
      shapes += fmt::format("  {:<14}{}: {} wide, {} layers, vocabulary {}\n", shape.name, shape.summary, shape.hidden,
                            shape.layers, shape.vocabulary);
    }
    app.footer(
        shapes +
        "\nMatrices are ternary with one scale for BitNet's shapes and ternary types, binary for Q1_0, and else\n"
        "normal. The same options give the same file on every machine.\n");
  }

  Result<void> run(Console& console) override {
    TERN_TRY(options_.shape, convert::synth_shape_by_name(shape_));
    for (const Change& change : changes_) {
      if (change.value != 0) options_.shape.*change.field = change.value;
    }
    // Another width or number of heads: heads as wide as they come out, unless one says.
    if (value_of("--head-dim") == 0 && (value_of("--hidden") != 0 || value_of("--heads") != 0))
      options_.shape.head_dim = 0;
    if (untied_) options_.shape.tied = false;
    if (!type_.empty()) {
      TERN_TRY(options_.type, formats::by_name(type_));
    }
    if (!table_.empty()) {
      TERN_TRY(options_.table, formats::by_name(table_));
    }
    options_.write.n_threads = threads_or_all(options_.write.n_threads);
    TERN_TRY(const convert::ConvertReport report, convert::synth(options_, console));
    console.end();
    if (json_) {
      Json json = written_json(options_.outfile, report);
      json["seconds"] = report.write.seconds;
      print_json(console, json);
      return {};
    }
    console.out(written_line(options_.outfile, report) + "\n");
    return {};
  }

  [[nodiscard]] std::vector<std::string> choices(std::string_view option) const override {
    if (option == "--type" || option == "--embedding") return format_names();
    std::vector<std::string> names;
    if (option == "SHAPE") {
      for (const std::string_view name : convert::synth_shape_names()) names.emplace_back(name);
    }
    return names;
  }

 private:
  /// A number of the shape that an option replaces.
  struct Change {
    const char* option;
    std::int64_t convert::SynthShape::* field;
    const char* help;
    std::int64_t least;
    std::int64_t most;
    std::int64_t value = 0;  // 0: as the shape has it
  };

  [[nodiscard]] std::int64_t value_of(std::string_view option) const {
    return std::ranges::find(changes_, option, &Change::option)->value;
  }

  std::array<Change, 8> changes_{{
      {"--hidden", &convert::SynthShape::hidden, "width", 1, 1048576},
      {"--layers", &convert::SynthShape::layers, "layers", 1, 4096},
      {"--heads", &convert::SynthShape::heads, "heads of attention", 1, 65536},
      {"--kv-heads", &convert::SynthShape::kv_heads, "heads of keys and values", 1, 65536},
      {"--head-dim", &convert::SynthShape::head_dim, "width of a head", 2, 65536},
      {"--ff", &convert::SynthShape::feed_forward, "width of the feed-forward network", 1, 4194304},
      {"--vocab", &convert::SynthShape::vocabulary, "tokens", 258, 4194304},
      {"--context", &convert::SynthShape::context, "trained context, as the file tells it", 1, 1073741824},
  }};
  convert::SynthOptions options_;
  std::string shape_;
  std::string type_;
  std::string table_;
  bool untied_ = false;
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Command> make_synth() {
  return std::make_unique<Synth>();
}

}  // namespace tern::cli
