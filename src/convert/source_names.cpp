#include "convert/source_names.hpp"

#include <fmt/format.h>

#include <algorithm>
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

std::string inner_norm_name(const models::Architecture& architecture, std::string_view gguf_name) {
  constexpr std::string_view kEnding = "_norm_in.weight";
  constexpr std::string_view kWeight = ".weight";
  if (!gguf_name.ends_with(kEnding)) return {};
  const std::string projection = fmt::format("{}{}", gguf_name.substr(0, gguf_name.size() - kEnding.size()), kWeight);
  for (const SourceName& known : source_names(architecture, projection)) {
    std::string name = known.hugging_face();
    if (!name.ends_with(kWeight)) continue;
    name.resize(name.size() - kWeight.size());
    return name + ".rms_norm.weight";
  }
  return {};
}

std::vector<std::string> spellings(std::string_view name) {
  constexpr std::string_view kModel = "model.";
  if (!name.starts_with(kModel)) return {std::string(name), fmt::format("language_model.{}", name)};
  const std::string_view bare = name.substr(kModel.size());
  return {std::string(name), std::string(bare), fmt::format("language_model.{}", name),
          fmt::format("model.language_model.{}", bare)};
}

}  // namespace tern::convert
