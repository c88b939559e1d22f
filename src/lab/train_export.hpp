// The way out of training: a saved run as a GGUF file whose packed matrices are bit for bit what training computed
// with, or as a Hugging Face folder; and a look at what the model writes, between two steps.
#pragma once

#include <string>

#include "convert/convert.hpp"
#include "convert/export_hugging_face.hpp"
#include "train/run/run.hpp"

namespace tern::lab {

struct TrainExportOptions {
  std::string run;                           // folder of the run, or one of its checkpoints
  std::string out;                           // GGUF file, or the folder for Hugging Face
  const formats::Format* outtype = nullptr;  // of the matrices; null: the smallest that holds them
  const formats::Format* table = nullptr;    // of embedding and head; null: F16
  std::string name;                          // general.name; "": the run's folder
  int n_threads = 1;
  bool overwrite = false;
};

/// Errors: unsupported where the format does not hold what was trained exactly; those of opening and writing.
[[nodiscard]] Result<convert::ConvertReport> export_gguf(const TrainExportOptions& options, Progress& progress);

[[nodiscard]] Result<convert::HuggingFaceReport> export_hugging_face(const TrainExportOptions& options,
                                                                     models::BitNetStorage spelling, files::Dtype dtype,
                                                                     Progress& progress);

/// Continues the prompt with the model as it stands, through a file DIR/latest.gguf and the engine: what a person will
/// get who exports it now. Drawn at temperature 0.8 with the run's seed.
[[nodiscard]] train::SampleText sample_through_engine(const std::string& folder, int n_threads);

}  // namespace tern::lab
