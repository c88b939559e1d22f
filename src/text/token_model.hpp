// The model of a vocabulary, whichever of the kinds it is: plain text to ids. Which kind goes with which TokenizerKind,
// and which space each wants before a text, is decided in token_model.cpp and nowhere else. Special tokens and
// normalising are done before, by text/tokenizer.cpp.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
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

/// Borrows `vocabulary` and `pieces` ([n_tokens] the bytes of each token), which must outlive the model.
[[nodiscard]] Result<std::unique_ptr<const TokenModel>> make_token_model(const Vocabulary& vocabulary,
                                                                         std::span<const std::string_view> pieces);

}  // namespace tern::text
