// Finding a format: by its name, or by what a file says about a tensor.
#include "formats/all.hpp"

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include "base/checked.hpp"
#include "base/words.hpp"
#include "formats/foreign.hpp"

namespace tern::formats {
namespace {

/// Whether `stored` bytes are `needed` bytes, exactly or padded to the alignment.
bool is_size(std::uint64_t stored, std::uint64_t needed, std::uint64_t alignment) {
  if (needed == 0) return false;
  const bool is_power_of_two = alignment != 0 && (alignment & (alignment - 1)) == 0;
  return stored == needed || (is_power_of_two && stored == checked_align_up(needed, alignment));
}

bool speaks_for(const ForeignType& type, std::string_view architecture) {
  return !type.architecture_prefix.empty() && architecture.starts_with(type.architecture_prefix);
}

/// The foreign types of that number: those whose size fits, or all where none does; of several that fit, those of the
/// architecture's own fork.
std::vector<const ForeignType*> claimants(std::uint32_t gguf_id, const Shape& shape, std::uint64_t stored,
                                          std::uint64_t alignment, std::string_view architecture, bool must_fit) {
  std::vector<const ForeignType*> found;
  for (const ForeignType& type : foreign_types()) {
    if (type.gguf_id != gguf_id) continue;
    if (!must_fit || is_size(stored, foreign_bytes(type, shape), alignment)) found.push_back(&type);
  }
  const auto speaks = [&](const ForeignType* type) { return speaks_for(*type, architecture); };
  if (std::any_of(found.begin(), found.end(), speaks)) std::erase_if(found, std::not_fn(speaks));
  return found;
}

std::string list(const std::vector<const ForeignType*>& types) {
  std::string text;
  for (const ForeignType* type : types) {
    text += fmt::format("{}{} of {}", text.empty() ? "" : " or ", type->name, type->origin);
  }
  return text;
}

std::unexpected<Error> refuse_foreign(std::uint32_t gguf_id, const std::vector<const ForeignType*>& types) {
  if (types.size() == 1 && types.front()->origin == "ggml") {
    return fail(ErrorCode::unsupported, "tensor type {} ({}) is not supported by Tern", gguf_id, types.front()->name);
  }
  return fail(ErrorCode::unsupported, "tensor type {} ({}) is not supported by Tern", gguf_id, list(types));
}

}  // namespace

Result<const Format*> by_name(std::string_view name) {
  std::vector<std::string_view> names;
  std::string known;
  for (const Format* format : kAll) {
    if (equal_ignoring_case(format->name, name)) return format;
    names.push_back(format->name);
    known.append(known.empty() ? "" : ", ").append(format->name);
  }
  for (const ForeignType& type : foreign_types()) {
    if (equal_ignoring_case(type.name, name)) {
      return fail(ErrorCode::usage, "format {} is not supported by Tern; known are {}", type.name, known);
    }
  }
  return fail(ErrorCode::usage, "unknown format '{}'{}; known are {}", printable(name), did_you_mean(name, names),
              known);
}

Result<const Format*> identify(std::uint32_t gguf_id, const Shape& shape, std::uint64_t stored_bytes,
                               std::uint64_t alignment, std::string_view architecture) {
  const auto ours = std::find_if(kAll.begin(), kAll.end(), [&](const Format* f) { return f->gguf_id == gguf_id; });
  const auto fitting = claimants(gguf_id, shape, stored_bytes, alignment, architecture, true);
  if (ours == kAll.end()) {
    if (!fitting.empty()) return refuse_foreign(gguf_id, fitting);
    const auto named = claimants(gguf_id, shape, stored_bytes, alignment, architecture, false);
    if (!named.empty()) return refuse_foreign(gguf_id, named);
    return fail(ErrorCode::unsupported, "tensor type {} is unknown", gguf_id);
  }

  const Format& format = **ours;
  const auto needed = tensor_bytes(format, shape);
  const bool fits = needed && is_size(stored_bytes, *needed, alignment);
  // Where padding makes both sizes the same, only an architecture of the other fork speaks against our reading.
  if (!fitting.empty() && (!fits || speaks_for(*fitting.front(), architecture)))
    return refuse_foreign(gguf_id, fitting);
  if (fits) return &format;
  if (!needed) return std::unexpected(needed.error());

  const auto rivals = claimants(gguf_id, shape, stored_bytes, alignment, architecture, false);
  if (stored_bytes < *needed || !rivals.empty()) {
    return fail(ErrorCode::bad_input, "tensor type {} ({}) {} needs {} bytes, {} are stored: {}", gguf_id, format.name,
                shape.text(), *needed, stored_bytes,
                rivals.empty() ? std::string("the file is damaged or cut off")
                               : fmt::format("the file is damaged, or the type is {}", list(rivals)));
  }
  return &format;  // a gap after the tensor: unusual, harmless, and nobody else claims the number
}

}  // namespace tern::formats
