#include "files/safetensors_folder.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "base/words.hpp"
#include "files/json.hpp"

namespace tern::files {
namespace {

std::string without_final_slashes(std::string path) {
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  return path;
}

std::string parent_of(const std::string& path) {
  const auto slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

/// A name in this folder and nowhere else.
bool is_plain_file_name(std::string_view name) {
  return !name.empty() && name != "." && name != ".." && name.find('/') == std::string_view::npos &&
         name.find('\\') == std::string_view::npos && name.find('\0') == std::string_view::npos;
}

/// The "weight_map" of an index: tensor name -> shard.
Result<std::map<std::string, std::string>> read_weight_map(const std::string& path) {
  TERN_TRY(const auto root, read_json_file(path, SafetensorsFile::kMaxHeaderBytes));
  const auto found = root.is_object() ? root.find("weight_map") : root.end();
  if (!root.is_object() || found == root.end() || !found->is_object()) {
    return fail(ErrorCode::bad_input, "{}: has no \"weight_map\" object", path);
  }
  std::map<std::string, std::string> shard_of;
  for (const auto& [tensor, shard] : found->items()) {
    if (!shard.is_string()) {
      return fail(ErrorCode::bad_input, "{}: the shard of {} is not a string", path, printable(tensor));
    }
    const auto& name = shard.get_ref<const std::string&>();
    if (!is_plain_file_name(name)) {
      return fail(ErrorCode::bad_input, "{}: shard \"{}\", expected the name of a file in the same folder", path,
                  printable(name));
    }
    shard_of.emplace(tensor, name);
  }
  if (shard_of.empty()) return fail(ErrorCode::bad_input, "{}: \"weight_map\" is empty", path);
  return shard_of;
}

}  // namespace

Result<Checkpoint> Checkpoint::open(const std::string& path) {
  Checkpoint checkpoint;
  if (!sys::is_directory(path)) {
    checkpoint.folder_ = parent_of(path);
    TERN_TRY(auto file, SafetensorsFile::open(path));
    checkpoint.files_.push_back(std::move(file));
    TERN_TRY_DO(checkpoint.index_tensors());
    return checkpoint;
  }
  checkpoint.folder_ = without_final_slashes(path);
  const std::string single = checkpoint.folder_ + "/model.safetensors";
  const std::string index = single + ".index.json";
  // Like the library these folders come from: the single file wins where both are there.
  if (sys::exists(single)) {
    TERN_TRY(auto file, SafetensorsFile::open(single));
    checkpoint.files_.push_back(std::move(file));
    TERN_TRY_DO(checkpoint.index_tensors());
    return checkpoint;
  }
  if (!sys::exists(index)) {
    return fail(ErrorCode::not_found, "{}: expected model.safetensors or model.safetensors.index.json in this folder",
                path);
  }
  TERN_TRY(const auto shard_of, read_weight_map(index));
  std::set<std::string> shards;
  for (const auto& [tensor, shard] : shard_of) shards.insert(shard);
  std::map<std::string, std::size_t> place_of;
  for (const auto& shard : shards) {
    TERN_TRY(auto file, SafetensorsFile::open(checkpoint.folder_ + "/" + shard));
    place_of.emplace(shard, checkpoint.files_.size());
    checkpoint.files_.push_back(std::move(file));
  }
  for (const auto& [tensor, shard] : shard_of) {
    if (checkpoint.files_[place_of[shard]].find(tensor) == nullptr) {
      return fail(ErrorCode::bad_input, "{}: tensor {} should be in {}, but is not", index, printable(tensor), shard);
    }
  }
  TERN_TRY_DO(checkpoint.index_tensors());
  return checkpoint;
}

Result<void> Checkpoint::index_tensors() {
  for (std::size_t i = 0; i < files_.size(); ++i) {
    for (const SafeTensor& tensor : files_[i].tensors()) {
      const auto [place, is_new] = file_of_.emplace(tensor.name, i);
      if (!is_new) {
        return fail(ErrorCode::bad_input, "tensor {} is in {} and in {}, expected once", printable(tensor.name),
                    files_[place->second].name(), files_[i].name());
      }
      tensors_.push_back(&tensor);
    }
  }
  std::ranges::sort(tensors_, {}, [](const SafeTensor* t) -> std::string_view { return t->name; });
  return {};
}

const SafeTensor* Checkpoint::find(std::string_view name) const {
  const auto place = file_of_.find(name);
  return place == file_of_.end() ? nullptr : files_[place->second].find(name);
}

void Checkpoint::release(const SafeTensor& tensor) const {
  release(tensor, tensor.bytes);
}

void Checkpoint::release(const SafeTensor& tensor, std::span<const std::byte> bytes) const {
  const auto place = file_of_.find(tensor.name);
  if (place != file_of_.end()) files_[place->second].release(bytes);
}

}  // namespace tern::files
