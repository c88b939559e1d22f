#include "text/vocabulary_builder.hpp"

#include <algorithm>
#include <array>
#include <span>

#include "base/words.hpp"
#include "text/token_models.hpp"

namespace tern::text {

Result<void> VocabularyBuilder::add(std::uint64_t id, std::string token, TokenType type) {
  if (id > 0x7FFFFFFE) {
    return fail(ErrorCode::bad_input, "token \"{}\" has id {}, too large for a token id", printable(token), id);
  }
  const auto at = static_cast<std::uint32_t>(id);
  const auto [there, is_new] = entries_.try_emplace(at, Entry{std::move(token), type});
  if (!is_new) {
    return fail(ErrorCode::bad_input, "id {} is given to two tokens, \"{}\" being the first", id,
                printable(there->second.token));
  }
  highest_ = std::max(highest_, at);
  return {};
}

Result<void> VocabularyBuilder::add_or_retype(std::uint64_t id, std::string token, TokenType type) {
  const auto there = id > 0x7FFFFFFE ? entries_.end() : entries_.find(static_cast<std::uint32_t>(id));
  if (there != entries_.end() && there->second.token == token) {
    there->second.type = type;
    return {};
  }
  return add(id, std::move(token), type);
}

Result<void> VocabularyBuilder::finish(Vocabulary& vocabulary) {
  if (entries_.empty()) return fail(ErrorCode::bad_input, "the vocabulary holds no tokens");
  const std::size_t n = std::size_t{highest_} + 1;
  // Published vocabularies leave a few hundred ids free for control tokens; more than that is a damaged file.
  if (n > entries_.size() * 2 + 1024) {
    return fail(ErrorCode::bad_input, "token ids reach {} but there are only {} tokens", highest_, entries_.size());
  }
  vocabulary.tokens.resize(n);
  vocabulary.types.assign(n, TokenType::unused);
  for (std::size_t id = 0; id < n; ++id) {
    const auto entry = entries_.find(static_cast<std::uint32_t>(id));
    if (entry == entries_.end()) {
      vocabulary.tokens[id] = fmt::format("[PAD{}]", id);
      continue;
    }
    vocabulary.tokens[id] = std::move(entry->second.token);
    vocabulary.types[id] = entry->second.type;
  }
  entries_.clear();
  return {};
}

void guess_special_ids(Vocabulary& vocabulary) {
  constexpr std::array<std::string_view, 3> kBos = {"<|begin_of_text|>", "<s>", "<|endoftext|>"};
  constexpr std::array<std::string_view, 3> kEos = {"<|end_of_text|>", "</s>", "<|endoftext|>"};
  constexpr std::array<std::string_view, 4> kEot = {"<|eot_id|>", "<|im_end|>", "<|end|>", "<end_of_turn>"};
  std::unordered_map<std::string_view, std::int32_t> special;
  for (std::size_t id = 0; id < vocabulary.size(); ++id) {
    const TokenType type = vocabulary.type(id);
    if (type == TokenType::normal || type == TokenType::byte || type == TokenType::unused) continue;
    special.try_emplace(vocabulary.tokens[id], static_cast<std::int32_t>(id));
  }
  const auto guess = [&](std::optional<std::int32_t>& id, std::span<const std::string_view> names) {
    for (const std::string_view name : names) {
      if (id || name.empty()) return;
      if (const auto found = special.find(name); found != special.end()) id = found->second;
    }
  };
  guess(vocabulary.bos, kBos);
  guess(vocabulary.eos, kEos);
  const SpecialNames& usual = token_model_of(vocabulary.kind).usual_names;
  guess(vocabulary.bos, {&usual.bos, 1});
  guess(vocabulary.eos, {&usual.eos, 1});
  guess(vocabulary.unk, {&usual.unk, 1});
  guess(vocabulary.pad, {&usual.pad, 1});
  guess(vocabulary.mask, {&usual.mask, 1});
  guess(vocabulary.eot, kEot);
  if (vocabulary.eot == vocabulary.eos) vocabulary.eot.reset();
}

std::string_view pre_of_known_size(std::size_t n_tokens, std::string_view otherwise) {
  if (n_tokens == 128'000 || n_tokens == 128'256) return "llama-bpe";  // LLaMA 3 without and with control tokens
  if (n_tokens >= 151'643 && n_tokens <= 151'936) return "qwen2";      // Qwen, Qwen 2, 2.5 and 3
  return otherwise;
}

}  // namespace tern::text
