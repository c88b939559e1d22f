// A run's files of states: DIR/checkpoint-00000300.safetensors holds the masters, both moments and the run's state
// after 300 steps, and a hash of all of it. A new one is whole before the oldest goes, so a run that is killed, or
// whose disk is full, always has one to go on from.
#pragma once

#include <string>
#include <vector>

#include "base/progress.hpp"
#include "files/safetensors.hpp"
#include "train/run/run_state.hpp"
#include "train/trainer.hpp"

namespace tern::train {

/// "checkpoint-00000300.safetensors" and the like.
[[nodiscard]] bool is_checkpoint_name(std::string_view file_name);

class CheckpointFolder {
 public:
  explicit CheckpointFolder(std::string folder) : folder_(std::move(folder)) {}

  static constexpr std::size_t kKept = 2;

  /// Writes the state after `state.step` steps, then removes all but the newest kKept.
  [[nodiscard]] Result<std::string> save(const RunState& state, const Trainer& trainer) const;
  /// Paths, newest first.
  [[nodiscard]] std::vector<std::string> list() const;

 private:
  std::string folder_;
};

/// A checkpoint opened: its state checked, its tensors not yet read.
class SavedRun {
 public:
  /// Errors: bad_input for what is no checkpoint, or one whose bytes are not those that were written.
  [[nodiscard]] static Result<SavedRun> open(const std::string& path);

  [[nodiscard]] const RunState& state() const { return state_; }
  [[nodiscard]] const std::string& path() const { return path_; }
  /// Fills parameters and moments. Errors: bad_input where names or shapes are those of another model.
  [[nodiscard]] Result<void> restore(Trainer& trainer) const;
  /// The master weights of one tensor; null where there is none of that name.
  [[nodiscard]] const files::StoredTensor* master(std::string_view name) const;

 private:
  SavedRun(files::SafetensorsFile file, std::string path, RunState state)
      : file_(std::move(file)), path_(std::move(path)), state_(std::move(state)) {}
  files::SafetensorsFile file_;
  std::string path_;
  RunState state_;
};

/// The newest checkpoint of a folder that can be read, with a warning for each newer one that cannot. Errors:
/// not_found where there is none.
[[nodiscard]] Result<SavedRun> newest_checkpoint(const std::string& folder, Progress& progress);

/// A run by the path of its folder (the newest checkpoint), or of one checkpoint.
[[nodiscard]] Result<SavedRun> open_run(const std::string& path, Progress& progress);

}  // namespace tern::train
