// Writes one model into one or several GGUF files as a stream: GgufWriter's interface over all parts, tensors counted
// through. The parts appear together as far as a file system allows: all are written and synced under temporary names,
// then renamed, the first part last. Whoever is killed before that leaves no part; in between, a model without its
// first part, which every reader refuses; never old and new parts that pass for one model.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "base/error.hpp"
#include "files/gguf_split.hpp"
#include "files/gguf_writer.hpp"

namespace tern::files {

class GgufSetWriter {
 public:
  /// Looks at every target before the first byte is written. Requires: at least one part. Errors: io (one exists and
  /// not overwrite, a directory, no permission).
  [[nodiscard]] static Result<GgufSetWriter> create(std::vector<PlannedPart> parts, bool overwrite);

  [[nodiscard]] std::span<const PlannedPart> parts() const { return parts_; }
  /// Tensors are written in the order of the parts; `index` counts through all of them.
  [[nodiscard]] Result<void> begin_tensor(std::size_t index);
  [[nodiscard]] Result<void> write(std::span<const std::byte> bytes);
  [[nodiscard]] Result<void> end_tensor();
  /// Puts all parts into place. Errors: usage if tensors are missing; io, after which no part of this writing is left
  /// unless it had to replace an older one.
  [[nodiscard]] Result<void> commit();

 private:
  GgufSetWriter(std::vector<PlannedPart> parts, bool overwrite) : parts_(std::move(parts)), overwrite_(overwrite) {}
  [[nodiscard]] Result<void> open_part();
  /// Seals the part in hand and opens the next.
  [[nodiscard]] Result<void> next_part();
  [[nodiscard]] Result<void> publish();

  std::vector<PlannedPart> parts_;
  bool overwrite_;
  std::vector<GgufWriter> writers_;  // of the parts so far; the last is the one in hand
  std::size_t first_tensor_ = 0;     // of the part in hand
};

}  // namespace tern::files
