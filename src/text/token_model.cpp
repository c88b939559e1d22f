#include "text/token_model.hpp"

#include <deque>
#include <string>
#include <type_traits>
#include <utility>

#include "text/byte_level_bpe.hpp"
#include "text/metaspace.hpp"
#include "text/sentencepiece_bpe.hpp"
#include "text/unigram.hpp"
#include "text/utf8.hpp"
#include "text/wordpiece.hpp"

namespace tern::text {

namespace {

// What the four kinds share. `Kind` brings, beside its Model: encode_plain, find.
template <typename Kind, typename Model>
class ModelOf : public TokenModel {
 public:
  explicit ModelOf(Model model) : model_(std::move(model)) {}
  [[nodiscard]] std::unique_ptr<Call> call() const override {
    return std::make_unique<CallOf>(static_cast<const Kind&>(*this));
  }

 protected:
  struct State {
    typename Model::Run run;
    std::deque<std::string> texts;  // the word cache keeps views into them
  };
  Model model_;

 private:
  class CallOf : public Call {
   public:
    explicit CallOf(const Kind& kind) : kind_(kind), state_{typename Model::Run(kind.model_), {}} {}
    Result<void> encode(std::string_view plain, bool is_first, std::vector<std::int32_t>& out) override {
      return kind_.encode_plain(plain, is_first, state_, out);
    }

   private:
    const Kind& kind_;
    State state_;
  };
};

std::optional<std::int32_t> as_id(std::optional<std::uint32_t> index) {
  return index ? std::optional(static_cast<std::int32_t>(*index)) : std::nullopt;
}

// A space before the text only, unless one is there.
class ByteLevelKind : public ModelOf<ByteLevelKind, ByteLevelBpe> {
 public:
  ByteLevelKind(ByteLevelBpe model, bool adds_space) : ModelOf(std::move(model)), adds_space_(adds_space) {}
  Result<void> encode_plain(std::string_view plain, bool is_first, State& state, std::vector<std::int32_t>& out) const {
    if (is_first && adds_space_ && plain[0] != ' ') plain = state.texts.emplace_back(" " + std::string(plain));
    return model_.encode(plain, state.run, out);
  }
  [[nodiscard]] std::optional<std::int32_t> find(std::string_view token) const override {
    return as_id(model_.index().find(token));
  }

 private:
  bool adds_space_;
};

// No space: words are found first, and U+2581 stands in the vocabulary before those that begin one.
class WordPieceKind : public ModelOf<WordPieceKind, WordPiece> {
 public:
  using ModelOf::ModelOf;
  Result<void> encode_plain(std::string_view plain, bool, State& state, std::vector<std::int32_t>& out) const {
    return model_.encode(plain, state.run, out);
  }
  [[nodiscard]] std::optional<std::int32_t> find(std::string_view token) const override {
    if (!token.starts_with(' ')) return as_id(model_.index().find(token));
    return as_id(model_.index().find(std::string(kSpaceMark) + std::string(token.substr(1))));
  }
};

// SentencePiece's two: a space before the text and after each special token (as transformers and llama.cpp have it),
// even where one is there; with the rules of a Metaspace only as those say. Unigram reads its spaces as U+2581.
template <typename Model>
class MarkedKind : public ModelOf<MarkedKind<Model>, Model> {
 public:
  MarkedKind(Model model, std::optional<Metaspace> metaspace, bool adds_space)
      : ModelOf<MarkedKind, Model>(std::move(model)), metaspace_(std::move(metaspace)), adds_space_(adds_space) {}
  Result<void> encode_plain(std::string_view plain, bool is_first, typename MarkedKind::State& state,
                            std::vector<std::int32_t>& out) const {
    const auto encode = [&](std::string_view piece) { return this->model_.encode(piece, state.run, out); };
    if (metaspace_) return metaspace_->for_each_piece(plain, is_first, state.texts.emplace_back(), encode);
    if (adds_space_) plain = state.texts.emplace_back(" " + std::string(plain));
    if constexpr (std::is_same_v<Model, Unigram>) plain = state.texts.emplace_back(spaces_to_marks(plain));
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

}  // namespace

Result<std::unique_ptr<const TokenModel>> make_token_model(const Vocabulary& vocabulary,
                                                           std::span<const std::string_view> pieces) {
  if (vocabulary.kind == TokenizerKind::bpe) {
    TERN_TRY(auto model, ByteLevelBpe::make(vocabulary, pieces));
    return std::make_unique<const ByteLevelKind>(std::move(model), vocabulary.add_space_prefix);
  }
  if (vocabulary.kind == TokenizerKind::wordpiece) {
    TERN_TRY(auto model, WordPiece::make(vocabulary));
    return std::make_unique<const WordPieceKind>(std::move(model));
  }
  TERN_TRY(auto metaspace, Metaspace::make(vocabulary));
  if (vocabulary.kind == TokenizerKind::unigram) {
    TERN_TRY(auto model, Unigram::make(vocabulary));
    return std::make_unique<const MarkedKind<Unigram>>(std::move(model), std::move(metaspace),
                                                       vocabulary.add_space_prefix);
  }
  TERN_TRY(auto model, SentencePieceBpe::make(vocabulary));
  return std::make_unique<const MarkedKind<SentencePieceBpe>>(std::move(model), std::move(metaspace),
                                                              vocabulary.add_space_prefix);
}

}  // namespace tern::text
