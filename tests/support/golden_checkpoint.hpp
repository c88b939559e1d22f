// The tiny checkpoints of tests/golden/data/architectures: their weights follow from a formula
// (golden/make/make_architectures.py), so the same folder is written here and its logits are that script's.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "files/npy.hpp"
#include "sys/atomic_file.hpp"
#include "tests/support/models.hpp"
#include "tests/support/safetensors_writer.hpp"

namespace tern::test {

inline constexpr std::size_t kGoldenVocabulary = 64;

inline std::string architecture_data(const std::string& file) {
  return std::string(TERN_SOURCE_DIR) + "/tests/golden/data/architectures/" + file;
}

inline std::vector<float> golden_formula(const std::string& name, std::size_t n, float center, float amplitude) {
  std::uint64_t seed = 0xCBF29CE484222325;
  for (const char c : name) seed = (seed ^ static_cast<unsigned char>(c)) * 0x100000001B3;
  std::vector<float> out(n);
  for (std::size_t i = 0; i < n; ++i) {
    std::uint64_t z = seed + i + 0x9E3779B97F4A7C15;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
    z ^= z >> 31;
    out[i] = center + amplitude * (static_cast<float>(z >> 40) / static_cast<float>(1 << 23) - 1.0F);
  }
  return out;
}

// A byte-level vocabulary of as many single characters as the models have rows.
inline std::string golden_tokenizer_json() {
  nlohmann::json vocabulary = nlohmann::json::object();
  for (std::size_t i = 0; i < kGoldenVocabulary; ++i) vocabulary[std::string(1, static_cast<char>('!' + i))] = i;
  return nlohmann::json{{"model", {{"type", "BPE"}, {"vocab", vocabulary}, {"merges", nlohmann::json::array()}}},
                        {"pre_tokenizer", {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"use_regex", true}}}}
      .dump();
}

struct Written {
  std::string folder;
  std::vector<std::vector<std::int32_t>> ids;
  files::NpyArray expected;  // [n_cases, n_tokens, width]
};

// `prefix` goes before every tensor's name, in place of `instead_of`.
inline Written write_golden_checkpoint(const std::string& folder, const std::string& name,
                                       const std::string& prefix = "", const std::string& instead_of = "") {
  const auto spec = read_json(architecture_data(name + ".json"));
  SafetensorsWriter weights;
  for (const auto& tensor : spec.at("tensors")) {
    const auto shape = tensor.at("shape").get<std::vector<std::int64_t>>();
    std::size_t n = 1;
    for (const std::int64_t extent : shape) n *= static_cast<std::size_t>(extent);
    const auto stored = tensor.at("name").get<std::string>();
    EXPECT_TRUE(stored.starts_with(instead_of) || stored == "lm_head.weight") << stored;
    weights.add_f32(prefix + (stored.starts_with(instead_of) ? stored.substr(instead_of.size()) : stored), shape,
                    golden_formula(stored, n, tensor.at("center").get<float>(), tensor.at("amplitude").get<float>()));
  }
  if (prefix.starts_with("language_model.")) {
    weights.add_f32("vision_tower.patch.weight", {2, 2}, {1, 2, 3, 4});
    weights.add_f32("multi_modal_projector.norm.weight", {2}, {1, 2});
  }
  weights.write(folder + "/model.safetensors");
  nlohmann::json config = spec.at("config");
  if (prefix.starts_with("language_model.")) {
    nlohmann::json whole{{"text_config", config}, {"model_type", "gemma3"}, {"vision_config", {{"hidden_size", 8}}}};
    whole["architectures"] = {"Gemma3ForConditionalGeneration"};
    config = whole;
  }
  must(sys::write_file(folder + "/config.json", config.dump(), true));
  must(sys::write_file(folder + "/tokenizer.json", golden_tokenizer_json(), true));
  return {folder, spec.at("ids").get<std::vector<std::vector<std::int32_t>>>(),
          must(files::read_npy(architecture_data(name + ".npy")))};
}

}  // namespace tern::test
