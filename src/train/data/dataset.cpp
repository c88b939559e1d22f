#include "train/data/dataset.hpp"

#include <algorithm>
#include <cstring>

#include "base/words.hpp"
#include "sys/path.hpp"
#include "train/data/content_hash.hpp"

namespace tern::train {
namespace {

constexpr std::string_view kPackAgain = "the file is damaged; pack the texts again (tern data pack)";

struct Opener {
  std::string folder;
  bool verify = false;

  [[nodiscard]] Result<sys::MappedFile> map(const std::string& name, std::uint64_t n_bytes, std::uint64_t hash) const {
    auto opened = sys::MappedFile::open(fmt::format("{}/{}", folder, name));
    if (!opened) return std::unexpected(std::move(opened).error());
    if (opened->bytes().size() != n_bytes) {
      return fail(ErrorCode::bad_input, "{}: {} bytes, expected {} by {}: {}", opened->path(), opened->bytes().size(),
                  n_bytes, kManifestName, kPackAgain);
    }
    if (verify) {
      ContentHash seen;
      seen.add(opened->bytes());
      if (seen.value() != hash) {
        return fail(ErrorCode::bad_input, "{}: its hash is {:016x}, expected {:016x} by {}: {}", opened->path(),
                    seen.value(), hash, kManifestName, kPackAgain);
      }
    }
    return opened;
  }
};

template <typename T>
std::span<const T> as_numbers(const sys::MappedFile& file) {
  // A mapping begins on a page, so any number is aligned.
  return {reinterpret_cast<const T*>(file.bytes().data()), file.bytes().size() / sizeof(T)};
}

Result<void> check_documents(std::span<const std::uint64_t> offsets, std::uint64_t n_tokens, const std::string& path) {
  if (offsets.front() == 0 && offsets.back() == n_tokens) return {};
  return fail(ErrorCode::bad_input, "{}: offsets from {} to {}, expected from 0 to {}: {}", path, offsets.front(),
              offsets.back(), n_tokens, kPackAgain);
}

}  // namespace

Result<void> Part::copy(std::uint64_t first, std::uint64_t n, std::int32_t* out) const {
  if (first > n_tokens_ || n > n_tokens_ - first) {
    return fail(ErrorCode::usage, "{} tokens from {} on are asked for, the part has {}", n, first, n_tokens_);
  }
  if (n == 0) return {};
  auto shard = std::ranges::upper_bound(shards_, first, {}, &Shard::first) - 1;
  while (n > 0) {
    const std::uint64_t at = first - shard->first;
    const std::span<const std::byte> bytes = shard->file.bytes();
    const std::uint64_t m = std::min(n, bytes.size() / token_bytes_ - at);
    for (std::uint64_t i = 0; i < m; ++i) {
      std::uint32_t token = 0;
      std::memcpy(&token, bytes.data() + (at + i) * token_bytes_, token_bytes_);  // little-endian, as this machine is
      if (token >= n_vocab_) {
        return fail(ErrorCode::bad_input, "{}: token {} at offset {} is not in the vocabulary of {}: {}",
                    shard->file.path(), token, at + i, n_vocab_, kPackAgain);
      }
      out[i] = static_cast<std::int32_t>(token);
    }
    out += m;
    first += m;
    n -= m;
    ++shard;
  }
  return {};
}

const Source* Dataset::find(std::string_view name) const {
  const auto found = std::ranges::find(sources_, name, &Source::name);
  return found == sources_.end() ? nullptr : &*found;
}

Result<Dataset> Dataset::open(const std::string& folder, bool verify_hashes) {
  Dataset set;
  set.folder_ = sys::without_final_slashes(folder);
  const std::string manifest_path = fmt::format("{}/{}", set.folder_, kManifestName);
  if (!sys::exists(manifest_path)) {
    const bool is_folder = sys::is_directory(set.folder_);
    return fail(ErrorCode::not_found, "{}: {}, expected the folder of a data set: make one with tern data pack",
                set.folder_,
                is_folder                  ? fmt::format("holds no {}", kManifestName)
                : sys::exists(set.folder_) ? "is no folder"
                                           : "no such folder");
  }
  TERN_TRY(const sys::MappedFile manifest_file, sys::MappedFile::open(manifest_path));
  TERN_TRY(const DataManifest manifest, read_manifest(manifest_file.bytes(), manifest_path));
  const Opener opener{set.folder_, verify_hashes};
  set.fingerprint_ = manifest.fingerprint();
  set.n_vocab_ = manifest.n_vocab;
  set.bos_ = manifest.bos;
  set.eos_ = manifest.eos;
  set.tokenizer_path_ = fmt::format("{}/{}", set.folder_, manifest.tokenizer_file);
  TERN_TRY(const sys::MappedFile tokenizer, sys::MappedFile::open(set.tokenizer_path_));
  if (verify_hashes) {
    TERN_TRY(const auto verified,
             opener.map(manifest.tokenizer_file, tokenizer.bytes().size(), manifest.tokenizer_hash));
  }
  TERN_TRY(set.token_bytes_file_,
           opener.map(manifest.token_bytes_file, manifest.n_vocab * sizeof(std::uint32_t), manifest.token_bytes_hash));
  set.token_bytes_ = as_numbers<std::uint32_t>(set.token_bytes_file_);

  const auto open_part = [&](const PartEntry& entry, Part& part) -> Result<void> {
    part.n_tokens_ = entry.n_tokens;
    part.n_documents_ = entry.n_documents;
    part.n_text_bytes_ = entry.n_text_bytes;
    part.n_vocab_ = manifest.n_vocab;
    part.token_bytes_ = manifest.token_bits / 8;
    std::uint64_t first = 0;
    for (const ShardEntry& shard : entry.shards) {  // the manifest has checked the sums
      TERN_TRY(sys::MappedFile file, opener.map(shard.file, shard.n_tokens * part.token_bytes_, shard.hash));
      part.shards_.push_back({first, std::move(file)});
      first += shard.n_tokens;
    }
    TERN_TRY(part.documents_file_,
             opener.map(entry.documents_file, (entry.n_documents + 1) * sizeof(std::uint64_t), entry.documents_hash));
    part.documents_ = as_numbers<std::uint64_t>(part.documents_file_);
    TERN_TRY_DO(check_documents(part.documents_, part.n_tokens_, part.documents_file_.path()));
    if (verify_hashes && !std::ranges::is_sorted(part.documents_)) {
      return fail(ErrorCode::bad_input, "{}: offsets that go back: {}", part.documents_file_.path(), kPackAgain);
    }
    return {};
  };
  for (const SourceEntry& entry : manifest.sources) {
    Source source;
    source.name = entry.name;
    if (entry.train) TERN_TRY_DO(open_part(*entry.train, source.train));
    if (entry.held_out) TERN_TRY_DO(open_part(*entry.held_out, source.held_out));
    set.sources_.push_back(std::move(source));
  }
  return set;
}

}  // namespace tern::train
