// Packs texts into a data set for training: each document encoded once, tokens of all documents one behind the other in
// shards that are mapped later. The set is made in a temporary folder and appears under its name whole (AtomicFolder),
// so an interrupted run leaves what was there before.
//
// Memory is a few megabytes of text, its tokens, and the largest document. Threads encode documents; what is written
// and in which order does not depend on them. Which documents are held out follows from (seed, content), so neither the
// order nor the other documents matter, and two copies of a document land on the same side.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/progress.hpp"
#include "train/data/data_manifest.hpp"
#include "train/data/documents.hpp"

namespace tern::train {

struct PackSource {
  std::string name = {};
  std::vector<std::string> files = {};
  std::vector<std::string> held_out_files = {};  // all of their documents are held out
};

struct PackOptions {
  std::string tokenizer = {};  // anything models::read_tokenizer takes
  std::string folder = {};     // where the set goes
  std::vector<PackSource> sources = {};
  double held_out = 0.0;  // fraction of the documents of each source without held_out_files, 0 <= held_out < 1
  std::string separator = std::string(kDefaultSeparator);
  std::uint64_t shard_tokens = std::uint64_t{1} << 26;
  std::uint64_t seed = 0;
  bool add_bos = true;  // where the tokenizer has them; a token that is both stands at the end alone
  bool add_eos = true;
  bool overwrite = false;
  int n_threads = 1;
};

/// Documents are stripped of the white space around them; empty ones are dropped. Errors: usage for options out of
/// range; those of reading; bad_input for texts that hold no document, and a document of more than 1 GiB; io,
/// out_of_space; cancelled.
[[nodiscard]] Result<DataManifest> pack_data(const PackOptions& options, Progress& progress);

/// Whether a document is held out: a pure function of its bytes.
[[nodiscard]] bool is_held_out(std::string_view document, std::uint64_t seed, double fraction);

}  // namespace tern::train
