// Where a plan's values and gradients live: forward and backward passes are played through with a label on every float
// instead of a number, for every architecture, and whatever is read must still carry the label that was meant.
#include "train/steps/plan_layout.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>

#include "models/all.hpp"
#include "models/plan_builder.hpp"

namespace tern::train {
namespace {

using models::ValueId;

struct Tested {
  std::string name;
  models::Plan plan;
};

std::vector<Tested> plans() {
  std::vector<Tested> out;
  for (const models::Architecture* architecture : models::all()) {
    for (const bool odd : {false, true}) {
      models::HyperParameters p = architecture->defaults();
      p.architecture = std::string(architecture->name);
      p.n_vocab = 40;
      p.n_ctx_train = 16;
      p.n_embd = odd ? 40 : 32;
      p.n_ff = 72;
      p.n_layers = 3;
      p.n_heads = 4;
      p.n_kv_heads = 2;
      p.head_dim = p.n_rotary = 8;
      p.input_norms = odd;
      if (odd) {
        p.window = 5;
        p.windowed = models::window_pattern(p.n_layers, 2);
      }
      out.push_back({p.architecture + (odd ? ", norms per projection" : ""), architecture->plan(p)});
    }
  }
  return out;
}

/// All gradients are kept, values are not: scratch memory is the forward pass's alone.
models::Plan shortest_plan() {
  models::PlanBuilder b;
  const auto table = b.tensor("table", matrix_shape(32, 40), models::TensorRole::embedding);
  const auto matrix = b.tensor("matrix", matrix_shape(32, 32), models::TensorRole::linear);
  b.head("logits", b.linear("y", b.embed("x", table), matrix, {}), table);
  return b.take();
}

/// What a backward pass reads beside gradients, read off the equations, not off the layout.
std::vector<ValueId> needed_again(const models::Step& step) {
  if (const auto* norm = std::get_if<models::NormStep>(&step)) return {norm->in};
  if (const auto* attention = std::get_if<models::AttentionStep>(&step)) {
    return {attention->query, attention->key, attention->value};
  }
  if (const auto* unary = std::get_if<models::UnaryStep>(&step)) return {unary->in};
  if (const auto* glu = std::get_if<models::GluStep>(&step)) return {glu->gate, glu->up};
  return {};
}

/// Floats of one token, each with what was written there last.
class Memory {
 public:
  explicit Memory(const PlanLayout& layout)
      : saved_(static_cast<std::size_t>(layout.saved_width())),
        scratch_(static_cast<std::size_t>(layout.scratch_width())) {}

  void write(const Place& place, const std::string& label) {
    for (std::string& cell : cells(place)) cell = label;
  }
  void expect(const Place& place, const std::string& label, const std::string& where) {
    for (const std::string& cell : cells(place)) ASSERT_EQ(cell, label) << where;
  }
  /// Another sequence was worked on in between.
  void forget_scratch() { std::ranges::fill(scratch_, "another sequence's"); }

 private:
  std::span<std::string> cells(const Place& place) {
    auto& memory = place.kind == Place::Kind::saved ? saved_ : scratch_;
    if (place.kind == Place::Kind::none || place.width <= 0 || place.offset + place.width > std::ssize(memory)) {
      ADD_FAILURE() << "a place outside of its memory: " << place.width << " at " << place.offset;
      return {};
    }
    return std::span(memory).subspan(static_cast<std::size_t>(place.offset), static_cast<std::size_t>(place.width));
  }
  std::vector<std::string> saved_;
  std::vector<std::string> scratch_;
};

bool overlap(const Place& a, const Place& b) {
  return a.kind == b.kind && a.offset < b.offset + b.width && b.offset < a.offset + a.width;
}

/// The passes of one plan over labels.
class Play {
 public:
  Play(const models::Plan& plan, bool rounds) : plan_(plan), rounds_(rounds), layout_(plan, rounds) {
    for (std::size_t i = 0; i < plan.steps.size(); ++i) {  // steps ask in their order, as a network's do
      layout_.begin(i);
      Asked asked;
      for (const ValueId id : models::usage_of(plan.steps[i]).reads) {
        asked.accumulates.push_back(layout_.accumulates(id));
      }
      if (const auto* linear = std::get_if<models::LinearStep>(&plan.steps[i]); linear != nullptr && rounds) {
        asked.rounded = layout_.rounded(linear->in);
      }
      asked_.push_back(std::move(asked));
    }
    memory_.emplace(layout_);
  }

