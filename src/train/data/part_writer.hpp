// Writes one part of a packed data set: tokens into shards, document boundaries beside them, hashes on the way. Tokens
// come in order; a shard is full after a fixed number of them, wherever a document ends. It decides nothing about what
// goes in (pack.hpp does).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "sys/atomic_file.hpp"
#include "sys/atomic_folder.hpp"
#include "train/data/content_hash.hpp"
#include "train/data/data_manifest.hpp"

namespace tern::train {

/// A file of the folder in hand, buffered and hashed.
class HashedFile {
 public:
  [[nodiscard]] static Result<HashedFile> create(const sys::AtomicFolder& folder, const std::string& name);
  [[nodiscard]] Result<void> write(std::span<const std::byte> bytes);
  /// Syncs; the content's hash.
  [[nodiscard]] Result<std::uint64_t> finish();

 private:
  explicit HashedFile(sys::AtomicFile file) : file_(std::move(file)) {}
  [[nodiscard]] Result<void> flush();
  sys::AtomicFile file_;
  std::vector<std::byte> buffer_;
  ContentHash hash_;
};

class PartWriter {
 public:
  /// Files are called `prefix`-00000.tokens, ... and `prefix`.documents. `folder` outlives the writer.
  PartWriter(const sys::AtomicFolder& folder, std::string prefix, std::uint64_t token_bits, std::uint64_t shard_tokens)
      : folder_(&folder), prefix_(std::move(prefix)), token_bits_(token_bits), shard_tokens_(shard_tokens) {}

  /// One document. Requires: at least one token, each one fits token_bits.
  [[nodiscard]] Result<void> add(std::span<const std::int32_t> tokens, std::uint64_t n_text_bytes);

  /// Nothing when no document came; then there is no file either.
  [[nodiscard]] Result<std::optional<PartEntry>> finish();

 private:
  [[nodiscard]] Result<void> write_tokens(std::span<const std::int32_t> tokens);
  [[nodiscard]] Result<void> end_shard();

  const sys::AtomicFolder* folder_;
  std::string prefix_;
  std::uint64_t token_bits_;
  std::uint64_t shard_tokens_;
  std::optional<HashedFile> shard_, documents_;
  std::vector<std::uint16_t> narrow_;
  PartEntry entry_;
};

}  // namespace tern::train
