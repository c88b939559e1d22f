#include "text/tokenizer_json_pre.hpp"

#include <array>
#include <utility>

#include "base/words.hpp"
#include "text/json_document.hpp"
#include "text/pre_names.hpp"
#include "text/pre_tokenizer.hpp"
#include "text/regex_dialect.hpp"

namespace tern::text {

namespace {

using nlohmann::json;

constexpr int kMaxDepth = 8;  // of Sequences in Sequences

constexpr std::array kBehaviors = {
    std::pair<std::string_view, SplitBehavior>{"Removed", SplitBehavior::removed},
    std::pair<std::string_view, SplitBehavior>{"Isolated", SplitBehavior::isolated},
    std::pair<std::string_view, SplitBehavior>{"MergedWithPrevious", SplitBehavior::merged_with_previous},
    std::pair<std::string_view, SplitBehavior>{"MergedWithNext", SplitBehavior::merged_with_next},
    std::pair<std::string_view, SplitBehavior>{"Contiguous", SplitBehavior::contiguous}};

std::unexpected<Error> refuse(std::string_view what) {
  return fail(ErrorCode::unsupported, "tokenizer.json's pre_tokenizer {}", what);
}

/// What stands before a rule: whether ByteLevel did, so that it sees the byte alphabet.
struct Reader {
  PreRules rules;
  bool on_bytes = false;

  [[nodiscard]] Result<void> add(PreRule rule) {
    if (rules.size() == kMaxPreRules) return refuse(fmt::format("has more than {} rules", kMaxPreRules));
    rule.on_bytes = on_bytes;
    rules.push_back(std::move(rule));
    return {};
  }
  [[nodiscard]] Result<void> read(const json& section, int depth);
  [[nodiscard]] Result<void> read_sequence(const json& section, int depth);
  [[nodiscard]] Result<void> read_split(const json& section);
  [[nodiscard]] Result<void> read_byte_level(const json& section);
};

PreRule pattern_rule(std::string_view pattern, SplitBehavior behavior = SplitBehavior::isolated, bool invert = false) {
  PreRule rule;
  rule.pattern = pattern;
  rule.behavior = behavior;
  rule.invert = invert;
  return rule;
}

Result<SplitBehavior> behavior_of(const json& section) {
  if (member(section, "behavior") == nullptr) return SplitBehavior::isolated;
  const std::string_view name = string_member(section, "behavior");
  for (const auto& [known, behavior] : kBehaviors) {
    if (known == name) return behavior;
  }
  return refuse(
      fmt::format("has the behavior \"{}\"; expected Removed, Isolated, MergedWithPrevious, MergedWithNext or "
                  "Contiguous",
                  printable(name)));
}

Result<void> Reader::read(const json& section, int depth) {
  if (!section.is_object()) return refuse("holds something that is not an object");
  const std::string_view type = string_member(section, "type");
  if (type == "Sequence") return read_sequence(section, depth);
  if (type == "Split") return read_split(section);
  if (type == "ByteLevel") return read_byte_level(section);
  if (type == "Digits") {
    const bool individual = bool_member(section, "individual_digits").value_or(false);
    return add(pattern_rule(individual ? kDigitPattern : kDigitRunPattern));
  }
  if (type == "Punctuation") {
    TERN_TRY(const SplitBehavior behavior, behavior_of(section));
    return add(pattern_rule(kPunctuationPattern, behavior));
  }
  if (type == "Whitespace") return add(pattern_rule(kWhitespacePattern, SplitBehavior::removed, true));
  if (type == "WhitespaceSplit") return add(pattern_rule(R"(\s)", SplitBehavior::removed));
  return refuse(
      fmt::format("has the type {}; this program has Split, ByteLevel, Digits, Punctuation, Whitespace, "
                  "WhitespaceSplit and Sequence",
                  type.empty() ? "(none)" : printable(type)));
}

Result<void> Reader::read_sequence(const json& section, int depth) {
  if (depth == kMaxDepth) return refuse(fmt::format("is nested deeper than {} levels", kMaxDepth));
  const json* list = member(section, "pretokenizers");
  if (list == nullptr || !list->is_array()) return refuse("has a Sequence without its list \"pretokenizers\"");
  for (const json& part : *list) TERN_TRY_DO(read(part, depth + 1));
  return {};
}

Result<void> Reader::read_split(const json& section) {
  const json* pattern = member(section, "pattern");
  const bool is_regex = pattern != nullptr && member(*pattern, "Regex") != nullptr;
  const json* text = pattern == nullptr ? nullptr : member(*pattern, is_regex ? "Regex" : "String");
  if (text == nullptr || !text->is_string()) {
    return refuse("has a Split whose pattern is neither {\"Regex\": text} nor {\"String\": text}");
  }
  const auto& spelling = text->get_ref<const std::string&>();
  TERN_TRY(const SplitBehavior behavior, behavior_of(section));
  return add(pattern_rule(is_regex ? spelling : regex_of_literal(spelling), behavior,
                          bool_member(section, "invert").value_or(false)));
}

Result<void> Reader::read_byte_level(const json& section) {
  if (on_bytes) return refuse("has ByteLevel twice");
  if (bool_member(section, "add_prefix_space").value_or(false)) {
    PreRule space;
    space.prefix_space = true;
    TERN_TRY_DO(add(std::move(space)));
  }
  if (bool_member(section, "use_regex").value_or(true)) TERN_TRY_DO(add(pattern_rule(kGpt2Pattern)));
  on_bytes = true;
  return {};
}

}  // namespace

Result<PreRules> pre_rules_of_json(const json& section) {
  Reader reader;
  TERN_TRY_DO(reader.read(section, 0));
  if (!reader.on_bytes) return refuse("has no ByteLevel, so its model is not byte-level BPE");
  return std::move(reader.rules);
}

Result<PreRules> pre_rules_of_text(std::string_view section) {
  TERN_TRY(const json document, parse_json(std::as_bytes(std::span(section.data(), section.size())), "pre_tokenizer"));
  return pre_rules_of_json(document);
}

Result<void> read_pre_tokenizer_section(const json& root, std::optional<std::string_view> named,
                                        Vocabulary& vocabulary) {
  // A model that says nothing merges every word.
  const json* model = member(root, "model");
  const bool ignore_merges = model != nullptr && bool_member(*model, "ignore_merges").value_or(false);
  const json* section = member(root, "pre_tokenizer");
  if (named) {
    vocabulary.pre = *named;
  } else {
    if (section == nullptr || section->is_null()) {
      return fail(ErrorCode::unsupported, "tokenizer.json has no pre_tokenizer, expected one with ByteLevel");
    }
    TERN_TRY(PreRules rules, pre_rules_of_json(*section));
    const bool starts_with_space = !rules.empty() && rules.front().prefix_space;
    const PreRules others(rules.begin() + (starts_with_space ? 1 : 0), rules.end());
    if (const NamedPreTokenizer* same = find_pre_tokenizer(others)) {
      vocabulary.pre = same->name;
      vocabulary.add_space_prefix = starts_with_space;
    } else {
      TERN_TRY_DO(PreTokenizer::make(rules));  // says now what cannot run
      vocabulary.pre = kCustomPre;
      vocabulary.pre_tokenizer = section->dump();
    }
  }
  if (ignore_merges != PreTokenizer::takes_whole_words(vocabulary.pre)) vocabulary.ignore_merges = ignore_merges;
  return {};
}

}  // namespace tern::text