  void run() {
    for (std::size_t i = 0; i < plan_.steps.size(); ++i) forward(i);
    const auto& head = std::get<models::HeadStep>(plan_.steps.back());
    memory_->forget_scratch();
    memory_->expect(layout_.value(head.in), value(head.in), "head");
    memory_->write(layout_.gradient(head.in), gradient(head.in));
    for (std::size_t i = plan_.steps.size() - 1; i-- > 0;) {
      backward(i);
      if (testing::Test::HasFatalFailure()) return;
    }
    memory_->forget_scratch();
    for (const models::Step& step : plan_.steps) after(step);
  }

 private:
  struct Asked {
    std::vector<bool> accumulates;  // by what the step reads
    Layout::Rounded rounded;
  };
  static std::string value(ValueId id) { return "value " + std::to_string(id); }
  static std::string gradient(ValueId id) { return "gradient of " + std::to_string(id); }
  static std::string codes(ValueId id) { return "codes of " + std::to_string(id); }

  void forward(std::size_t i) {
    const models::Usage usage = models::usage_of(plan_.steps[i]);
    const std::string where = "forward of step " + std::to_string(i);
    for (const ValueId in : usage.reads) {
      memory_->expect(layout_.value(in), value(in), where);
      for (const ValueId out : usage.writes) {
        EXPECT_FALSE(overlap(layout_.value(in), layout_.value(out))) << where << " writes over its own input";
      }
    }
    if (const auto* linear = std::get_if<models::LinearStep>(&plan_.steps[i]); linear != nullptr && rounds_) {
      const Layout::Rounded& rounded = asked_[i].rounded;
      if (rounded.is_mine) {
        memory_->write(rounded.codes, codes(linear->in));
        memory_->write(rounded.scales, codes(linear->in));
      }
      memory_->expect(rounded.codes, codes(linear->in), where);
      memory_->expect(rounded.scales, codes(linear->in), where);
    }
    for (const ValueId out : usage.writes) memory_->write(layout_.value(out), value(out));
  }

  void backward(std::size_t i) {
    const models::Step& step = plan_.steps[i];
    const models::Usage usage = models::usage_of(step);
    const std::string where = "backward of step " + std::to_string(i);
    for (const ValueId id : needed_again(step)) memory_->expect(layout_.value(id), value(id), where);
    for (const ValueId out : usage.writes) memory_->expect(layout_.gradient(out), gradient(out), where);
    const bool is_sum = std::holds_alternative<models::AddStep>(step);
    for (std::size_t k = 0; k < usage.reads.size(); ++k) {
      const ValueId in = usage.reads[k];
      const Place place = layout_.gradient(in);
      for (const ValueId out : usage.writes) {
        const bool shared = is_sum && place == layout_.gradient(out) && !asked_[i].accumulates[k];
        EXPECT_TRUE(shared || !overlap(place, layout_.gradient(out)))
            << where << " writes over the gradient that it reads";
      }
      if (asked_[i].accumulates[k]) memory_->expect(place, gradient(in), where + ", which adds");
      memory_->write(place, gradient(in));
    }
    // Both sides of a sum, and all inputs of any other step, have their gradients at the end of it.
    for (const ValueId in : usage.reads) memory_->expect(layout_.gradient(in), gradient(in), where);
  }

