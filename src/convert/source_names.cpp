#include "convert/source_names.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

namespace tern::convert {
namespace {

constexpr std::string_view kHole = "{}";

// The layer's number of "blk.7.attn_q.weight" by the pattern "blk.{}.attn_q.weight"; nullopt if the pattern is another.
std::optional<std::string> layer_if_match(std::string_view pattern, std::string_view name) {
  const auto hole = pattern.find(kHole);
  if (hole == std::string_view::npos) return pattern == name ? std::optional<std::string>("") : std::nullopt;
  const auto head = pattern.substr(0, hole);
  const auto tail = pattern.substr(hole + kHole.size());
  if (name.size() <= head.size() + tail.size() || !name.starts_with(head) || !name.ends_with(tail)) return std::nullopt;
  const auto number = name.substr(head.size(), name.size() - head.size() - tail.size());
  if (!std::ranges::all_of(number, [](char c) { return c >= '0' && c <= '9'; })) return std::nullopt;
  return std::string(number);
}

std::string with_layer(std::string_view pattern, std::string_view layer) {
  std::string out(pattern);
  if (const auto hole = out.find(kHole); hole != std::string::npos) out.replace(hole, kHole.size(), layer);
  return out;
}

}  // namespace

std::string SourceName::hugging_face() const {
  return with_layer(line->hugging_face, layer);
}

std::string SourceName::llama2c() const {
  return with_layer(line->llama2c, layer);
}

std::vector<SourceName> source_names(const models::Architecture& architecture, std::string_view gguf_name) {
  std::vector<SourceName> out;
  for (const models::TensorName& line : architecture.tensor_names) {
    if (auto layer = layer_if_match(line.gguf, gguf_name)) out.push_back({&line, std::move(*layer)});
  }
  return out;
}

std::vector<std::string> spellings(std::string_view name) {
  constexpr std::string_view kModel = "model.";
  if (!name.starts_with(kModel)) return {std::string(name), fmt::format("language_model.{}", name)};
  const std::string_view bare = name.substr(kModel.size());
  return {std::string(name), std::string(bare), fmt::format("language_model.{}", name),
          fmt::format("model.language_model.{}", bare)};
}

bool is_of_pictures(std::string_view name) {
  if (name.starts_with("model.")) name.remove_prefix(6);
  return name.starts_with("vision_tower.") || name.starts_with("multi_modal_projector.");
}

bool is_derived_buffer(const files::StoredTensor& tensor) {
  constexpr std::array<std::string_view, 4> kAnyType{".rotary_emb.inv_freq", ".rotary_emb.cos_cached",
                                                     ".rotary_emb.sin_cached", "rope.freqs"};
  constexpr std::array<std::string_view, 2> kIntegers{"position_ids", ".attention.bias"};
  const std::string_view name = tensor.name;
  const auto ends_name = [&](std::string_view end) { return name.ends_with(end); };
  if (std::ranges::any_of(kAnyType, ends_name)) return true;
  using files::Dtype;
  const bool is_integer = tensor.dtype == Dtype::i64 || tensor.dtype == Dtype::i32 || tensor.dtype == Dtype::boolean ||
                          tensor.dtype == Dtype::u8;
  return is_integer && std::ranges::any_of(kIntegers, ends_name);
}

}  // namespace tern::convert
