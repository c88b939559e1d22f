// data.json: what a packed data set consists of, as plain data, with its reading and writing. It opens no file (that is
// dataset.hpp). The reader is strict: a key that it does not know, a number that does not add up or a file name
// that leaves the folder is refused, since a trainer that goes on from a misread manifest learns nonsense in silence.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"

namespace tern::train {

inline constexpr std::string_view kManifestName = "data.json";
inline constexpr std::string_view kManifestFormat = "tern-data";
inline constexpr std::uint64_t kManifestVersion = 1;

struct ShardEntry {
  std::string file = {};  // a plain name in the data set's folder
  std::uint64_t n_tokens = 0;
  std::uint64_t hash = 0;  // ContentHash of its bytes
  bool operator==(const ShardEntry&) const = default;
};

/// One part of a source: documents one behind the other, cut into shards wherever one is full.
struct PartEntry {
  std::uint64_t n_tokens = 0;
  std::uint64_t n_documents = 0;
  std::uint64_t n_text_bytes = 0;   // of the documents, without what parts them
  std::string documents_file = {};  // n_documents + 1 offsets (u64): where each begins, and n_tokens
  std::uint64_t documents_hash = 0;
  std::vector<ShardEntry> shards = {};
  bool operator==(const PartEntry&) const = default;
};

struct SourceEntry {
  std::string name = {};
  std::optional<PartEntry> train = {}, held_out = {};
  bool operator==(const SourceEntry&) const = default;
};

struct DataManifest {
  std::uint64_t n_vocab = 0;
  std::uint64_t token_bits = 16;  // of a stored token, little-endian: 16, or 32 where n_vocab is above 65536
  std::optional<std::int32_t> bos = {}, eos = {};  // what stands around each document
  std::string tokenizer_file = {};
  std::uint64_t tokenizer_hash = 0;
  std::string token_bytes_file =
      {};  // n_vocab numbers (u32): bytes of text that a token stands for, 0 for control tokens
  std::uint64_t token_bytes_hash = 0;
  std::vector<SourceEntry> sources = {};
  bool operator==(const DataManifest&) const = default;

  /// Over the names, hashes and numbers of tokens of everything that training reads: equal for equal data.
  [[nodiscard]] std::uint64_t fingerprint() const;
};

/// 16 or 32.
[[nodiscard]] constexpr std::uint64_t token_bits_of(std::uint64_t n_vocab) {
  return n_vocab > 65536 ? 32 : 16;
}

/// Whether a source may be called so: 1 to 100 bytes without control characters, '=', ',' and '/'.
[[nodiscard]] bool is_source_name(std::string_view name);

/// `where`, the manifest's path, begins every error. Errors: bad_input, unsupported for another version.
[[nodiscard]] Result<DataManifest> read_manifest(std::span<const std::byte> json, std::string_view where);

[[nodiscard]] std::string manifest_text(const DataManifest& manifest);

}  // namespace tern::train
