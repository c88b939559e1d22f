// A finished training run, back in memory: its trainer for logits, its files for the engine, texts to try both on, and
// how near each position came to a rounding tie.
#pragma once

#include <algorithm>
#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "formats/all.hpp"
#include "lab/train_export.hpp"
#include "tests/support/models.hpp"
#include "tests/support/plan_in_double.hpp"
#include "tests/support/rounding_in_double.hpp"
#include "tests/support/tiny_training.hpp"
#include "train/data/dataset.hpp"

namespace tern::test {

class RestoredRun {
 public:
  RestoredRun(std::string folder, const std::string& data) : folder_(std::move(folder)) {
    Progress quiet;
    const auto saved = must(train::newest_checkpoint(folder_, quiet));
    state_ = saved.state();
    trainer_ = must(train::restore(saved, 2));
    const auto set = must(train::Dataset::open(data));
    const train::Part& part = set.sources().front().held_out;
    const auto row = static_cast<std::uint64_t>(n_tokens() + 1);
    for (std::uint64_t i = 0; i < kSequences; ++i) {
      std::vector<std::int32_t> ids(row);
      must(part.copy(i * row, row, ids.data()));
      tokens_.insert(tokens_.end(), ids.begin(), ids.end());
      ids.pop_back();
      inputs_.push_back(std::move(ids));
    }
  }

  static constexpr std::uint64_t kSequences = 48;

  [[nodiscard]] std::int64_t n_tokens() const { return state_.recipe.context; }
  [[nodiscard]] std::size_t n_vocab() const { return static_cast<std::size_t>(state_.model.n_vocab); }
  [[nodiscard]] train::Trainer& trainer() { return *trainer_; }

  /// [sequence][position][token], of training.
  [[nodiscard]] std::vector<float> trained_logits() { return trainer_->network().logits(tokens_); }

  /// The same of a GGUF file, by the engine.
  [[nodiscard]] std::vector<float> engine_logits(const std::string& path) const {
    const auto model = load(path);
    std::vector<float> out;
    for (const auto& ids : inputs_) {
      const auto row = logits_of(
          model, ids, {.n_threads = 2, .n_ctx = n_tokens() + 1, .cache = engine::CacheFormats::both(formats::kF32)},
          {ids.size()});
      out.insert(out.end(), row.begin(), row.end());
    }
    return out;
  }

  /// Exports in that type, embedding and head in F32. Errors: those of export_gguf.
  [[nodiscard]] Result<std::string> exported(const formats::Format& format, const std::string& path) const {
    Progress quiet;
    lab::TrainExportOptions options;
    options.run = folder_;
    options.out = path;
    options.outtype = &format;
    options.table = &formats::kF32;
    options.n_threads = 2;
    TERN_TRY_DO(lab::export_gguf(options, quiet));
    return path;
  }

  /// How near the rounded inputs of the matrices came to a tie, in codes, at each position and those before it; 1 where
  /// nothing is rounded. Worked out in double.
  [[nodiscard]] std::vector<double> distance_to_ties() {
    std::vector<double> nearest(kSequences * static_cast<std::size_t>(n_tokens()), 1.0);
    const int bits = trainer_->weights().options().activation_bits;
    if (bits == 0) return nearest;
    const models::Plan& plan = trainer_->plan();
    LinearHooks hooks;
    for (std::size_t i = 0; i < plan.steps.size(); ++i) {
      const auto* linear = std::get_if<models::LinearStep>(&plan.steps[i]);
      if (linear == nullptr) continue;
      hooks[i].weight = [matrix = matrix_of(trainer_->weights().of(linear->weight))](const Parameters&) {
        return matrix;
      };
      hooks[i].input = [&nearest, bits, width = static_cast<std::size_t>(plan.value(linear->in).width)](auto& rows) {
        for (std::size_t t = 0; t < nearest.size(); ++t) {
          nearest[t] = std::min(nearest[t], round_token(&rows[t * width], width, bits, 1.0));
        }
      };
    }
    (void)PlanInDouble(plan, hooks).values(in_double(trainer_->parameters()), inputs_);
    for (std::size_t t = 1; t < nearest.size(); ++t) {
      if (t % static_cast<std::size_t>(n_tokens()) != 0) nearest[t] = std::min(nearest[t], nearest[t - 1]);
    }
    return nearest;
  }

 private:
  std::vector<double> matrix_of(const train::Weight& weight) const {
    const auto group = static_cast<std::size_t>(trainer_->weights().options().group);
    std::vector<double> out;
    for (std::size_t i = 0; i < weight.codes().size(); ++i) {
      const float scale = group == 0 ? weight.scales().front() : weight.scales()[i / group];
      out.push_back(static_cast<double>(weight.codes()[i]) * static_cast<double>(scale));
    }
    return out;
  }

  std::string folder_;
  train::RunState state_;
  std::unique_ptr<train::Trainer> trainer_;
  std::vector<std::int32_t> tokens_;
  Sequences inputs_;
};

/// Largest difference of each row of n_vocab logits, as a share of the row's largest magnitude in `want`.
inline std::vector<double> row_differences(const std::vector<float>& got, const std::vector<float>& want,
                                           std::size_t n_vocab) {
  EXPECT_EQ(got.size(), want.size());
  std::vector<double> out;
  for (std::size_t at = 0; at < want.size() && got.size() == want.size(); at += n_vocab) {
    double worst = 0.0;
    double largest = 1e-30;
    for (std::size_t i = at; i < at + n_vocab; ++i) {
      worst = std::max(worst, std::fabs(static_cast<double>(got[i]) - static_cast<double>(want[i])));
      largest = std::max(largest, std::fabs(static_cast<double>(want[i])));
    }
    out.push_back(worst / largest);
  }
  return out;
}

}  // namespace tern::test
