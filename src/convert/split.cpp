#include "convert/split.hpp"

#include <algorithm>
#include <numeric>

#include "base/words.hpp"
#include "files/gguf_set_writer.hpp"

namespace tern::convert {
namespace {

constexpr std::size_t kPiece = std::size_t{1} << 22;
constexpr std::size_t kMostNamed = 3;

Result<std::shared_ptr<const files::GgufFile>> opened(const std::string& path) {
  TERN_TRY(files::GgufFile file, files::GgufFile::open(path));
  return std::make_shared<const files::GgufFile>(std::move(file));
}

// One line where it is many.
void note_large_tensors(const files::GgufLayout& layout, std::uint64_t limit, Progress& progress) {
  std::vector<const files::PlannedTensor*> large;
  for (const files::PlannedTensor& tensor : layout.tensors()) {
    if (tensor.n_bytes > limit) large.push_back(&tensor);
  }
  if (large.size() > kMostNamed) {
    const files::PlannedTensor& largest = **std::ranges::max_element(large, {}, &files::PlannedTensor::n_bytes);
    progress.note(fmt::format(
        "{} tensors are larger than the limit of {} (the largest is {} with {}): each gets a part of its own",
        large.size(), human_bytes(limit), printable(largest.name), human_bytes(largest.n_bytes)));
    return;
  }
  for (const files::PlannedTensor* tensor : large) {
    progress.note(fmt::format("tensor {} alone has {}, more than the limit of {}: it gets a part of its own",
                              printable(tensor->name), human_bytes(tensor->n_bytes), human_bytes(limit)));
  }
}

}  // namespace

Result<files::GgufLayout> whole_layout(const files::GgufFile& file) {
  files::GgufLayout layout;
  layout.metadata = file.metadata();
  for (const files::GgufTensor& tensor : file.tensors()) {
    auto added = layout.add({tensor.name, tensor.shape, tensor.format, tensor.n_bytes, tensor.type_id});
    if (!added) return in_context(file.name(), std::move(added).error());
  }
  return layout;
}

Result<CopyPlan> CopyPlan::split(const std::string& input, const std::string& prefix, const files::SplitRule& rule,
                                 Progress& progress) {
  CopyPlan plan;
  TERN_TRY(plan.file_, opened(input));
  TERN_TRY(const files::GgufLayout whole, whole_layout(*plan.file_));
  TERN_TRY(const auto tensors_per_part, files::group_tensors(whole.tensors(), rule));
  TERN_TRY(plan.parts_, files::split_layout(whole, tensors_per_part, prefix));
  if (rule.max_bytes) note_large_tensors(whole, *rule.max_bytes, progress);
  TERN_TRY_DO(plan.measure());
  return plan;
}

Result<CopyPlan> CopyPlan::join(const std::string& input, const std::string& output) {
  CopyPlan plan;
  TERN_TRY(plan.file_, opened(input));
  TERN_TRY(files::GgufLayout whole, whole_layout(*plan.file_));
  if (plan.file_->parts().size() == 1 && whole.metadata.optional_u64(files::kSplitCount).value_or(0).value_or(0) != 1) {
    return fail(ErrorCode::bad_input,
                "{}: is one whole file, expected a part of a split model (NAME-00001-of-0000N.gguf)", input);
  }
  files::erase_split_keys(whole.metadata);
  plan.parts_.push_back({output, std::move(whole)});
  TERN_TRY_DO(plan.measure());
  return plan;
}

Result<void> CopyPlan::measure() {
  for (const files::PlannedPart& part : parts_) {
    TERN_TRY(const std::uint64_t n_bytes, part.layout.file_bytes());
    part_bytes_.push_back(n_bytes);
  }
  return {};
}

std::uint64_t CopyPlan::output_bytes() const {
  return std::accumulate(part_bytes_.begin(), part_bytes_.end(), std::uint64_t{0});
}

Result<void> CopyPlan::run(bool overwrite, Progress& progress) const {
  TERN_TRY(files::GgufSetWriter writer, files::GgufSetWriter::create(parts_, overwrite));
  std::uint64_t done = 0;
  progress.begin("copying", output_bytes());
  for (std::size_t i = 0; i < file_->tensors().size(); ++i) {
    const files::GgufTensor& tensor = file_->tensors()[i];
    const auto bytes = file_->bytes(tensor);
    TERN_TRY_DO(writer.begin_tensor(i));
    for (std::size_t at = 0; at < bytes.size(); at += kPiece) {
      const std::size_t n = std::min(kPiece, bytes.size() - at);
      if (progress.cancelled())
        return fail(ErrorCode::cancelled, "stopped at tensor {}; nothing was written", tensor.name);
      TERN_TRY_DO(writer.write(bytes.subspan(at, n)));
      done += n;
      progress.update(done, tensor.name);
    }
    TERN_TRY_DO(writer.end_tensor());
    file_->release(tensor);
  }
  if (progress.cancelled()) return fail(ErrorCode::cancelled, "stopped; nothing was written");
  TERN_TRY_DO(writer.commit());
  progress.end();
  return {};
}

}  // namespace tern::convert
