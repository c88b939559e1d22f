// A packed data set, opened for training: its parts as long rows of tokens that are mapped, not read. open() checks the
// manifest and every file's size, so a shard that was cut is found before the first step and not in the middle of the
// night; hashes are checked when asked, since that reads everything. Any number of threads may read at once.
// It draws nothing (sampler.hpp does).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "sys/mapped_file.hpp"
#include "train/data/data_manifest.hpp"

namespace tern::train {

class Part {
 public:
  [[nodiscard]] std::uint64_t n_tokens() const { return n_tokens_; }
  [[nodiscard]] std::uint64_t n_documents() const { return n_documents_; }
  /// Of the documents' text, without what parted them in their files.
  [[nodiscard]] std::uint64_t n_text_bytes() const { return n_text_bytes_; }

  /// [n_documents + 1]: where each document begins, and n_tokens at the end. Empty for a part without documents.
  [[nodiscard]] std::span<const std::uint64_t> documents() const { return documents_; }

  /// Tokens [first, first + n) to `out`, which has room for n. Errors: usage beyond the end; bad_input for a token that
  /// is not in the vocabulary, with its shard and offset.
  [[nodiscard]] Result<void> copy(std::uint64_t first, std::uint64_t n, std::int32_t* out) const;

 private:
  friend class Dataset;
  struct Shard {
    std::uint64_t first = 0;  // token
    sys::MappedFile file;
  };
  std::uint64_t n_tokens_ = 0, n_documents_ = 0, n_text_bytes_ = 0;
  std::uint64_t n_vocab_ = 0, token_bytes_ = 2;
  std::vector<Shard> shards_;
  sys::MappedFile documents_file_;
  std::span<const std::uint64_t> documents_;
};

struct Source {
  std::string name;
  Part train, held_out;  // without tokens where there is no such part
};

class Dataset {
 public:
  /// `folder`: what pack_data made. verify_hashes reads every byte. Errors: not_found, io; bad_input for a manifest or
  /// files that do not fit together; unsupported for a manifest of another version.
  [[nodiscard]] static Result<Dataset> open(const std::string& folder, bool verify_hashes = false);

  [[nodiscard]] std::span<const Source> sources() const { return sources_; }
  /// Null for no such source.
  [[nodiscard]] const Source* find(std::string_view name) const;
  /// Tells data sets apart: a checkpoint keeps it, so that a run is never resumed on other data.
  [[nodiscard]] std::uint64_t fingerprint() const { return fingerprint_; }
  [[nodiscard]] std::uint64_t n_vocab() const { return n_vocab_; }
  [[nodiscard]] std::optional<std::int32_t> bos() const { return bos_; }
  [[nodiscard]] std::optional<std::int32_t> eos() const { return eos_; }
  /// [n_vocab]: bytes of text that each token stands for, 0 for control tokens. Nats per token times tokens, divided by
  /// ln 2 and these bytes, are bits per byte.
  [[nodiscard]] std::span<const std::uint32_t> token_bytes() const { return token_bytes_; }
  /// The set's own copy.
  [[nodiscard]] const std::string& tokenizer_path() const { return tokenizer_path_; }
  [[nodiscard]] const std::string& folder() const { return folder_; }

 private:
  Dataset() = default;
  std::string folder_, tokenizer_path_;
  std::uint64_t fingerprint_ = 0, n_vocab_ = 0;
  std::optional<std::int32_t> bos_, eos_;
  std::vector<Source> sources_;
  sys::MappedFile token_bytes_file_;
  std::span<const std::uint32_t> token_bytes_;
};

}  // namespace tern::train
