#include "files/checkpoint.hpp"

#include <algorithm>
#include <filesystem>
#include <set>
#include <utility>

#include "base/foreign_content.hpp"
#include "base/words.hpp"
#include "files/weight_map.hpp"
#include "sys/mapped_file.hpp"
#include "sys/path.hpp"

namespace tern::files {
namespace {

Result<std::map<std::string, std::string>> read_weight_map(const std::string& path) {
  TERN_TRY(const auto file, sys::MappedFile::open(path));
  return parse_weight_map(file.bytes(), path);
}

constexpr std::size_t kMaxTold = 3;

bool is_index(std::string_view name) {
  return name.ends_with(".json");
}

// What a folder's checkpoint may begin with: of each kind the file, then the index.
std::vector<std::string> names_in_folder() {
  std::vector<std::string> names;
  for (const CheckpointType* type : kCheckpointTypes) {
    names.emplace_back(type->in_folder);
    names.push_back(fmt::format("{}.index.json", type->in_folder));
  }
  return names;
}

bool promises(const CheckpointType& type, std::string_view name) {
  return std::ranges::any_of(type.endings, [&](auto ending) { return !ending.empty() && name.ends_with(ending); });
}

const CheckpointType& promised_type(std::string_view name) {
  const auto type = std::ranges::find_if(kCheckpointTypes, [&](const CheckpointType* t) { return promises(*t, name); });
  return type == kCheckpointTypes.end() ? *kCheckpointTypes.front() : **type;
}

bool is_of_weights(std::string_view name) {
  return name.ends_with(".gguf") ||
         std::ranges::any_of(kCheckpointTypes, [&](const CheckpointType* type) { return promises(*type, name); });
}

// What was looked for, and what is there instead: a set without its index, adapters, a GGUF file.
std::unexpected<Error> no_checkpoint(const std::string& folder) {
  std::vector<std::string> others;
  std::error_code error;
  for (std::filesystem::directory_iterator item(folder, error), end; !error && item != end; item.increment(error)) {
    const std::string name = item->path().filename().string();
    if (is_of_weights(name)) others.push_back(printable(name));
  }
  std::ranges::sort(others);
  const std::size_t n_left_out = others.size() - std::min(others.size(), kMaxTold);
  others.resize(others.size() - n_left_out);
  return fail(ErrorCode::not_found, "{}: expected {} in this folder; {}", folder, fmt::join(names_in_folder(), ", "),
              others.empty() ? "it holds no weights"
                             : fmt::format("it holds {}{}", fmt::join(others, ", "),
                                           n_left_out == 0 ? "" : fmt::format(" and {} more", n_left_out)));
}

/// "model-00001-of-00003.safetensors": a shard by its name, which is the only thing that says so.
bool is_named_as_shard(std::string_view name) {
  const auto of = name.rfind("-of-");
  if (of == name.npos || of == 0) return false;
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  return is_digit(name[of - 1]) && of + 4 < name.size() && is_digit(name[of + 4]) && !name.contains("-00001-of-00001");
}

}  // namespace

const CheckpointType* checkpoint_type_of(std::span<const std::byte> bytes) {
  const auto type =
      std::ranges::find_if(kCheckpointTypes, [&](const CheckpointType* t) { return t->looks_like(bytes); });
  return type == kCheckpointTypes.end() ? nullptr : *type;
}

std::string checkpoint_in(const std::string& folder) {
  for (const std::string& name : names_in_folder()) {
    if (sys::exists(fmt::format("{}/{}", folder, name))) return name;
  }
  return {};
}

Result<Checkpoint> Checkpoint::open(const std::string& path) {
  Checkpoint checkpoint;
  if (sys::is_directory(path)) {
    checkpoint.folder_ = sys::without_final_slashes(path);
    const std::string name = checkpoint_in(checkpoint.folder_);
    if (name.empty()) {
      return no_checkpoint(checkpoint.folder_);
    }
    const std::string first = fmt::format("{}/{}", checkpoint.folder_, name);
    TERN_TRY_DO(is_index(name) ? checkpoint.add_shards(first) : checkpoint.add_file(first));
    TERN_TRY_DO(checkpoint.index_tensors());
    return checkpoint;
  }
  checkpoint.folder_ = sys::folder_of(path);
  const std::string file_name = sys::file_name_of(path);
  // One shard of several means all of them.
  for (const std::string& name : names_in_folder()) {
    const std::string index = fmt::format("{}/{}", checkpoint.folder_, name);
    if (!is_index(name) || !sys::exists(index)) continue;
    const auto shard_of = read_weight_map(index);
    if (!shard_of && is_named_as_shard(file_name)) return std::unexpected(shard_of.error());
    if (!shard_of || !std::ranges::any_of(*shard_of, [&](const auto& pair) { return pair.second == file_name; }))
      continue;
    TERN_TRY_DO(checkpoint.add_shards(index));
    TERN_TRY_DO(checkpoint.index_tensors());
    return checkpoint;
  }
  TERN_TRY_DO(checkpoint.add_file(path));
  if (is_named_as_shard(file_name)) {
    return fail(ErrorCode::not_found,
                "{}: is one of several files by its name, but no index beside it ({}.index.json) lists the others",
                path, promised_type(path).in_folder);
  }
  TERN_TRY_DO(checkpoint.index_tensors());
  return checkpoint;
}

Result<void> Checkpoint::add_file(const std::string& path) {
  const CheckpointType* type = nullptr;
  {
    TERN_TRY(const auto file, sys::MappedFile::open(path));
    type = checkpoint_type_of(file.bytes());
    if (const auto what = foreign_content(file.bytes()); type == nullptr && !what.empty())
      return fail(ErrorCode::bad_input, "{}: is {}", path, what);
  }
  // Of no kind: the reader of what the name promises says what is wrong with it.
  if (type == nullptr) type = &promised_type(path);
  TERN_TRY(auto file, type->open(path));
  files_.push_back(std::move(file));
  return {};
}

Result<void> Checkpoint::add_shards(const std::string& index) {
  TERN_TRY(const auto shard_of, read_weight_map(index));
  std::set<std::string> shards;
  for (const auto& [tensor, shard] : shard_of) shards.insert(shard);
  std::map<std::string, std::size_t> place_of;
  for (const auto& shard : shards) {
    place_of.emplace(shard, files_.size());
    TERN_TRY_DO(add_file(folder_ + "/" + shard));
  }
  for (const auto& [tensor, shard] : shard_of) {
    if (files_[place_of[shard]]->find(tensor) == nullptr) {
      return fail(ErrorCode::bad_input, "{}: tensor {} should be in {}, but is not", index, printable(tensor), shard);
    }
  }
  return {};
}

Result<void> Checkpoint::index_tensors() {
  for (std::size_t i = 0; i < files_.size(); ++i) {
    for (const StoredTensor& tensor : files_[i]->tensors()) {
      const auto [place, is_new] = file_of_.emplace(tensor.name, i);
      if (!is_new) {
        return fail(ErrorCode::bad_input, "tensor {} is in {} and in {}, expected once", printable(tensor.name),
                    files_[place->second]->name(), files_[i]->name());
      }
      tensors_.push_back(&tensor);
    }
  }
  std::ranges::sort(tensors_, {}, [](const StoredTensor* t) -> std::string_view { return t->name; });
  return {};
}

const StoredTensor* Checkpoint::find(std::string_view name) const {
  const auto place = file_of_.find(name);
  return place == file_of_.end() ? nullptr : files_[place->second]->find(name);
}

std::vector<std::string> Checkpoint::notes() const {
  std::vector<std::string> out;
  for (const auto& file : files_) {
    for (const std::string& note : file->notes()) out.push_back(fmt::format("{}: {}", file->name(), note));
  }
  return out;
}

void Checkpoint::release(const StoredTensor& tensor) const {
  const auto place = file_of_.find(tensor.name);
  if (place == file_of_.end() || !tensor.is_contiguous()) return;
  files_[place->second]->release(tensor.bytes);
}

}  // namespace tern::files
