// tern data pack: texts and a tokenizer in, a packed data set out.
#include <glob.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>

#include "base/words.hpp"
#include "cli/all.hpp"
#include "cli/counted.hpp"
#include "cli/json_output.hpp"
#include "cli/output_file.hpp"
#include "cli/threads_option.hpp"
#include "report/table.hpp"
#include "sys/mapped_file.hpp"
#include "sys/path.hpp"
#include "train/data/pack.hpp"

namespace tern::cli {
namespace {

// "NAME=PATH"; the name is empty where there is none. A path that is there as a whole is one, whatever it holds.
struct NamedPath {
  std::string name;
  std::string path;
};

NamedPath named_path(const std::string& word) {
  const std::size_t equals = word.find('=');
  if (equals == std::string::npos || sys::exists(word)) return {{}, word};
  const std::string name = word.substr(0, equals);
  if (!name.empty() && !train::is_source_name(name)) return {{}, word};
  return {name, word.substr(equals + 1)};
}

// The texts (.txt) of a folder by name; what a pattern matches, since a shell does not look behind "NAME="; else the
// path itself.
Result<std::vector<std::string>> files_of(const std::string& path) {
  namespace fs = std::filesystem;
  std::vector<std::string> files;
  if (sys::is_directory(path)) {
    std::error_code error;
    for (fs::directory_iterator at(path, error), end; !error && at != end; at.increment(error)) {
      if (at->path().extension() == ".txt" && at->is_regular_file(error)) files.push_back(at->path().string());
    }
    std::ranges::sort(files);
    if (error) return fail(ErrorCode::io, "{}: cannot list: {}", path, error.message());
    if (files.empty()) return fail(ErrorCode::not_found, "{}: no file of this folder ends in .txt", path);
    return files;
  }
  if (path.find_first_of("*?[") == std::string::npos || sys::exists(path)) return std::vector<std::string>{path};
  glob_t matches{};
  const int status = ::glob(path.c_str(), 0, nullptr, &matches);
  if (status == 0) files.assign(matches.gl_pathv, matches.gl_pathv + matches.gl_pathc);
  ::globfree(&matches);
  if (files.empty()) return fail(ErrorCode::not_found, "{}: no file is called so", path);
  return files;
}

class DataPack final : public Command {
 public:
  void declare(CLI::App& app) override {
    app.add_option("SOURCE...", texts_,
                   "texts in UTF-8, each as [NAME=]FILE; a folder stands for its .txt files, and * for any letters; "
                   "files with one NAME are one source (default: the file's name without its ending)")
        ->required();
    app.add_option("--tokenizer", options_.tokenizer,
                   "tokenizer.json, a SentencePiece model, tiktoken ranks, llama2.c's .bin, a GGUF file, or a folder "
                   "with one; the set keeps a copy")
        ->type_name("PATH")
        ->required();
    takes_output(app.add_option("-o,--output", options_.folder, "the folder to make")->type_name("DIR")->required());
    app.add_option("--valid", valid_, "a text that is held out whole, of the source NAME; given once for each")
        ->type_name("[NAME=]FILE")
        ->expected(1)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    app.add_option("--held-out", options_.held_out,
                   "fraction of the documents to hold out, of sources without --valid (default 0)")
        ->type_name("FRACTION");
    app.add_option("--seed", options_.seed, "another choice of held-out documents (default 0)")->type_name("SEED");
    app.add_option(
           "--separator", options_.separator,
           fmt::format("what stands between two documents (default {}); empty for none", train::kDefaultSeparator))
        ->type_name("TEXT");
    app.add_flag("--no-bos", no_bos_, "do not begin each document with BOS");
    app.add_flag("--no-eos", no_eos_, "do not end each document with EOS");
    app.add_option("--shard-tokens", options_.shard_tokens, "tokens in a file (default 67108864)")->type_name("N");
    declare_threads(app, options_.n_threads);
    app.add_flag("--force", options_.overwrite, "replace a data set of that name");
    app.add_flag("--json", json_, "one JSON value");
    app.footer(
        "A document loses the white space around it; empty ones are dropped. Which ones are held out follows from the\n"
        "seed and their text alone. The folder appears when it is whole; what stood there before stays until then.\n");
  }

  Result<void> run(Console& console) override {
    for (const std::string& word : texts_) TERN_TRY_DO(add(word, &train::PackSource::files));
    for (const std::string& word : valid_) TERN_TRY_DO(add(word, &train::PackSource::held_out_files));
    TERN_TRY_DO(keeps_held_out_apart(console));
    options_.n_threads = threads_or_all(options_.n_threads);
    options_.add_bos = !no_bos_;
    options_.add_eos = !no_eos_;
    TERN_TRY(const train::DataManifest manifest, train::pack_data(options_, console));
    console.end();
    if (json_) {
      print_json(console, as_json(manifest));
    } else {
      console.out(as_table(manifest, console.colour()));
    }
    return {};
  }

