#include "files/gguf_set_writer.hpp"

#include <unistd.h>

#include <utility>

#include "sys/mapped_file.hpp"

namespace tern::files {

Result<GgufSetWriter> GgufSetWriter::create(std::vector<PlannedPart> parts, bool overwrite) {
  TERN_CHECK(!parts.empty());
  for (const PlannedPart& part : parts) {  // opened and dropped again: what cannot be written is said before the work
    TERN_TRY_DO(sys::AtomicFile::create(part.path, overwrite));
  }
  GgufSetWriter writer(std::move(parts), overwrite);
  TERN_TRY_DO(writer.open_part());
  return writer;
}

Result<void> GgufSetWriter::open_part() {
  const PlannedPart& part = parts_[writers_.size()];
  TERN_TRY(GgufWriter writer, GgufWriter::create(part.path, overwrite_, part.layout));
  writers_.push_back(std::move(writer));
  return {};
}

Result<void> GgufSetWriter::next_part() {
  TERN_TRY_DO(writers_.back().seal());
  first_tensor_ += parts_[writers_.size() - 1].layout.tensors().size();
  return open_part();
}

Result<void> GgufSetWriter::begin_tensor(std::size_t index) {
  while (writers_.size() < parts_.size() &&
         index >= first_tensor_ + parts_[writers_.size() - 1].layout.tensors().size()) {
    TERN_TRY_DO(next_part());
  }
  if (index < first_tensor_) return fail(ErrorCode::usage, "tensor {} begun after its part was ended", index);
  return writers_.back().begin_tensor(index - first_tensor_);
}

Result<void> GgufSetWriter::write(std::span<const std::byte> bytes) {
  return writers_.back().write(bytes);
}

Result<void> GgufSetWriter::end_tensor() {
  return writers_.back().end_tensor();
}

Result<void> GgufSetWriter::commit() {
  while (writers_.size() < parts_.size()) TERN_TRY_DO(next_part());
  TERN_TRY_DO(writers_.back().seal());
  auto published = publish();
  if (!published && !overwrite_) {  // none of these names was there before
    for (const PlannedPart& part : parts_) ::unlink(part.path.c_str());
  }
  return published;
}

Result<void> GgufSetWriter::publish() {
  // An older first part would make a model of itself and the new others.
  if (parts_.size() > 1 && overwrite_) ::unlink(parts_.front().path.c_str());
  for (std::size_t i = writers_.size(); i-- > 0;) TERN_TRY_DO(writers_[i].publish());
  return {};
}

}  // namespace tern::files
