#include "train/data/pack.hpp"

#include <algorithm>

#include "base/words.hpp"
#include "models/tokenizer_source.hpp"
#include "sys/thread_pool.hpp"
#include "text/tokenizer.hpp"
#include "train/data/content_hash.hpp"
#include "train/data/part_writer.hpp"
#include "train/data/tokenizer_copy.hpp"
#include "train/data/turns.hpp"

namespace tern::train {
namespace {

constexpr std::size_t kBatchBytes = std::size_t{1} << 23;
constexpr std::size_t kTurnBytes = std::size_t{1} << 16;  // of text a thread takes at once
constexpr std::string_view kTokenBytesName = "token_bytes.u32";

Result<void> check(const PackOptions& options) {
  if (!(options.held_out >= 0.0 && options.held_out < 1.0)) {
    return fail(ErrorCode::usage, "the held-out fraction is {}, expected at least 0 and less than 1", options.held_out);
  }
  if (options.shard_tokens < 1 || options.shard_tokens > (std::uint64_t{1} << 40)) {
    return fail(ErrorCode::usage, "{} tokens in a shard, expected from 1 to 2^40", options.shard_tokens);
  }
  if (options.sources.empty()) return fail(ErrorCode::usage, "no text: name a file to pack");
  for (std::size_t i = 0; i < options.sources.size(); ++i) {
    const PackSource& source = options.sources[i];
    if (!is_source_name(source.name)) {
      return fail(ErrorCode::usage,
                  "a source is called \"{}\", expected 1 to 100 letters without control characters, '=', ',' and '/': "
                  "name it, as in NAME=FILE",
                  printable(source.name));
    }
    for (std::size_t j = 0; j < i; ++j) {
      if (options.sources[j].name == source.name) {
        return fail(ErrorCode::usage, "the source \"{}\" is there twice", printable(source.name));
      }
    }
  }
  return {};
}

struct Packer {
  const PackOptions& options;
  const text::Tokenizer& tokenizer;
  DataManifest& manifest;
  sys::ThreadPool& threads;
  Progress& progress;
  std::uint64_t n_done = 0;  // bytes of text, for progress

  // One document of a batch.
  struct Job {
    std::string_view text;
    Result<std::vector<std::int32_t>> tokens;
    bool is_held_out = false;
  };

  void encode(Job& job, double fraction) const {
    job.is_held_out = fraction > 0.0 && train::is_held_out(job.text, options.seed, fraction);
    job.tokens = tokenizer.encode(job.text);
    if (!job.tokens) return;
    if (manifest.bos) job.tokens->insert(job.tokens->begin(), *manifest.bos);
    if (manifest.eos) job.tokens->push_back(*manifest.eos);
  }

  Result<void> encode_all(std::vector<Job>& jobs, double fraction, const std::string& path) const {
    in_turns(
        std::span(jobs), kTurnBytes, threads, [](const Job& job) { return job.text.size(); },
        [&](std::span<Job> turn) {
          for (Job& job : turn) encode(job, fraction);
        });
    for (Job& job : jobs) {
      if (!job.tokens) return in_context(path, std::move(job.tokens).error());
    }
    return {};
  }

  // Documents go to `held_out` by the fraction, all others to `train`.
  Result<void> pack_file(const std::string& path, double fraction, PartWriter& train, PartWriter& held_out) {
    TERN_TRY(DocumentReader reader, DocumentReader::open(path, options.separator));
    std::vector<Job> jobs;
    std::size_t n_bytes = 0;
    for (bool at_end = false; !at_end;) {
      TERN_TRY(const auto document, reader.next());
      at_end = !document;
      if (document) {
        const std::string_view text = stripped(*document);
        n_bytes += document->size();
        if (!text.empty()) jobs.push_back({.text = text, .tokens = {}});
        if (n_bytes < kBatchBytes) continue;
      }
      if (progress.cancelled()) return fail(ErrorCode::cancelled, "stopped; no data set was written");
      TERN_TRY_DO(encode_all(jobs, fraction, path));
      for (const Job& job : jobs) {
        if (job.tokens->empty()) continue;  // a tokenizer may spell a text with nothing
        TERN_TRY_DO((job.is_held_out ? held_out : train).add(*job.tokens, job.text.size()));
      }
      jobs.clear();
      n_bytes = 0;
      reader.release();
      progress.update(n_done + reader.position());
    }
    n_done += reader.size();
    return {};
  }

