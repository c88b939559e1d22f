#include "convert/typical_bits.hpp"

#include <array>
#include <string>
#include <vector>

#include "convert/type_choice.hpp"
#include "formats/all.hpp"

namespace tern::convert {

double typical_bits_per_weight(const Mixture& mixture) {
  struct Typical {
    std::string_view name;
    std::int64_t row_length;
    std::int64_t n_rows;
  };
  constexpr std::array<Typical, 7> kLayer{{{"attn_q", 4096, 4096},
                                           {"attn_k", 4096, 1024},
                                           {"attn_v", 4096, 1024},
                                           {"attn_output", 4096, 4096},
                                           {"ffn_gate", 4096, 14336},
                                           {"ffn_up", 4096, 14336},
                                           {"ffn_down", 14336, 4096}}};
  constexpr std::int64_t kLayerCount = 32;
  constexpr std::int64_t kVocabulary = 128256;
  std::vector<std::string> names{"token_embd.weight", "output.weight"};
  std::vector<Shape> shapes(2, matrix_shape(4096, kVocabulary));
  for (std::int64_t layer = 0; layer < kLayerCount; ++layer) {
    for (const Typical& matrix : kLayer) {
      names.push_back(fmt::format("blk.{}.{}.weight", layer, matrix.name));
      shapes.push_back(matrix_shape(matrix.row_length, matrix.n_rows));
    }
  }
  std::vector<TensorInfo> tensors;
  for (std::size_t i = 0; i < names.size(); ++i) tensors.push_back({names[i], shapes[i], &formats::kF32});
  const ModelFacts facts{"llama", kLayerCount, 32, 8, 0};
  TypeWishes wishes;
  wishes.mixture = &mixture;
  const auto choices = choose_types(wishes, facts, tensors);
  if (!choices) return 0.0;
  double bits = 0.0;
  double n = 0.0;
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    const auto elements = static_cast<double>(tensors[i].shape.n_elements());
    bits += elements * (*choices)[i].taken->bits_per_weight();
    n += elements;
  }
  return bits / n;
}

}  // namespace tern::convert
