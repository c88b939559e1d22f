// The section "normalizer" of a Hugging Face tokenizer.json, and the section "pre_tokenizer" of the kinds that spell
// a space as U+2581 or have BERT's rules, read into a Vocabulary. Only for this room.
#pragma once

#include <nlohmann/json.hpp>

#include "base/error.hpp"
#include "text/vocabulary.hpp"

namespace tern::text {

/// The parts of a component: itself, or the members of a "Sequence" (under `list_name`).
[[nodiscard]] std::vector<const nlohmann::json*> parts_of(const nlohmann::json* component, std::string_view list_name);

/// Fills Vocabulary::normalizer with what the kind does not do by itself, and add_space_prefix for spm. Errors: a
/// normalizer that this program does not have, by name.
[[nodiscard]] Result<void> read_normalizer_section(const nlohmann::json& root, Vocabulary& vocabulary);

/// For spm, unigram and wordpiece: fills Vocabulary::pre_tokenizer (empty where the kind implies the rules) and
/// add_space_prefix. Errors: a rule that does not go with the kind, by name.
[[nodiscard]] Result<void> read_mark_rules(const nlohmann::json& root, Vocabulary& vocabulary);

}  // namespace tern::text