  Result<SourceEntry> pack_source(const PackSource& source, const sys::AtomicFolder& folder, std::size_t index) {
    const auto writer = [&](std::string_view part) {
      return PartWriter(folder, fmt::format("{:02}-{}", index, part), manifest.token_bits, options.shard_tokens);
    };
    PartWriter train = writer("train");
    PartWriter held_out = writer("held-out");
    const double fraction = source.held_out_files.empty() ? options.held_out : 0.0;
    for (const std::string& path : source.files) TERN_TRY_DO(pack_file(path, fraction, train, held_out));
    for (const std::string& path : source.held_out_files) TERN_TRY_DO(pack_file(path, 0.0, held_out, held_out));
    SourceEntry entry{.name = source.name, .train = {}, .held_out = {}};
    TERN_TRY(entry.train, train.finish());
    TERN_TRY(entry.held_out, held_out.finish());
    if (fraction > 0.0 && !entry.held_out) {
      progress.note(
          fmt::format("note: nothing of {} is held out: too few documents for that fraction; see --separator "
                      "and --valid",
                      source.name));
    }
    if (!entry.train && !entry.held_out) {
      return fail(ErrorCode::bad_input, "the source \"{}\" holds no text: every document of {} is empty",
                  printable(source.name), source.files.empty() ? source.held_out_files.front() : source.files.front());
    }
    return entry;
  }
};

// How many bytes of text each token stands for.
Result<std::uint64_t> write_token_bytes(const text::Tokenizer& tokenizer, const sys::AtomicFolder& folder) {
  std::vector<std::uint32_t> n_bytes(tokenizer.size(), 0);
  for (std::size_t id = 0; id < n_bytes.size(); ++id) {
    const auto token = static_cast<std::int32_t>(id);
    if (!tokenizer.is_control(token)) n_bytes[id] = static_cast<std::uint32_t>(tokenizer.piece(token).size());
  }
  TERN_TRY(HashedFile file, HashedFile::create(folder, std::string(kTokenBytesName)));
  TERN_TRY_DO(file.write(std::as_bytes(std::span(n_bytes))));
  return file.finish();
}

// All files there, and their bytes together: a wrong name is said before the work.
Result<std::uint64_t> bytes_of(const std::vector<PackSource>& sources) {
  std::uint64_t n_bytes = 0;
  for (const PackSource& source : sources) {
    for (const auto* list : {&source.files, &source.held_out_files}) {
      for (const std::string& path : *list) {
        TERN_TRY(const sys::MappedFile file, sys::MappedFile::open(path));
        n_bytes += file.bytes().size();
      }
    }
  }
  return n_bytes;
}

}  // namespace

bool is_held_out(std::string_view document, std::uint64_t seed, double fraction) {
  ContentHash hash;
  hash.add(document);
  const std::uint64_t bits = spread_bits(hash.value() ^ spread_bits(seed));
  return static_cast<double>(bits >> 11) * 0x1p-53 < fraction;
}

Result<DataManifest> pack_data(const PackOptions& options, Progress& progress) {
  TERN_TRY_DO(check(options));
  TERN_TRY_DO(sys::may_write_folder(options.folder, kManifestName, options.overwrite));
  TERN_TRY(const std::uint64_t n_bytes, bytes_of(options.sources));
  std::vector<std::string> warnings;
  TERN_TRY(const text::Vocabulary vocabulary, models::read_tokenizer(options.tokenizer, std::nullopt, warnings));
  for (const std::string& warning : warnings) progress.note("warning: " + warning);
  const auto tokenizer = text::Tokenizer::make(vocabulary);
  if (!tokenizer) return in_context(options.tokenizer, tokenizer.error());

  DataManifest manifest;
  manifest.n_vocab = tokenizer->size();
  manifest.token_bits = token_bits_of(manifest.n_vocab);
  if (options.add_bos) manifest.bos = vocabulary.bos;
  if (options.add_eos) manifest.eos = vocabulary.eos;
  if (manifest.eos && manifest.bos == manifest.eos) manifest.bos.reset();
  TERN_TRY(sys::AtomicFolder folder, sys::AtomicFolder::create(options.folder, kManifestName, options.overwrite));
  TERN_TRY(const CopiedTokenizer copied, copy_tokenizer(options.tokenizer, vocabulary, folder));
  manifest.tokenizer_file = copied.file;
  manifest.tokenizer_hash = copied.hash;
  manifest.token_bytes_file = kTokenBytesName;
  TERN_TRY(manifest.token_bytes_hash, write_token_bytes(*tokenizer, folder));

  sys::ThreadPool threads(options.n_threads);
  Packer packer{options, *tokenizer, manifest, threads, progress};
  progress.begin("packing", n_bytes);
  for (std::size_t i = 0; i < options.sources.size(); ++i) {
    TERN_TRY(SourceEntry entry, packer.pack_source(options.sources[i], folder, i));
    manifest.sources.push_back(std::move(entry));
  }
  progress.end();
  TERN_TRY_DO(sys::write_file(folder.file(kManifestName), manifest_text(manifest), false));
  TERN_TRY_DO(folder.commit());
  return manifest;
}

}  // namespace tern::train
