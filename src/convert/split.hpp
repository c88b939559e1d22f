// A model divided into several GGUF files, and put together again: tensor bytes are carried over as they are, whatever
// their type, in pieces of a few megabytes. Which tensor goes where is files/gguf_split.hpp's.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/progress.hpp"
#include "files/gguf_reader.hpp"
#include "files/gguf_split.hpp"

namespace tern::convert {

/// The layout of `file` as one whole file, its tensors in their order.
[[nodiscard]] Result<files::GgufLayout> whole_layout(const files::GgufFile& file);

/// What a copy will write, decided before a byte is written (--dry-run stops here). Keeps the input open.
class CopyPlan {
 public:
  /// The parts PREFIX-00001-of-0000N.gguf of the model at `input`, which may be split already, otherwise. Notes a
  /// tensor that is larger than the limit. Errors: GgufFile::open's; usage (split_layout, group_tensors).
  [[nodiscard]] static Result<CopyPlan> split(const std::string& input, const std::string& prefix,
                                              const files::SplitRule& rule, Progress& progress);
  /// The whole model at `input`, any of its parts, as one file. Errors: GgufFile::open's; bad_input for a file that is
  /// whole already.
  [[nodiscard]] static Result<CopyPlan> join(const std::string& input, const std::string& output);

  [[nodiscard]] const files::GgufFile& file() const { return *file_; }
  [[nodiscard]] std::span<const files::PlannedPart> parts() const { return parts_; }
  /// Of each part's file.
  [[nodiscard]] const std::vector<std::uint64_t>& part_bytes() const { return part_bytes_; }
  [[nodiscard]] std::uint64_t output_bytes() const;
  /// Errors: io, out_of_space, cancelled. Whatever happens before the end, no part is there.
  [[nodiscard]] Result<void> run(bool overwrite, Progress& progress) const;

 private:
  CopyPlan() = default;
  [[nodiscard]] Result<void> measure();

  std::shared_ptr<const files::GgufFile> file_;
  std::vector<files::PlannedPart> parts_;
  std::vector<std::uint64_t> part_bytes_;
};

}  // namespace tern::convert
