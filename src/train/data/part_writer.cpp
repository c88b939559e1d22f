#include "train/data/part_writer.hpp"

#include <algorithm>

namespace tern::train {
namespace {

constexpr std::size_t kBufferBytes = std::size_t{1} << 20;

}  // namespace

Result<HashedFile> HashedFile::create(const sys::AtomicFolder& folder, const std::string& name) {
  TERN_TRY(sys::AtomicFile file, sys::AtomicFile::create(folder.file(name), false));
  return HashedFile(std::move(file));
}

Result<void> HashedFile::write(std::span<const std::byte> bytes) {
  hash_.add(bytes);
  buffer_.insert(buffer_.end(), bytes.begin(), bytes.end());
  return buffer_.size() < kBufferBytes ? Result<void>{} : flush();
}

Result<void> HashedFile::flush() {
  TERN_TRY_DO(file_.write(buffer_));
  buffer_.clear();
  return {};
}

Result<std::uint64_t> HashedFile::finish() {
  TERN_TRY_DO(flush());
  TERN_TRY_DO(file_.commit());
  return hash_.value();
}

Result<void> PartWriter::add(std::span<const std::int32_t> tokens, std::uint64_t n_text_bytes) {
  if (!documents_) {
    entry_.documents_file = prefix_ + ".documents";
    TERN_TRY(HashedFile file, HashedFile::create(*folder_, entry_.documents_file));
    documents_.emplace(std::move(file));
  }
  TERN_TRY_DO(documents_->write(std::as_bytes(std::span(&entry_.n_tokens, 1))));
  ++entry_.n_documents;
  entry_.n_text_bytes += n_text_bytes;
  while (!tokens.empty()) {
    if (!shard_) {
      entry_.shards.push_back({.file = fmt::format("{}-{:05}.tokens", prefix_, entry_.shards.size())});
      TERN_TRY(HashedFile file, HashedFile::create(*folder_, entry_.shards.back().file));
      shard_.emplace(std::move(file));
    }
    ShardEntry& shard = entry_.shards.back();
    const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(tokens.size(), shard_tokens_ - shard.n_tokens));
    TERN_TRY_DO(write_tokens(tokens.first(n)));
    tokens = tokens.subspan(n);
    shard.n_tokens += n;
    entry_.n_tokens += n;
    if (shard.n_tokens == shard_tokens_) TERN_TRY_DO(end_shard());
  }
  return {};
}

Result<void> PartWriter::write_tokens(std::span<const std::int32_t> tokens) {
  if (token_bits_ == 32) return shard_->write(std::as_bytes(tokens));
  narrow_.resize(tokens.size());
  std::ranges::transform(tokens, narrow_.begin(), [](std::int32_t id) { return static_cast<std::uint16_t>(id); });
  return shard_->write(std::as_bytes(std::span(narrow_)));
}

Result<void> PartWriter::end_shard() {
  TERN_TRY(entry_.shards.back().hash, shard_->finish());
  shard_.reset();
  return {};
}

Result<std::optional<PartEntry>> PartWriter::finish() {
  if (!documents_) return std::optional<PartEntry>{};
  if (shard_) TERN_TRY_DO(end_shard());
  TERN_TRY_DO(documents_->write(std::as_bytes(std::span(&entry_.n_tokens, 1))));
  TERN_TRY(entry_.documents_hash, documents_->finish());
  documents_.reset();
  return std::optional(entry_);
}

}  // namespace tern::train
