#include "train/steps/plan_layout.hpp"

#include <algorithm>
#include <ranges>

namespace tern::train {
namespace {

using models::ValueId;

std::int64_t padded(std::int64_t width) {
  return (width + 15) / 16 * 16;
}

std::size_t index(ValueId id) {
  return static_cast<std::size_t>(id);
}

/// What the backward pass of a step reads beside gradients.
struct NeededAgain {
  bool rounds;
  std::vector<ValueId> operator()(const models::EmbedStep&) const { return {}; }
  std::vector<ValueId> operator()(const models::NormStep& s) const { return {s.in}; }
  std::vector<ValueId> operator()(const models::LinearStep& s) const {
    return rounds ? std::vector<ValueId>{} : std::vector{s.in};
  }
  std::vector<ValueId> operator()(const models::RopeStep&) const { return {}; }
  std::vector<ValueId> operator()(const models::AttentionStep& s) const { return {s.query, s.key, s.value}; }
  std::vector<ValueId> operator()(const models::UnaryStep& s) const { return {s.in}; }
  std::vector<ValueId> operator()(const models::GluStep& s) const { return {s.gate, s.up}; }
  std::vector<ValueId> operator()(const models::AddStep&) const { return {}; }
  std::vector<ValueId> operator()(const models::ScaleStep&) const { return {}; }
  std::vector<ValueId> operator()(const models::PoolStep&) const { return {}; }
  std::vector<ValueId> operator()(const models::HeadStep& s) const { return {s.in}; }
};

/// Gradients that are read after all lanes have gone back: outputs of what has weights, and the head's input, which is
/// made for all lanes at once.
ValueId gradient_kept_by(const models::Step& step) {
  if (const auto* linear = std::get_if<models::LinearStep>(&step)) return linear->out;
  if (const auto* embed = std::get_if<models::EmbedStep>(&step)) return embed->out;
  if (const auto* head = std::get_if<models::HeadStep>(&step)) return head->in;
  return models::kNone;
}

}  // namespace

PlanLayout::PlanLayout(const models::Plan& plan, bool rounds)
    : plan_(plan),
      last_reader_(plan.values.size(), 0),
      lives_in_(plan.values.size(), models::kNone),
      values_(plan.values.size()),
      gradients_(plan.values.size()) {
  for (std::size_t i = 0; i < plan.steps.size(); ++i) {
    for (const ValueId id : models::usage_of(plan.steps[i]).reads) last_reader_[index(id)] = i;
  }
  place_values(rounds);
  place_gradients();
}

void PlanLayout::place_values(bool rounds) {
  std::vector<char> saved(plan_.values.size(), 0);
  for (const models::Step& step : plan_.steps) {
    for (const ValueId id : std::visit(NeededAgain{rounds}, step)) saved[index(id)] = 1;
  }
  for (std::size_t v = 0; v < saved.size(); ++v) {
    if (saved[v] != 0) values_[v] = save(plan_.values[v].width);
  }
  std::vector<models::Usage> operations;
  for (const models::Step& step : plan_.steps) {
    models::Usage usage = models::usage_of(step);
    std::erase_if(usage.reads, [&](ValueId id) { return saved[index(id)] != 0; });
    std::erase_if(usage.writes, [&](ValueId id) { return saved[index(id)] != 0; });
    operations.push_back(std::move(usage));
  }
  place_scratch(operations, values_);
}

void PlanLayout::place_gradients() {
  std::vector<char> saved(plan_.values.size(), 0);
  for (const models::Step& step : plan_.steps) {
    const ValueId id = gradient_kept_by(step);
    if (id != models::kNone) saved[index(id)] = 1;
  }
  for (std::size_t v = 0; v < saved.size(); ++v) {
    if (saved[v] != 0) gradients_[v] = save(plan_.values[v].width);
  }
  share_gradients(saved);
  std::vector<models::Usage> operations;  // of the backward pass: it reads the gradients of what a step wrote
  for (const models::Step& step : plan_.steps | std::views::reverse) {
    const models::Usage forward = models::usage_of(step);
    models::Usage usage;
    for (const ValueId id : forward.writes) {
      if (saved[index(root(id))] == 0) usage.reads.push_back(root(id));
    }
    for (const ValueId id : forward.reads) {
      if (saved[index(root(id))] == 0) usage.writes.push_back(root(id));
    }
    operations.push_back(std::move(usage));
  }
  place_scratch(operations, gradients_);
}

void PlanLayout::share_gradients(const std::vector<char>& saved) {
  for (std::size_t i = plan_.steps.size(); i-- > 0;) {
    const auto* add = std::get_if<models::AddStep>(&plan_.steps[i]);
    if (add == nullptr || saved[index(root(add->out))] != 0) continue;
    for (const ValueId side : {add->a, add->b}) {
      if (saved[index(side)] != 0 || last_reader_[index(side)] != i) continue;
      lives_in_[index(side)] = root(add->out);
      break;
    }
  }
}

ValueId PlanLayout::root(ValueId id) const {
  return lives_in_[index(id)] == models::kNone ? id : lives_in_[index(id)];
}

void PlanLayout::place_scratch(const std::vector<models::Usage>& operations, std::vector<Place>& places) {
  const models::SlotAssignment slots = models::assign_slots(plan_.values, operations);
  std::vector<std::int64_t> offsets;
  std::int64_t end = 0;
  for (const std::int64_t width : slots.slot_widths) {
    offsets.push_back(end);
    end += width;
  }
  for (std::size_t v = 0; v < places.size(); ++v) {
    if (slots.slot_of[v] == models::kNone) continue;
    places[v] = {Place::Kind::scratch, offsets[static_cast<std::size_t>(slots.slot_of[v])], plan_.values[v].width};
  }
  // Forward and backward never need their scratch values at the same time.
  scratch_width_ = std::max(scratch_width_, end);
}

Place PlanLayout::save(std::int64_t width) {
  const Place place{Place::Kind::saved, saved_width_, width};
  saved_width_ += padded(width);
  return place;
}

PartialSum PlanLayout::partial(std::int64_t width) {
  const PartialSum sum{partial_width_, width};
  partial_width_ += padded(width);
  return sum;
}

void PlanLayout::want_temporary(std::int64_t n_floats) {
  temporary_floats_ = std::max(temporary_floats_, padded(n_floats));
}

Layout::Rounded PlanLayout::rounded(ValueId id) {
  const auto found = rounded_.find(id);
  if (found != rounded_.end()) return found->second;
  const Rounded made{save(plan_.value(id).width), save(1), false};
  rounded_.emplace(id, made);
  return {made.codes, made.scales, true};
}

}  // namespace tern::train
