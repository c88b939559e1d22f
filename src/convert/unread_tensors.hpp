// What a checkpoint holds beside the tensors that a model's plan asked for: buffers that follow from the configuration
// and the part that sees pictures are left out with a note; anything else means that the model is another one.
#pragma once

#include <set>
#include <string>

#include "convert/source.hpp"
#include "files/checkpoint.hpp"

namespace tern::convert {

/// Adds to the notes and the unknown tensors of `source`, by the tensors not in `used`. What to do about unknown ones
/// is the caller's.
void list_unread(const files::Checkpoint& checkpoint, const std::set<std::string, std::less<>>& used, Source& source);

}  // namespace tern::convert