 private:
  /// A file that is trained on and held out would be measured as if it were known by heart.
  [[nodiscard]] Result<void> keeps_held_out_apart(Console& console) const {
    for (const train::PackSource& held : options_.sources) {
      for (const std::string& file : held.held_out_files) {
        for (const train::PackSource& source : options_.sources) {
          const auto same =
              std::ranges::find_if(source.files, [&](const std::string& other) { return sys::same_file(file, other); });
          if (same == source.files.end()) continue;
          return fail(ErrorCode::usage,
                      "{}: is to be held out and to be trained on (source \"{}\"); hold out another text", file,
                      printable(source.name));
        }
      }
      if (!held.held_out_files.empty() && held.files.empty()) {
        console.note(fmt::format("note: the source \"{}\" is only held out: nothing of that name is trained on",
                                 printable(held.name)));
      }
    }
    return {};
  }

  [[nodiscard]] Result<void> add(const std::string& word, std::vector<std::string> train::PackSource::* list) {
    const NamedPath given = named_path(word);
    TERN_TRY(const std::vector<std::string> files, files_of(given.path));
    for (const std::string& file : files) {
      std::string name = given.name;
      if (name.empty())
        name = sys::stem_of(sys::is_directory(given.path) ? sys::without_final_slashes(given.path) : file);
      auto source = std::ranges::find(options_.sources, name, &train::PackSource::name);
      if (source == options_.sources.end()) {
        options_.sources.push_back({.name = name, .files = {}, .held_out_files = {}});
        source = options_.sources.end() - 1;
      }
      ((*source).*list).push_back(file);
    }
    return {};
  }

  template <typename F>
  static void each_part(const train::DataManifest& manifest, const F& f) {
    for (const train::SourceEntry& source : manifest.sources) {
      if (source.train) f(source, "train", *source.train);
      if (source.held_out) f(source, "held out", *source.held_out);
    }
  }

  [[nodiscard]] std::string as_table(const train::DataManifest& manifest, bool colour) const {
    report::Table table{.columns = {{"source", report::Align::left},
                                    {"part", report::Align::left},
                                    {"documents"},
                                    {"tokens"},
                                    {"bytes of text"},
                                    {"bytes per token"}},
                        .rows = {}};
    std::uint64_t n_tokens = 0;
    each_part(manifest, [&](const train::SourceEntry& source, std::string_view name, const train::PartEntry& part) {
      n_tokens += part.n_tokens;
      table.add({printable(source.name, 40), std::string(name), with_separators(part.n_documents),
                 with_separators(part.n_tokens), with_separators(part.n_text_bytes),
                 fmt::format("{:.2f}", static_cast<double>(part.n_text_bytes) / static_cast<double>(part.n_tokens))});
    });
    return fmt::format("{}\n{}: {} of a vocabulary of {}, fingerprint {:016x}\n", report::to_text(table, colour),
                       printable(options_.folder, 200), counted(n_tokens, "token"), with_separators(manifest.n_vocab),
                       manifest.fingerprint());
  }

  [[nodiscard]] Json as_json(const train::DataManifest& manifest) const {
    Json parts = Json::array();
    each_part(manifest, [&](const train::SourceEntry& source, std::string_view name, const train::PartEntry& part) {
      parts.push_back({{"source", source.name},
                       {"part", name == "train" ? "train" : "held_out"},
                       {"n_documents", part.n_documents},
                       {"n_tokens", part.n_tokens},
                       {"n_text_bytes", part.n_text_bytes},
                       {"n_shards", part.shards.size()}});
    });
    return {{"folder", options_.folder},
            {"n_vocab", manifest.n_vocab},
            {"bos", manifest.bos ? Json(*manifest.bos) : Json(nullptr)},
            {"eos", manifest.eos ? Json(*manifest.eos) : Json(nullptr)},
            {"fingerprint", fmt::format("{:016x}", manifest.fingerprint())},
            {"parts", parts}};
  }

  train::PackOptions options_{.tokenizer = {}, .folder = {}, .sources = {}, .n_threads = 0};
  std::vector<std::string> texts_;
  std::vector<std::string> valid_;
  bool no_bos_ = false;
  bool no_eos_ = false;
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Command> make_data_pack() {
  return std::make_unique<DataPack>();
}

}  // namespace tern::cli
