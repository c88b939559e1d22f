// The section "pre_tokenizer" of a Hugging Face tokenizer.json with a byte-level model: from JSON to rules, and from
// rules to one of the names that GGUF files know, where one stands for the same rules.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>

#include "base/error.hpp"
#include "text/pre_rules.hpp"
#include "text/vocabulary.hpp"

namespace tern::text {

/// The rules of a section: Split, ByteLevel, Digits, Punctuation, Whitespace, WhitespaceSplit, and Sequences of them.
/// Errors: another type by its name, or a section without ByteLevel (its model is not byte-level).
[[nodiscard]] Result<PreRules> pre_rules_of_json(const nlohmann::json& section);

/// The same from text, as Vocabulary::pre_tokenizer keeps it.
[[nodiscard]] Result<PreRules> pre_rules_of_text(std::string_view section);

/// Fills Vocabulary::pre: the name that stands for the section's rules, or kCustomPre and the section itself in
/// Vocabulary::pre_tokenizer. A space put before every text goes into add_space_prefix where that is all it does.
/// `named`: a name from outside that overrules the section.
[[nodiscard]] Result<void> read_pre_tokenizer_section(const nlohmann::json& root, std::optional<std::string_view> named,
                                                      Vocabulary& vocabulary);

}  // namespace tern::text
