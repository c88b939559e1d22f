#include "models/plan_builder.hpp"

#include "base/error.hpp"

namespace tern::models {

ValueId PlanBuilder::value(std::string_view name, std::int64_t width) {
  plan_.values.push_back({prefix_ + std::string(name), width});
  return static_cast<ValueId>(plan_.values.size()) - 1;
}

TensorId PlanBuilder::tensor(std::string_view name, Shape shape, TensorRole role, bool optional, TensorId fallback) {
  std::string full = prefix_ + std::string(name);
  const auto id = static_cast<TensorId>(plan_.tensors.size());
  const auto [place, is_new] = ids_.try_emplace(full, id);
  if (is_new) plan_.tensors.push_back({std::move(full), shape, role, optional, fallback});
  return place->second;
}

ValueId PlanBuilder::embed(std::string_view name, TensorId table, float scale) {
  const ValueId out = value(name, plan_.tensor(table).shape.row_length());
  plan_.steps.push_back(EmbedStep{out, table, scale});
  return out;
}

ValueId PlanBuilder::rms_norm(std::string_view name, ValueId in, TensorId weight, float eps, std::int64_t group_width) {
  return norm(name, {.in = in, .out = kNone, .weight = weight, .eps = eps, .group_width = group_width});
}

ValueId PlanBuilder::norm(std::string_view name, NormStep step) {
  TERN_CHECK(step.group_width == 0 || width(step.in) % step.group_width == 0);
  step.out = value(name, width(step.in));
  plan_.steps.push_back(step);
  return step.out;
}

ValueId PlanBuilder::linear(std::string_view name, ValueId in, TensorId weight, const ActivationPolicy& activation,
                            TensorId bias, TensorId output_scale) {
  TERN_CHECK(plan_.tensor(weight).shape.row_length() == width(in));
  const ValueId out = value(name, plan_.tensor(weight).shape.n_rows());
  plan_.steps.push_back(LinearStep{in, out, weight, bias, output_scale, activation});
  return out;
}

ValueId PlanBuilder::rope(std::string_view name, RopeStep step) {
  TERN_CHECK(width(step.in) == step.n_heads * step.head_dim);
  step.out = value(name, width(step.in));
  plan_.steps.push_back(step);
  return step.out;
}

ValueId PlanBuilder::attention(std::string_view name, AttentionStep step) {
  TERN_CHECK(width(step.query) == step.n_heads * step.head_dim);
  TERN_CHECK(width(step.key) == step.n_kv_heads * step.head_dim);
  TERN_CHECK(width(step.value) == width(step.key));
  step.out = value(name, width(step.query));
  step.kv_layer = plan_.n_kv_layers++;
  plan_.steps.push_back(step);
  return step.out;
}

ValueId PlanBuilder::unary(std::string_view name, ValueId in, Unary function) {
  const ValueId out = value(name, width(in));
  plan_.steps.push_back(UnaryStep{in, out, function});
  return out;
}

ValueId PlanBuilder::glu(std::string_view name, ValueId gate, ValueId up, Unary function) {
  TERN_CHECK(width(gate) == width(up));
  const ValueId out = value(name, width(gate));
  plan_.steps.push_back(GluStep{gate, up, out, function});
  return out;
}

ValueId PlanBuilder::add(std::string_view name, ValueId a, ValueId b) {
  TERN_CHECK(width(a) == width(b));
  const ValueId out = value(name, width(a));
  plan_.steps.push_back(AddStep{a, b, out});
  return out;
}

ValueId PlanBuilder::scale(std::string_view name, ValueId in, float factor) {
  const ValueId out = value(name, width(in));
  plan_.steps.push_back(ScaleStep{in, out, factor});
  return out;
}

void PlanBuilder::pool(ValueId in, Pooling kind) {
  plan_.steps.push_back(PoolStep{in, kind});
}

ValueId PlanBuilder::head(std::string_view name, ValueId in, TensorId weight, float soft_cap) {
  const ValueId out = value(name, plan_.tensor(weight).shape.n_rows());
  plan_.steps.push_back(HeadStep{in, out, weight, soft_cap});
  return out;
}

}  // namespace tern::models
