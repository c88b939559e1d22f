#include "convert/weight_roles.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace tern::convert {
namespace {

constexpr std::string_view kHead = "output.weight";
constexpr std::array<std::string_view, 2> kEmbeddings{"token_embd.weight", "per_layer_token_embd.weight"};

struct RoleName {
  std::string_view part;  // of the tensor's name
  WeightRole role;
};
constexpr std::array kRoleNames{
    RoleName{"attn_qkv.weight", WeightRole::value},
    RoleName{"attn_kv_b.weight", WeightRole::value},
    RoleName{"attn_v.weight", WeightRole::value},
    RoleName{"attn_k.weight", WeightRole::key},
    RoleName{"attn_q.weight", WeightRole::query},
    RoleName{"attn_output.weight", WeightRole::attention_output},
    RoleName{"ffn_up", WeightRole::up},
    RoleName{"ffn_gate", WeightRole::gate},
    RoleName{"ffn_down", WeightRole::down},
};

// Matrices that are small, or tables that are looked up: names of many architectures, so that a file of one that Tern
// cannot run is still quantised as others do it.
constexpr auto kKept = std::to_array<std::string_view>({"_norm.weight",
                                                        "ffn_gate_inp.weight",
                                                        "ffn_gate_tid2eid.weight",
                                                        "altup",
                                                        "laurel",
                                                        "per_layer_model_proj",
                                                        "ssm_conv1d",
                                                        "shortconv.conv.weight",
                                                        "indexer.k_proj.weight",
                                                        "indexer.q_proj.weight",
                                                        "time_mix_first.weight",
                                                        "time_mix_w0.weight",
                                                        "time_mix_w1.weight",
                                                        "time_mix_w2.weight",
                                                        "time_mix_v0.weight",
                                                        "time_mix_v1.weight",
                                                        "time_mix_v2.weight",
                                                        "time_mix_a0.weight",
                                                        "time_mix_a1.weight",
                                                        "time_mix_a2.weight",
                                                        "time_mix_g1.weight",
                                                        "time_mix_g2.weight",
                                                        "time_mix_decay_w1.weight",
                                                        "time_mix_decay_w2.weight",
                                                        "time_mix_lerp_fused.weight",
                                                        "attn_rel_b.weight",
                                                        ".position_embd",
                                                        "sam.pos_embd",
                                                        "sam.neck.",
                                                        "sam.net_",
                                                        ".rel_pos",
                                                        ".patch_embd",
                                                        ".patch_merger",
                                                        "a.rvq.codebook",
                                                        "mm.a.code_embd"});
constexpr std::array<std::string_view, 2> kKeptWhole{"position_embd.weight", "token_types.weight"};

}  // namespace

WeightRole role_of(std::string_view name) {
  if (name == kHead) return WeightRole::head;
  if (std::ranges::count(kEmbeddings, name) > 0) return WeightRole::embedding;
  for (const RoleName& known : kRoleNames) {
    if (name.find(known.part) != std::string_view::npos) return known.role;
  }
  return WeightRole::other;
}

bool is_matrix_to_encode(std::string_view name) {
  return name.ends_with("weight") && std::ranges::count(kKeptWhole, name) == 0 &&
         std::ranges::none_of(kKept, [&](std::string_view part) { return name.find(part) != std::string_view::npos; });
}

std::int64_t layer_of(std::string_view name) {
  constexpr std::string_view kPrefix = "blk.";
  if (!name.starts_with(kPrefix)) return -1;
  const char* end = name.data() + name.size();
  int layer = -1;
  const auto [stop, error] = std::from_chars(name.data() + kPrefix.size(), end, layer);
  return error == std::errc() && stop != end && *stop == '.' ? layer : -1;
}

}  // namespace tern::convert
