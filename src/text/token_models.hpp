// The kinds of tokenizer models that there are.
#pragma once

#include <array>
#include <string_view>

#include "text/token_model.hpp"

namespace tern::text {

extern const TokenModelKind kByteLevelBpeModel;
extern const TokenModelKind kSentencePieceBpeModel;
extern const TokenModelKind kWordPieceModel;
extern const TokenModelKind kUnigramModel;

inline constexpr std::array kTokenModels{&kByteLevelBpeModel, &kSentencePieceBpeModel, &kWordPieceModel,
                                         &kUnigramModel};

[[nodiscard]] const TokenModelKind& token_model_of(TokenizerKind kind);

/// By GGUF's name (tokenizer.ggml.model). Errors: unsupported, with the names there are.
[[nodiscard]] Result<const TokenModelKind*> find_token_model(std::string_view gguf_name);

}  // namespace tern::text