  // Gradients of parameters are gathered when all sequences have gone back.
  void after(const models::Step& step) {
    if (const auto* linear = std::get_if<models::LinearStep>(&step)) {
      memory_->expect(layout_.gradient(linear->out), gradient(linear->out), "a matrix's gradient");
      if (rounds_) {
        const std::size_t i = static_cast<std::size_t>(&step - plan_.steps.data());
        memory_->expect(asked_[i].rounded.codes, codes(linear->in), "a matrix's gradient");
      } else {
        memory_->expect(layout_.value(linear->in), value(linear->in), "a matrix's gradient");
      }
    } else if (const auto* embed = std::get_if<models::EmbedStep>(&step)) {
      memory_->expect(layout_.gradient(embed->out), gradient(embed->out), "the table's gradient");
    }
  }

  const models::Plan& plan_;
  bool rounds_;
  PlanLayout layout_;
  std::vector<Asked> asked_;
  std::optional<Memory> memory_;
};

TEST(PlanLayout, NothingThatIsReadAgainIsWrittenOver) {
  for (const Tested& tested : plans()) {
    for (const bool rounds : {false, true}) {
      SCOPED_TRACE(tested.name + (rounds ? ", rounded" : ""));
      Play(tested.plan, rounds).run();
    }
  }
}

TEST(PlanLayout, ScratchMemoryHoldsValuesAndGradients) {
  const models::Plan plan = shortest_plan();
  EXPECT_EQ(PlanLayout(plan, true).scratch_width(), 32);
  EXPECT_EQ(PlanLayout(plan, false).scratch_width(), 0) << "the matrix needs its input again";
  Play(plan, true).run();
  Play(plan, false).run();
}

TEST(PlanLayout, AResidualStreamHasOneGradient) {
  for (const Tested& tested : plans()) {
    SCOPED_TRACE(tested.name);
    const PlanLayout layout(tested.plan, true);
    std::set<std::int64_t> places;
    int n_sums = 0;
    for (const models::Step& step : tested.plan.steps) {
      const auto* add = std::get_if<models::AddStep>(&step);
      if (add == nullptr) continue;
      const Place place = layout.gradient(add->out);
      EXPECT_EQ(place.kind, Place::Kind::scratch);
      places.insert(place.offset);
      ++n_sums;
    }
    EXPECT_EQ(n_sums, 6) << "two a layer";
    EXPECT_EQ(places.size(), 1U);
  }
}

TEST(PlanLayout, MatricesOfOneInputShareItsRoundedForm) {
  for (const Tested& tested : plans()) {
    SCOPED_TRACE(tested.name);
    PlanLayout layout(tested.plan, true);
    std::map<ValueId, Layout::Rounded> made;
    for (const models::Step& step : tested.plan.steps) {
      const auto* linear = std::get_if<models::LinearStep>(&step);
      if (linear == nullptr) continue;
      const Layout::Rounded got = layout.rounded(linear->in);
      EXPECT_EQ(got.is_mine, !made.contains(linear->in));
      EXPECT_EQ(got.scales.width, 1);
      EXPECT_EQ(got.codes.width, tested.plan.value(linear->in).width);
      if (got.is_mine) {
        made[linear->in] = got;
      } else {
        EXPECT_EQ(got.codes, made[linear->in].codes);
        EXPECT_EQ(got.scales, made[linear->in].scales);
      }
    }
  }
}

TEST(PlanLayout, EveryBufferBeginsOnACacheLine) {
  for (const Tested& tested : plans()) {
    PlanLayout layout(tested.plan, true);
    for (std::size_t v = 0; v < tested.plan.values.size(); ++v) {
      const auto id = static_cast<ValueId>(v);
      EXPECT_EQ(layout.value(id).offset % 16, 0);
      EXPECT_EQ(layout.gradient(id).offset % 16, 0);
    }
    const PartialSum first = layout.partial(5);
    const PartialSum second = layout.partial(40);
    EXPECT_EQ(first.offset, 0);
    EXPECT_EQ(second.offset, 16);
    EXPECT_EQ(layout.partial_width(), 64);
    layout.want_temporary(100);
    layout.want_temporary(50);
    EXPECT_EQ(layout.temporary_floats(), 112);
  }
}

}  // namespace
}  // namespace tern::train
