#include "files/checkpoint.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <set>
#include <utility>

#include "base/foreign_content.hpp"
#include "base/words.hpp"
#include "files/json.hpp"
#include "files/metadata.hpp"
#include "sys/mapped_file.hpp"

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

// In the order in which they are preferred: the library these folders come from does it so.
constexpr std::array<std::string_view, 4> kNames{"model.safetensors", "model.safetensors.index.json",
                                                 "pytorch_model.bin", "pytorch_model.bin.index.json"};

constexpr std::array<std::string_view, 5> kWeightSuffixes{".safetensors", ".bin", ".pt", ".pth", ".gguf"};
constexpr std::size_t kMaxTold = 3;

bool is_index(std::string_view name) {
  return name.ends_with(".json");
}

// What was looked for, and what is there instead: a set without its index, adapters, a GGUF file.
std::unexpected<Error> no_checkpoint(const std::string& folder) {
  std::vector<std::string> others;
  std::error_code error;
  for (std::filesystem::directory_iterator item(folder, error), end; !error && item != end; item.increment(error)) {
    const std::string name = item->path().filename().string();
    const auto is_kind = [&](std::string_view suffix) { return name.ends_with(suffix); };
    if (std::ranges::any_of(kWeightSuffixes, is_kind)) others.push_back(printable(name));
  }
  std::ranges::sort(others);
  const std::size_t n_left_out = others.size() - std::min(others.size(), kMaxTold);
  others.resize(others.size() - n_left_out);
  return fail(ErrorCode::not_found, "{}: expected {} in this folder; {}", folder, fmt::join(kNames, ", "),
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

std::string_view checkpoint_in(const std::string& folder) {
  for (const std::string_view name : kNames) {
    if (sys::exists(fmt::format("{}/{}", folder, name))) return name;
  }
  return {};
}

Result<Checkpoint> Checkpoint::open(const std::string& path) {
  Checkpoint checkpoint;
  if (sys::is_directory(path)) {
    checkpoint.folder_ = without_final_slashes(path);
    const std::string_view name = checkpoint_in(checkpoint.folder_);
    if (name.empty()) {
      return no_checkpoint(checkpoint.folder_);
    }
    const std::string first = fmt::format("{}/{}", checkpoint.folder_, name);
    TERN_TRY_DO(is_index(name) ? checkpoint.add_shards(first) : checkpoint.add_file(first));
    TERN_TRY_DO(checkpoint.index_tensors());
    return checkpoint;
  }
  checkpoint.folder_ = parent_of(path);
  const std::string file_name = path.substr(path.rfind('/') + 1);
  // One shard of several means all of them.
  for (const std::string_view name : kNames) {
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
                "{}: is one of several files by its name, but no index beside it ({} or {}) lists the others", path,
                kNames[1], kNames[3]);
  }
  TERN_TRY_DO(checkpoint.index_tensors());
  return checkpoint;
}

Result<Checkpoint::File> Checkpoint::open_file(const std::string& path) {
  TERN_TRY(const auto file, sys::MappedFile::open(path));
  if (PytorchFile::looks_like(file.bytes())) {
    TERN_TRY(auto opened, PytorchFile::open(path));
    return opened;
  }
  if (const auto what = foreign_content(file.bytes()); !what.empty()) {
    return fail(ErrorCode::bad_input, "{}: is {}", path, what);
  }
  TERN_TRY(auto opened, SafetensorsFile::open(path));
  for (const auto& [key, value] : opened.metadata()) {
    if (!names_weight_transform(key) || value == "false" || value == "False") continue;
    return fail(ErrorCode::unsupported,
                "{}: __metadata__: {} says that the weights are transformed (rotated); Tern does not undo that yet",
                path, printable(key));
  }
  return opened;
}

Result<void> Checkpoint::add_file(const std::string& path) {
  TERN_TRY(auto file, open_file(path));
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
    if (find_in(files_[place_of[shard]], tensor) == nullptr) {
      return fail(ErrorCode::bad_input, "{}: tensor {} should be in {}, but is not", index, printable(tensor), shard);
    }
  }
  return {};
}

Result<void> Checkpoint::index_tensors() {
  for (std::size_t i = 0; i < files_.size(); ++i) {
    const auto tensors = std::visit([](const auto& file) { return file.tensors(); }, files_[i]);
    for (const StoredTensor& tensor : tensors) {
      const auto [place, is_new] = file_of_.emplace(tensor.name, i);
      if (!is_new) {
        return fail(ErrorCode::bad_input, "tensor {} is in {} and in {}, expected once", printable(tensor.name),
                    name_of(files_[place->second]), name_of(files_[i]));
      }
      tensors_.push_back(&tensor);
    }
  }
  std::ranges::sort(tensors_, {}, [](const StoredTensor* t) -> std::string_view { return t->name; });
  return {};
}

const std::string& Checkpoint::name_of(const File& file) {
  return std::visit([](const auto& f) -> const std::string& { return f.name(); }, file);
}

const StoredTensor* Checkpoint::find_in(const File& file, std::string_view name) {
  return std::visit([&](const auto& f) { return f.find(name); }, file);
}

const StoredTensor* Checkpoint::find(std::string_view name) const {
  const auto place = file_of_.find(name);
  return place == file_of_.end() ? nullptr : find_in(files_[place->second], name);
}

std::vector<std::string> Checkpoint::notes() const {
  std::vector<std::string> out;
  for (const File& file : files_) {
    const auto* pytorch = std::get_if<PytorchFile>(&file);
    if (pytorch == nullptr) continue;
    for (const std::string& note : pytorch->notes()) out.push_back(fmt::format("{}: {}", pytorch->name(), note));
  }
  return out;
}

void Checkpoint::release(const StoredTensor& tensor) const {
  const auto place = file_of_.find(tensor.name);
  if (place == file_of_.end() || !tensor.is_contiguous()) return;
  std::visit([&](const auto& file) { file.release(tensor.bytes); }, files_[place->second]);
}

}  // namespace tern::files
