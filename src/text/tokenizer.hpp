// Text to token ids and back. A Tokenizer is an immutable value (copies share one body) that any number of threads may
// use at once. It does not read files: text/readers.hpp makes a Vocabulary from bytes, Tokenizer::make checks it.
// Rules: text is bytes, kept without loss even where it is not UTF-8; strings of control tokens in a text are plain
// text unless parse_special is set; user-defined tokens are always taken whole.
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

struct EncodeOptions {
  bool add_bos = false;        // put BOS in front (an error if the vocabulary has none); see Vocabulary::add_bos
  bool add_eos = false;        // put EOS at the end
  bool parse_special = false;  // read "<|eot_id|>" and its like as the token it names
};

class Tokenizer {
 public:
  /// Checks the vocabulary (sizes, ids, merges, scores, pre-tokeniser) and builds the look-up tables.
  [[nodiscard]] static Result<Tokenizer> make(Vocabulary vocabulary);

  /// The ids of `text`, at most 1 GiB. Errors: a byte that the vocabulary cannot spell and has no unknown token for.
  [[nodiscard]] Result<std::vector<std::int32_t>> encode(std::string_view text, EncodeOptions options = {}) const;

  /// The bytes of one token: spaces restored, byte tokens as the byte, control tokens as their name. An id outside the
  /// vocabulary has none. The view lives as long as any copy of this tokenizer.
  [[nodiscard]] std::string_view piece(std::int32_t id) const;

  /// The bytes of a whole sequence. Control tokens are left out unless `render_special`; the space that a SentencePiece
  /// vocabulary puts before a text is taken off again. Unlike Detokenizer, broken UTF-8 is given as it is.
  [[nodiscard]] std::string decode(std::span<const std::int32_t> ids, bool render_special = false) const;

  /// The id of a token by its bytes (piece()); control and user-defined tokens come before normal ones.
  [[nodiscard]] std::optional<std::int32_t> find(std::string_view token) const;

  /// The control or user-defined token with this name.
  [[nodiscard]] std::optional<std::int32_t> find_special(std::string_view name) const;

  [[nodiscard]] bool is_valid(std::int32_t id) const;
  /// Control and unknown tokens: not part of the text, left out by decode().
  [[nodiscard]] bool is_control(std::int32_t id) const;
  /// EOS, EOT and the end-of-turn names in use ("<|eot_id|>", "<|im_end|>", ...): an answer stops here.
  [[nodiscard]] bool is_end_of_generation(std::int32_t id) const;
  /// Ascending; what is_end_of_generation() accepts.
  [[nodiscard]] std::span<const std::int32_t> end_of_generation_ids() const;

  [[nodiscard]] const Vocabulary& vocabulary() const;
  [[nodiscard]] std::size_t size() const;

 private:
  struct Body;
  explicit Tokenizer(std::shared_ptr<const Body> body) : body_(std::move(body)) {}
  std::shared_ptr<const Body> body_;
};

}  // namespace tern::text
