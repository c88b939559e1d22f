#include "train/parameters.hpp"

#include <algorithm>
#include <memory>

#include "base/random.hpp"

namespace tern::train {

Parameter::Parameter(std::string n, Shape s, models::TensorRole r)
    : name(std::move(n)),
      shape(s),
      role(r),
      decays(!s.is_vector()),
      master(s.n_elements()),
      gradient(s.n_elements()),
      moment(s.n_elements()),
      second_moment(s.n_elements()) {}

Parameters::Parameters(const models::Plan& plan, const std::function<bool(const models::TensorSpec&)>& present)
    : by_tensor_(plan.tensors.size(), nullptr) {
  for (std::size_t i = 0; i < plan.tensors.size(); ++i) {
    const models::TensorSpec& spec = plan.tensors[i];
    if (present(spec)) by_tensor_[i] = &add(spec.name, spec.shape, spec.role);
  }
  for (std::size_t i = 0; i < plan.tensors.size(); ++i) {
    const models::TensorId fallback = plan.tensors[i].fallback;
    if (by_tensor_[i] == nullptr && fallback != models::kNone) by_tensor_[i] = of(fallback);
  }
}

Parameter* Parameters::of(models::TensorId id) {
  return id == models::kNone ? nullptr : by_tensor_[static_cast<std::size_t>(id)];
}
const Parameter* Parameters::of(models::TensorId id) const {
  return id == models::kNone ? nullptr : by_tensor_[static_cast<std::size_t>(id)];
}

const Parameter* Parameters::find(std::string_view name) const {
  const auto found = std::ranges::find_if(all_, [&](const auto& p) { return p->name == name; });
  return found == all_.end() ? nullptr : found->get();
}
Parameter* Parameters::find(std::string_view name) {
  return const_cast<Parameter*>(std::as_const(*this).find(name));
}

Parameter& Parameters::add(std::string name, Shape shape, models::TensorRole role) {
  all_.push_back(std::make_unique<Parameter>(std::move(name), shape, role));
  return *all_.back();
}

std::int64_t Parameters::n_values() const {
  std::int64_t n = 0;
  for (const auto& p : all_) n += p->shape.n_elements();
  return n;
}

void Parameters::clear_gradients() {
  for (const auto& p : all_) std::ranges::fill(p->gradient.span(), 0.0F);
}

std::function<bool(const models::TensorSpec&)> usual_tensors(bool tied_head) {
  return [tied_head](const models::TensorSpec& spec) {
    return spec.role == models::TensorRole::head ? !tied_head : !spec.optional;
  };
}

void initialise(Parameters& parameters, std::uint64_t seed, const FirstWeights& deviations) {
  for (const auto& p : parameters.all()) {
    switch (p->role) {
      case models::TensorRole::embedding:
      case models::TensorRole::head:
      case models::TensorRole::linear: {
        std::uint64_t own = seed;
        for (const char c : p->name) own = own * 0x100000001b3ULL ^ static_cast<unsigned char>(c);
        Random random(own);
        const float deviation = p->role == models::TensorRole::embedding ? deviations.embedding : deviations.matrices;
        for (float& value : p->master.span()) value = static_cast<float>(random.normal()) * deviation;
        break;
      }
      case models::TensorRole::norm:
      case models::TensorRole::scale:
      case models::TensorRole::rope_factors:
        std::ranges::fill(p->master.span(), 1.0F);
        break;
      case models::TensorRole::bias:
        std::ranges::fill(p->master.span(), 0.0F);
        break;
    }
  }
}

}  // namespace tern::train
