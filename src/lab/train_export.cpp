#include "lab/train_export.hpp"

#include <filesystem>

#include "engine/generate.hpp"
#include "formats/all.hpp"
#include "lab/trained_source.hpp"
#include "sys/path.hpp"
#include "train/data/tokenizer_copy.hpp"
#include "train/run/run_folder.hpp"

namespace tern::lab {
namespace {

struct Opened {
  train::RunState state;
  std::shared_ptr<train::Trainer> trainer;
  std::string folder;
};

Result<Opened> open_run(const TrainExportOptions& options, Progress& progress) {
  TERN_TRY(const train::SavedRun saved, train::open_run(options.run, progress));
  TERN_TRY(auto trainer, train::restore(saved, options.n_threads));
  if (saved.state().step < saved.state().n_steps) {
    progress.note(fmt::format("note: the run is at step {} of {}", saved.state().step, saved.state().n_steps));
  }
  const float lambda = trainer->weights().lambda();
  if (saved.state().recipe.weights != "none" && lambda != 1.0F) {
    progress.note(fmt::format("note: quantisation is faded in to {:.2f}: the masters are exported as floats", lambda));
  }
  return Opened{saved.state(), std::move(trainer),
                sys::is_directory(options.run) ? options.run : sys::folder_of(options.run)};
}

Result<convert::ConvertReport> write_model(const convert::Source& source, train::Trainer& trainer,
                                           convert::ConvertOptions options, Progress& progress) {
  TERN_TRY_DO(check_holds(options.outtype, source, trainer));
  const bool is_packed = trainer.weights().options().weights != nullptr && options.outtype != &formats::kF32;
  if (options.table == nullptr && is_packed) options.table = &formats::kF16;
  TERN_TRY(const convert::ConvertPlan plan, convert::ConvertPlan::of(source, options, progress));
  return plan.run(options, progress);
}

/// Where the tokenizer lies: the folder, or in it what a GGUF model gave to the data set.
std::string tokenizer_of(const std::string& folder) {
  const std::string gguf = fmt::format("{}/{}", folder, train::kTokenizerGgufName);
  return !sys::exists(folder + "/tokenizer.json") && sys::exists(gguf) ? gguf : folder;
}

}  // namespace

Result<convert::ConvertReport> export_gguf(const TrainExportOptions& options, Progress& progress) {
  TERN_TRY(const Opened run, open_run(options, progress));
  const convert::Source source = trained_source(run.state, *run.trainer, run.trainer);
  convert::ConvertOptions convert_options;
  convert_options.source = run.folder;
  convert_options.tokenizer = tokenizer_of(run.folder);
  convert_options.outfile = options.out;
  convert_options.outtype = options.outtype;
  convert_options.table = options.table;
  convert_options.name = options.name.empty() ? sys::file_name_of(run.folder) : options.name;
  convert_options.write = {.overwrite = options.overwrite, .n_threads = options.n_threads};
  return write_model(source, *run.trainer, std::move(convert_options), progress);
}

Result<convert::HuggingFaceReport> export_hugging_face(const TrainExportOptions& options,
                                                       models::BitNetStorage spelling, files::Dtype dtype,
                                                       Progress& progress) {
  TERN_TRY(const Opened run, open_run(options, progress));
  const convert::Source source = trained_source(run.state, *run.trainer, run.trainer);
  // A tokenizer in GGUF has no place there.
  const bool has_files = tokenizer_of(run.folder) == run.folder;
  if (!has_files) {
    progress.note(
        "note: the run's tokenizer is a GGUF file, which Hugging Face's programs do not read: put the model's "
        "tokenizer.json into the folder");
  }
  return convert::write_hugging_face(source,
                                     {.folder = options.out,
                                      .spelling = spelling,
                                      .dtype = dtype,
                                      .tokenizer = has_files ? run.folder : std::string(),
                                      .overwrite = options.overwrite},
                                     progress);
}

train::SampleText sample_through_engine(const std::string& folder, int n_threads) {
  return [folder, n_threads](const train::RunState& state, train::Trainer& trainer,
                             const std::string& prompt) -> Result<std::string> {
    Progress quiet;  // what happens inside a training run is the run's to tell
    const convert::Source source = trained_source(state, trainer, nullptr);
    convert::ConvertOptions options;
    options.source = folder;
    options.tokenizer = tokenizer_of(folder);
    options.outfile = fmt::format("{}/{}", folder, train::kLatestModelName);
    options.write = {.overwrite = true, .n_threads = n_threads};
    TERN_TRY_DO(write_model(source, trainer, options, quiet));
    TERN_TRY(const auto model, engine::Model::load(options.outfile, {.isa = {}, .n_threads = n_threads}));
    engine::SessionOptions session_options;
    session_options.n_threads = n_threads;
    TERN_TRY(const auto session, engine::Session::make(model, session_options));
    TERN_TRY(const auto ids, engine::prompt_ids(*model, prompt));
    engine::GenerateOptions generate_options;
    const std::int64_t room = state.model.n_ctx_train - std::ssize(ids);
    generate_options.n_predict = std::min(state.recipe.sample_tokens, room);
    generate_options.sampler.temperature = 0.8F;
    generate_options.sampler.seed = static_cast<std::uint64_t>(state.recipe.seed);
    TERN_TRY(const auto result,
             engine::generate(*session, ids, generate_options, [](std::string_view) { return true; }));
    return result.text;
  };
}

}  // namespace tern::lab
