// DIR/log.jsonl: one JSON object a line, in the order of the steps. What a step did; what the held-out text said; what
// each matrix looks like; samples. The page and any script read it. A run that goes on from an earlier step first takes
// back the lines after it.
#pragma once

#include <cstdint>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "train/run/validation.hpp"
#include "train/weights.hpp"

namespace tern::train {

struct StepLine {
  std::int64_t step = 0;  // steps done, this one included
  std::int64_t tokens = 0;
  double loss = 0.0;
  double bits_per_byte = 0.0;
  double learning_rate = 0.0;
  double weight_decay = 0.0;
  double lambda = 0.0;
  double gradient_norm = 0.0;
  std::int64_t flips = 0;
  double seconds = 0.0;  // of the step
  double share_of_peak = 0.0;
};

struct MatrixLine {
  std::string name;
  double gradient_norm = 0.0;
  std::optional<WeightStatistics> codes = {};  // of rounded weights
};

struct ValidationLine {
  std::int64_t step = 0;
  std::vector<SourceLoss> losses;
  std::vector<MatrixLine> matrices;
};

struct SampleLine {
  std::int64_t step = 0;
  std::string prompt;
  std::string text;
};

/// What a log holds, for the page.
struct RunHistory {
  std::vector<StepLine> steps;
  std::vector<ValidationLine> validations;
  std::vector<SampleLine> samples;
};

class RunLog {
 public:
  /// Opens DIR/log.jsonl for appending, after taking back every line beyond `step`. Lines that are not whole (a run was
  /// killed while it wrote) go too. history() has what stays. Errors: io.
  [[nodiscard]] static Result<RunLog> open(const std::string& folder, std::int64_t step);

  [[nodiscard]] Result<void> add(const StepLine& line);
  [[nodiscard]] Result<void> add(const ValidationLine& line);
  [[nodiscard]] Result<void> add(const SampleLine& line);
  [[nodiscard]] const RunHistory& history() const { return history_; }

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  RunLog() = default;
  [[nodiscard]] Result<void> write(const std::string& line);

  std::string path_;
  std::unique_ptr<std::FILE, Close> file_;
  RunHistory history_;
};

}  // namespace tern::train
