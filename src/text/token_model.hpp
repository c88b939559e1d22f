// The model of a vocabulary, whichever of the kinds it is: plain text to ids. And what else a kind decides, as one
// record (TokenModelKind) at the end of the file that has its encoder; kTokenModels (text/token_models.hpp) lists them.
// Special tokens and normalising are done before, by text/tokenizer.cpp.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "text/vocabulary.hpp"

namespace tern::text {

/// Immutable; any number of threads may use it at once, each with its own Call.
class TokenModel {
 public:
  /// The state of one text that is being encoded, stretch by stretch.
  class Call {
   public:
    virtual ~Call() = default;
    /// Appends the ids of `plain` (not empty), which must live as long as this call. `is_first`: the text begins here.
    [[nodiscard]] virtual Result<void> encode(std::string_view plain, bool is_first,
                                              std::vector<std::int32_t>& out) = 0;
  };

  virtual ~TokenModel() = default;
  [[nodiscard]] virtual std::unique_ptr<Call> call() const = 0;
  /// The id of a normal token by its bytes.
  [[nodiscard]] virtual std::optional<std::int32_t> find(std::string_view token) const = 0;
};

/// Whose a space at the front of the first token is, for decoding.
enum class LeadingSpace {
  of_text,             // the text's own, even where one was put in front
  where_one_is_added,  // taken off again where the vocabulary adds one
  never_of_text,       // each word's first token brings one
};

/// The names that special tokens of a kind usually have, where no file says which they are; "" for none.
struct SpecialNames {
  std::string_view bos = {}, eos = {}, unk = {}, pad = {}, mask = {};
};

struct TokenModelKind {
  TokenizerKind kind;
  std::string_view gguf_name;    // tokenizer.ggml.model
  std::string_view what;         // "byte-level BPE"
  bool has_named_pre = false;    // Vocabulary::pre names a pre-tokeniser; else it is "default" or names the model
  bool has_scores = false;       // one for each token
  bool marks_spaces = false;     // U+2581 stands for a space in tokens, and one is put before a text by default
  bool starts_with_bos = false;  // where the source does not say, whatever `pre` is
  bool ends_with_eos = false;    // where the source does not say
  LeadingSpace leading_space = LeadingSpace::of_text;
  SpecialNames usual_names = {};
  /// The bytes that a normal or user-defined token stands for in a text.
  std::string (*bytes_of)(const std::string& token, TokenType type) = nullptr;
  /// Borrows `vocabulary` and `pieces` ([n_tokens] the bytes of each token), which must outlive the model.
  Result<std::unique_ptr<const TokenModel>> (*make)(const Vocabulary& vocabulary,
                                                    std::span<const std::string_view> pieces) = nullptr;
};

}  // namespace tern::text
