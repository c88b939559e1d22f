#include "train/run/checkpoint.hpp"

#include <algorithm>
#include <cstring>
#include <filesystem>

#include "files/safetensors_writer.hpp"
#include "sys/path.hpp"
#include "train/data/content_hash.hpp"

namespace tern::train {
namespace {

constexpr std::string_view kPrefix = "checkpoint-";
constexpr std::string_view kSuffix = ".safetensors";
constexpr const char* kStateKey = "tern.training_run";
constexpr const char* kHashKey = "tern.hash";

/// The three buffers of a parameter, in the order in which they are written.
struct Kind {
  std::string_view prefix;
  Floats Parameter::* buffer;
};
constexpr std::array<Kind, 3> kKinds{
    {{"master.", &Parameter::master}, {"moment.", &Parameter::moment}, {"second_moment.", &Parameter::second_moment}}};

std::span<const std::byte> bytes_of(const Floats& values) {
  return std::as_bytes(values.span());
}

/// FNV would take a byte at a time; eight at once are as good against damage.
class WordHash {
 public:
  void add(std::span<const std::byte> bytes) {
    std::size_t i = 0;
    for (; i + 8 <= bytes.size(); i += 8) {
      std::uint64_t word = 0;
      std::memcpy(&word, bytes.data() + i, 8);
      value_ = spread_bits(value_ ^ word);
    }
    for (; i < bytes.size(); ++i) value_ = spread_bits(value_ ^ static_cast<std::uint64_t>(bytes[i]));
  }
  [[nodiscard]] std::string text() const { return fmt::format("{:016x}", value_); }

 private:
  std::uint64_t value_ = 0;
};

}  // namespace

bool is_checkpoint_name(std::string_view file_name) {
  if (!file_name.starts_with(kPrefix) || !file_name.ends_with(kSuffix)) return false;
  file_name.remove_prefix(kPrefix.size());
  file_name.remove_suffix(std::min(kSuffix.size(), file_name.size()));
  return !file_name.empty() && file_name.find_first_not_of("0123456789") == std::string_view::npos;
}

Result<std::string> CheckpointFolder::save(const RunState& state, const Trainer& trainer) const {
  std::vector<files::SafetensorsTensor> tensors;
  WordHash hash;
  const std::string json = run_state_json(state);
  hash.add(std::as_bytes(std::span(json)));
  for (const Kind& kind : kKinds) {
    for (const auto& parameter : trainer.parameters().all()) {
      std::vector<std::int64_t> shape;
      for (int i = parameter->shape.n_dims; i-- > 0;) shape.push_back(parameter->shape.ne[static_cast<std::size_t>(i)]);
      tensors.push_back({std::string(kind.prefix) + parameter->name, files::Dtype::f32, std::move(shape)});
      hash.add(bytes_of((*parameter).*kind.buffer));
    }
  }
  const std::string path = fmt::format("{}/{}{:08}{}", folder_, kPrefix, state.step, kSuffix);
  TERN_TRY(auto writer, files::SafetensorsWriter::create(path, std::move(tensors),
                                                         {{kStateKey, json}, {kHashKey, hash.text()}}, true));
  for (const Kind& kind : kKinds) {
    for (const auto& parameter : trainer.parameters().all()) {
      TERN_TRY_DO(writer.write(bytes_of((*parameter).*kind.buffer)));
    }
  }
  TERN_TRY_DO(writer.commit());
  const std::vector<std::string> all = list();
  for (std::size_t i = kKept; i < all.size(); ++i) {
    std::error_code ignored;  // what cannot be removed is no reason to stop
    std::filesystem::remove(all[i], ignored);
  }
  return path;
}

std::vector<std::string> CheckpointFolder::list() const {
  std::vector<std::string> paths;
  std::error_code error;
  for (std::filesystem::directory_iterator it(folder_, error), end; !error && it != end; it.increment(error)) {
    if (is_checkpoint_name(it->path().filename().string())) paths.push_back(it->path().string());
  }
  // Longer names are larger numbers.
  std::ranges::sort(paths, [](const std::string& a, const std::string& b) {
    return a.size() != b.size() ? a.size() > b.size() : a > b;
  });
  return paths;
}

Result<SavedRun> SavedRun::open(const std::string& path) {
  TERN_TRY(auto file, files::SafetensorsFile::open(path));
  const auto json = file.metadata().find(kStateKey);
  const auto expected = file.metadata().find(kHashKey);
  if (json == file.metadata().end() || expected == file.metadata().end()) {
    return fail(ErrorCode::bad_input, "{}: is no checkpoint of tern train", path);
  }
  WordHash hash;
  hash.add(std::as_bytes(std::span(json->second)));
  for (const files::StoredTensor& tensor : file.tensors()) hash.add(tensor.bytes);
  if (hash.text() != expected->second) {
    return fail(ErrorCode::bad_input, "{}: the checkpoint is damaged (hash {}, expected {})", path, hash.text(),
                expected->second);
  }
  TERN_TRY(RunState state, parse_run_state(json->second, path));
  return SavedRun(std::move(file), path, std::move(state));
}

Result<void> SavedRun::restore(Trainer& trainer) const {
  std::size_t n_found = 0;
  for (const Kind& kind : kKinds) {
    for (const auto& parameter : trainer.parameters().all()) {
      const std::string name = std::string(kind.prefix) + parameter->name;
      const files::StoredTensor* tensor = file_.find(name);
      Floats& target = (*parameter).*kind.buffer;
      if (tensor == nullptr || tensor->dtype != files::Dtype::f32 || tensor->bytes.size() != bytes_of(target).size()) {
        return fail(ErrorCode::bad_input, "{}: {} {}: the checkpoint is of another model", path_, name,
                    tensor == nullptr ? "is missing" : "has another shape");
      }
      std::memcpy(target.data(), tensor->bytes.data(), tensor->bytes.size());
      ++n_found;
    }
  }
  if (n_found != file_.tensors().size()) {
    return fail(ErrorCode::bad_input, "{}: holds {} tensors, the model has {}: the checkpoint is of another model",
                path_, file_.tensors().size(), n_found);
  }
  trainer.optimizer().set_steps(state_.step);
  return {};
}

const files::StoredTensor* SavedRun::master(std::string_view name) const {
  return file_.find(fmt::format("master.{}", name));
}

Result<SavedRun> newest_checkpoint(const std::string& folder, Progress& progress) {
  for (const std::string& path : CheckpointFolder(folder).list()) {
    auto saved = SavedRun::open(path);
    if (saved) return saved;
    progress.note(fmt::format("warning: {}; going back to the one before", saved.error().message));
  }
  return fail(ErrorCode::not_found, "{}: no checkpoint to go on from; expected {}NNNNNNNN{} there", folder, kPrefix,
              kSuffix);
}

Result<SavedRun> open_run(const std::string& path, Progress& progress) {
  return sys::is_directory(path) ? newest_checkpoint(path, progress) : SavedRun::open(path);
}

}  // namespace tern::train
