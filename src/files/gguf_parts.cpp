// Opening a split model: the parts' headers one after the other, compared with the first, their tensors joined into one
// list. Part of GgufFile (gguf_reader.hpp). At no time are more than two parts' metadata in memory.
#include <utility>

#include "base/words.hpp"
#include "files/gguf_reader.hpp"
#include "sys/path.hpp"

namespace tern::files {
namespace {

// The name of this part's file, where it contradicts what the file holds or does not let the others be found.
Result<SplitName> checked_name(std::string_view path, const SplitPlace& place) {
  const auto name = split_name(path);
  const std::string wanted = split_path("", place.no, place.count);
  if (!name) {
    return fail(ErrorCode::bad_input,
                "{}: is part {} of a model in {} parts, whose names end in {}: give all parts such names again", path,
                place.no + 1, place.count, wanted);
  }
  if (name->no != place.no || name->count != place.count) {
    return fail(ErrorCode::bad_input,
                "{}: by its name part {} of {}, by its content part {} of {}: rename it to end in {}", path,
                name->no + 1, name->count, place.no + 1, place.count, wanted);
  }
  return *name;
}

}  // namespace

/// Takes parts in order; each error says what is wrong with the part in hand, without a path.
class GgufFile::Assembly {
 public:
  Result<void> add(GgufFile part) {
    if (auto checked = check(part); !checked) return checked;
    const std::string_view architecture = next_ == 0 ? part.architecture_ : whole_.architecture_;
    TERN_TRY_DO(part.place_tensors(architecture));
    if (next_ == 0) {
      whole_ = std::move(part);
    } else {
      TERN_TRY_DO(join(std::move(part)));
    }
    ++next_;
    return {};
  }

  Result<GgufFile> finish() && {
    if (whole_.tensors_.size() != first_.n_tensors) {
      return fail(ErrorCode::bad_input, "the {} parts hold {} tensors, expected {} ({} of the first part)", next_,
                  whole_.tensors_.size(), *first_.n_tensors, kSplitTensors);
    }
    erase_split_keys(whole_.metadata_);
    return std::move(whole_);
  }

 private:
  Result<void> check(const GgufFile& part) {
    TERN_TRY(const SplitPlace place, split_place(part.metadata_));
    if (next_ == 0) {
      first_ = place;
      if (!place.n_tensors) return fail(ErrorCode::bad_input, "{} is missing in the first part", kSplitTensors);
    }
    if (place.count != first_.count) {
      return fail(ErrorCode::bad_input, "is one of {} parts, but the first says {}: not parts of one splitting",
                  place.count, first_.count);
    }
    if (place.no != next_) {
      return fail(ErrorCode::bad_input, "holds part {} ({} {}), expected part {}: a wrong name or a wrong file",
                  place.no + 1, kSplitNo, place.no, next_ + 1);
    }
    if (place.n_tensors && place.n_tensors != first_.n_tensors) {
      return fail(ErrorCode::bad_input,
                  "belongs to a model of {} tensors, but the first part to one of {}: another model", *place.n_tensors,
                  *first_.n_tensors);
    }
    if (!part.architecture_.empty() && next_ > 0 && part.architecture_ != whole_.architecture_) {
      return fail(ErrorCode::bad_input, "general.architecture is {}, but {} in the first part: another model",
                  printable(part.architecture_), printable(whole_.architecture_));
    }
    return {};
  }

  Result<void> join(GgufFile part) {
    for (GgufTensor& tensor : part.tensors_) {
      tensor.part = next_;
      const auto [place, is_new] = whole_.places_.emplace(tensor.name, whole_.tensors_.size());
      if (!is_new) {
        return fail(ErrorCode::bad_input, "tensor {} is in part {} too, expected once", printable(tensor.name),
                    whole_.tensors_[place->second].part + 1);
      }
      whole_.tensors_.push_back(std::move(tensor));
    }
    whole_.parts_.push_back(std::move(part.parts_.front()));
    return {};
  }

  GgufFile whole_;
  SplitPlace first_;
  std::uint32_t next_ = 0;
};

Result<GgufFile> GgufFile::open_parts(GgufFile given, const SplitPlace& place) {
  const std::string path = given.name_;
  TERN_TRY(const SplitName name, checked_name(path, place));
  Assembly assembly;
  for (std::uint32_t i = 0; i < place.count; ++i) {
    const std::string part_path = split_path(name.prefix, i, place.count);
    const std::string where = fmt::format("part {} of {}", i + 1, place.count);
    if (i == place.no) {
      auto added = assembly.add(std::move(given));
      if (!added) return in_context(path, std::move(added).error());
      continue;
    }
    auto mapped = sys::MappedFile::open(part_path);
    if (!mapped && mapped.error().code == ErrorCode::not_found) {
      return fail(ErrorCode::not_found, "{}: {} is missing, expected {} beside it", path, where,
                  sys::file_name_of(part_path));
    }
    if (!mapped) return in_context(fmt::format("{}: {}", path, where), std::move(mapped).error());
    const auto bytes = mapped->bytes();
    auto part = read_one({part_path, *std::move(mapped), bytes});
    if (!part) return in_context(fmt::format("{}: {}", path, where), std::move(part).error());
    auto added = assembly.add(*std::move(part));
    if (!added) {
      return in_context(fmt::format("{}: {}, {}", path, where, sys::file_name_of(part_path)), std::move(added).error());
    }
  }
  auto whole = std::move(assembly).finish();
  if (!whole) return in_context(path, std::move(whole).error());
  whole->name_ = path;
  return whole;
}

Result<GgufFile> GgufFile::parse_parts(std::span<const std::span<const std::byte>> parts, std::string_view name) {
  TERN_CHECK(!parts.empty());
  Assembly assembly;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    TERN_TRY(GgufFile part, read_one({fmt::format("{}, part {}", name, i + 1), {}, parts[i]}));
    if (auto added = assembly.add(std::move(part)); !added) {
      return in_context(fmt::format("{}, part {}", name, i + 1), std::move(added).error());
    }
  }
  auto whole = std::move(assembly).finish();
  if (!whole) return in_context(name, std::move(whole).error());
  whole->name_ = name;
  return whole;
}

}  // namespace tern::files
