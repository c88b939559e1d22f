// The pre-tokenisers that GGUF files know by name (tokenizer.ggml.pre), in one table: name, other names of the same
// rules, rules, and the two habits that go with a name. It runs nothing. Sources: the tokenizer.json files that the
// models were published with, where they are known; else the patterns that llama.cpp documents under the name. Where
// the two differ (tekken and gpt-4o tell upper from lower case in all scripts, llama.cpp's adaptation in ASCII only)
// the published one is meant.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "text/pre_rules.hpp"

namespace tern::text {

struct NamedPreTokenizer {
  std::string_view name;
  std::vector<std::string_view> aliases;
  PreRules rules;
  bool whole_words = false;      // a word that is a token as a whole is taken without merging (ignore_merges)
  bool starts_with_bos = false;  // texts start with BOS where the file does not say
};

/// The row of a name or an alias; null if there is none.
[[nodiscard]] const NamedPreTokenizer* find_pre_tokenizer(std::string_view name);

/// The first row with exactly these rules, however their patterns are spelled; null if there is none.
[[nodiscard]] const NamedPreTokenizer* find_pre_tokenizer(const PreRules& rules);

/// The main names, in the table's order: what messages and help list.
[[nodiscard]] std::span<const std::string_view> pre_tokenizer_names();

/// "gpt-2, llama-bpe, ...": for messages.
[[nodiscard]] std::string pre_tokenizer_list();

}  // namespace tern::text
