#include "convert/unread_tensors.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

#include "base/words.hpp"

namespace tern::convert {
namespace {

// The model of text does without.
bool is_of_pictures(std::string_view name) {
  if (name.starts_with("model.")) name.remove_prefix(6);
  return name.starts_with("vision_tower.") || name.starts_with("multi_modal_projector.");
}

// Buffers that training code stores and that follow from the configuration: frequencies, tables of cosines, position
// ids, causal masks. Leaving them out changes nothing.
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

}  // namespace

void list_unread(const files::Checkpoint& checkpoint, const std::set<std::string, std::less<>>& used, Source& source) {
  std::vector<std::string_view> derived;
  std::size_t n_pictures = 0;
  for (const files::StoredTensor* tensor : checkpoint.tensors()) {
    if (used.contains(tensor->name)) continue;
    // An embedding model's plan has no head to read it.
    const bool is_unread_head =
        source.parameters.pooling != models::Pooling::none && tensor->name.ends_with("lm_head.weight");
    if (is_derived_buffer(*tensor)) {
      derived.push_back(tensor->name);
    } else if (is_of_pictures(tensor->name)) {
      ++n_pictures;
    } else if (!is_unread_head) {
      source.unknown.push_back({tensor->name, tensor->shape_text(), files::dtype_name(tensor->dtype)});
    }
  }
  if (n_pictures > 0) {
    source.notes.push_back(fmt::format("{} tensors that see pictures: left out, the result reads text", n_pictures));
  }
  if (derived.empty()) return;
  source.notes.push_back(
      fmt::format("left out, as config.json says the same: {}{}", printable(derived.front(), 120),
                  derived.size() > 1 ? fmt::format(" and {} more tensors", derived.size() - 1) : ""));
}

}  // namespace tern::convert
