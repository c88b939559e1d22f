// What a format of the embedding costs and brings: one model, its embedding re-encoded in memory in each of several
// formats, the same tokens scored by all of them.
//
// The idea: everything is compared with the reference (the first format that the tensor can hold) on the same work -
// token by token for quality, round by round for speed - so that what the text or the machine does to all of them
// cancels. No copy of the model is written. Not here: what the figures mean (sweep_verdict.hpp) and how they are shown
// (sweep_json.hpp, report_sweep.hpp). Timings are facts about a machine at a time, never an input to anything else.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/progress.hpp"
#include "eval/perplexity.hpp"
#include "formats/format.hpp"
#include "stats/paired.hpp"

namespace tern::lab {

/// Peak resident memory of a process that holds the model with this embedding and nothing of the other formats.
using MemoryProbe = std::function<Result<std::uint64_t>(const formats::Format&)>;

struct SweepOptions {
  std::string model;
  std::vector<const formats::Format*> formats;  // the first that the tensor can hold is the reference
  std::vector<std::string> data;                // paths of texts
  std::string field = "text";                   // of .jsonl lines
  std::int64_t n_ctx = 0;                       // tokens of a chunk; 0: min(512, trained context)
  std::int64_t max_chunks = -1;                 // of each text; -1: all
  int n_threads = 1;
  std::string isa;
  std::string prompt;           // continued greedily by every format
  std::int64_t n_predict = 60;  // tokens of that continuation; 0: none
  int repetitions = 5;          // rounds of speed; 0: none
  double margin = 0.005;        // the loss of perplexity that a verdict puts up with, as a share
  MemoryProbe memory;           // empty: not measured
};

/// One format on one text. `paired` compares with the reference (with itself for the reference's own row).
struct TextScore {
  double perplexity = 0.0;
  double standard_error = 0.0;  // unpaired, as llama.cpp prints it
  double bits_per_byte = 0.0;
  stats::PairedComparison paired;
  std::optional<double> p_adjusted;  // Holm over all formats and texts but the reference
  bool identical = false;            // every token's loss is the reference's, to the last bit
};

struct FormatResult {
  const formats::Format* format = nullptr;
  std::string error;  // not "": why there are no figures
  std::uint64_t embedding_bytes = 0;
  std::uint64_t file_bytes = 0;              // of the whole model with this embedding
  double relative_rmse = 0.0;                // of the embedding against the file's own values
  std::optional<std::uint64_t> peak_memory;  // bytes, of a process of its own
  std::string memory_error;                  // why peak_memory is missing
  std::vector<TextScore> texts;              // in the order of SweepResult::texts
  stats::PairedComparison mean;              // over texts: see mean_over_texts
  std::vector<double> prefill;               // tokens per second by round
  std::vector<double> generation;            // tokens per second by round
  std::string continuation;
};

struct SweepText {
  std::string name;
  std::string path;
  std::size_t n_documents = 0;
  std::int64_t n_tokens = 0;  // of the whole text
  std::int64_t n_chunks = 0;
  std::int64_t n_scored = 0;  // tokens scored, all chunks together
};

struct SweepModel {
  std::string path;
  std::string architecture;
  std::string embedding;                    // name of the tensor
  const formats::Format* stored = nullptr;  // its format in the file
  std::int64_t n_vocab = 0;
  std::int64_t n_embd = 0;
  std::int64_t n_layers = 0;
  std::int64_t n_ctx_train = 0;
  std::uint64_t n_parameters = 0;
  std::uint64_t file_bytes = 0;
  bool tied = false;  // the head reads the same table, so its products change too
};

struct SweepResult {
  SweepModel model;
  std::vector<SweepText> texts;
  std::vector<FormatResult> formats;  // in the order asked for
  std::optional<std::size_t> reference;
  std::string cpu;
  std::string isa;
  int n_threads = 1;
  int n_cores = 1;
  std::int64_t n_ctx = 0;
  std::int64_t n_prompt = 0;    // tokens of the speed measurement's prompt
  std::int64_t n_generate = 0;  // and those generated after it
  int repetitions = 0;
  double margin = 0.0;
  std::string prompt;
  std::int64_t n_predict = 0;
  double seconds = 0.0;
  std::vector<std::string> warnings;
};

/// Runs the whole sweep. A format that the embedding cannot hold is a result with an error; errors of the run itself:
/// the model or a text cannot be read, a text is shorter than two chunks, cancelled, out_of_memory.
[[nodiscard]] Result<SweepResult> sweep(const SweepOptions& options, Progress& progress);

/// The mean over texts of the paired difference (each text counts once, however long): nats per token, with its
/// standard error from those of the texts, which share no tokens. Degrees of freedom by Welch and Satterthwaite,
/// rounded down, so that stats::test_margin applies. No error if one text has none; base perplexities are geometric
/// means.
[[nodiscard]] stats::PairedComparison mean_over_texts(const std::vector<TextScore>& texts);

/// Fills in p_adjusted over every format with figures but the reference.
void adjust_p_values(SweepResult& result);

/// Size of the model's file if `old_bytes` of a tensor became `new_bytes`, padding included.
[[nodiscard]] std::uint64_t file_bytes_with(std::uint64_t file_bytes, std::uint64_t old_bytes, std::uint64_t new_bytes,
                                            std::uint64_t alignment);

}  // namespace tern::lab
