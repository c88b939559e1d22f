// The folder of a run, claimed: marked as ours, so that nothing else in the world is overwritten, and locked while a
// run writes into it.
#pragma once

#include <string>
#include <string_view>

#include "base/error.hpp"

namespace tern::train {

/// In a run's folder: the model as it stood when it last wrote a sample.
inline constexpr std::string_view kLatestModelName = "latest.gguf";

class RunFolder {
 public:
  /// A new run's: made if it is not there; one that is there must be empty, or left by a run that never came to a
  /// checkpoint. Errors: usage for a folder that holds anything else, io.
  [[nodiscard]] static Result<RunFolder> begin(const std::string& path);
  /// A run's that goes on. Errors: io; both: usage while another run writes there.
  [[nodiscard]] static Result<RunFolder> go_on(const std::string& path);

  RunFolder(RunFolder&& other) noexcept;
  RunFolder& operator=(RunFolder&&) = delete;
  RunFolder(const RunFolder&) = delete;
  RunFolder& operator=(const RunFolder&) = delete;
  /// Unlocks.
  ~RunFolder();

  /// Removes a folder that begin() made, with all that is in it; leaves one that was there before.
  void take_back();

 private:
  explicit RunFolder(std::string path) : path_(std::move(path)) {}
  [[nodiscard]] Result<void> lock();

  std::string path_;
  bool is_new_ = false;
  int fd_ = -1;
};

}  // namespace tern::train
