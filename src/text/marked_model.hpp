// The two kinds of SentencePiece as TokenModels, whose tokens have U+2581 for a space: BPE and unigram. A space is put
// before the text and after each special token (as transformers and llama.cpp have it), even where one is there; with
// the rules of a Metaspace only as those say. For the files that hold their encoders.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "text/metaspace.hpp"
#include "text/space_mark.hpp"
#include "text/token_model_of.hpp"

namespace tern::text {

/// `Encoder::kReadsMarks`: it wants spaces as U+2581.
template <typename Encoder>
class MarkedModel : public TokenModelOf<MarkedModel<Encoder>, Encoder> {
 public:
  MarkedModel(Encoder model, std::optional<Metaspace> metaspace, bool adds_space)
      : TokenModelOf<MarkedModel, Encoder>(std::move(model)),
        metaspace_(std::move(metaspace)),
        adds_space_(adds_space) {}
  Result<void> encode_plain(std::string_view plain, bool is_first, typename MarkedModel::State& state,
                            std::vector<std::int32_t>& out) const {
    const auto encode = [&](std::string_view piece) { return this->model_.encode(piece, state.run, out); };
    if (metaspace_) return metaspace_->for_each_piece(plain, is_first, state.texts.emplace_back(), encode);
    if (adds_space_) plain = state.texts.emplace_back(" " + std::string(plain));
    if constexpr (Encoder::kReadsMarks) plain = state.texts.emplace_back(spaces_to_marks(plain));
    return encode(plain);
  }
  // By its spelling with marks, or else the fallback token of a single byte.
  [[nodiscard]] std::optional<std::int32_t> find(std::string_view token) const override {
    if (const auto id = this->model_.index().find(spaces_to_marks(token))) return as_id(id);
    const std::int32_t byte = token.size() == 1 ? this->model_.byte_id(static_cast<unsigned char>(token[0])) : -1;
    return byte < 0 ? std::nullopt : std::optional(byte);
  }

 private:
  std::optional<Metaspace> metaspace_;
  bool adds_space_;
};

template <typename Encoder>
[[nodiscard]] Result<std::unique_ptr<const TokenModel>> make_marked_model(const Vocabulary& vocabulary,
                                                                          std::span<const std::string_view>) {
  TERN_TRY(auto metaspace, Metaspace::make(vocabulary));
  TERN_TRY(auto model, Encoder::make(vocabulary));
  return std::make_unique<const MarkedModel<Encoder>>(std::move(model), std::move(metaspace),
                                                      vocabulary.add_space_prefix);
}

[[nodiscard]] inline std::string bytes_of_marked(const std::string& token, TokenType) {
  return marks_to_spaces(token);
}

}  // namespace tern::text
