#include "text/metaspace.hpp"

#include <algorithm>

#include "base/utf8.hpp"
#include "base/words.hpp"
#include "text/json_document.hpp"
#include "text/space_mark.hpp"
#include "text/unicode.hpp"

namespace tern::text {

namespace {

using nlohmann::json;

Result<void> read_metaspace(const json& section, Metaspace& rules) {
  const json* replacement = member(section, "replacement");
  if (replacement != nullptr &&
      (!replacement->is_string() || replacement->get_ref<const std::string&>() != kSpaceMark)) {
    return fail(ErrorCode::unsupported, "the pre-tokenizer Metaspace spells a space otherwise than as U+2581");
  }
  rules.marks_spaces = true;
  rules.split = bool_member(section, "split").value_or(true);
  const std::string_view scheme = string_member(section, "prepend_scheme");
  if (scheme == "first") {
    rules.prepend = Metaspace::Prepend::first;
  } else if (scheme == "always") {
    rules.prepend = Metaspace::Prepend::always;
  } else if (scheme == "never") {
    rules.prepend = Metaspace::Prepend::never;
  } else if (scheme.empty()) {
    const bool add = bool_member(section, "add_prefix_space").value_or(true);
    rules.prepend = add ? Metaspace::Prepend::always : Metaspace::Prepend::never;
  } else {
    return fail(ErrorCode::unsupported,
                "the pre-tokenizer Metaspace has the prepend_scheme {}; expected first, always or never",
                printable(scheme));
  }
  return {};
}

}  // namespace

Result<std::optional<Metaspace>> Metaspace::make(const Vocabulary& vocabulary) {
  if (vocabulary.pre_tokenizer.empty()) return std::optional<Metaspace>{};
  const auto bytes = std::as_bytes(std::span(vocabulary.pre_tokenizer.data(), vocabulary.pre_tokenizer.size()));
  TERN_TRY(const json section, parse_json(bytes, "the section \"pre_tokenizer\""));
  Metaspace rules;
  std::vector<const json*> parts = {&section};
  if (string_member(section, "type") == "Sequence") {
    const json* list = member(section, "pretokenizers");
    if (list == nullptr || !list->is_array()) {
      return fail(ErrorCode::bad_input, "a pre-tokenizer of type Sequence has no list \"pretokenizers\"");
    }
    parts.clear();
    for (const json& part : *list) parts.push_back(&part);
  }
  for (const json* part : parts) {
    const std::string_view type = string_member(*part, "type");
    if (type == "WhitespaceSplit" && !rules.marks_spaces) {
      rules.whitespace_split = true;
    } else if (type == "Metaspace" && !rules.marks_spaces) {
      TERN_TRY_DO(read_metaspace(*part, rules));
    } else {
      return fail(ErrorCode::unsupported,
                  "the pre-tokenizer {} does not go with a vocabulary of this kind here; expected Metaspace, or "
                  "WhitespaceSplit and Metaspace",
                  type.empty() ? "without a type" : printable(type));
    }
  }
  return std::optional<Metaspace>(rules);
}

void Metaspace::escape(std::string_view text, bool is_first, std::string& escaped,
                       std::vector<std::size_t>& ends) const {
  escaped.clear();
  escaped.reserve(text.size() + text.size() / 2 + kSpaceMark.size());
  const auto add_word = [&](std::string_view word, bool at_start) {
    const bool has_mark = word.starts_with(' ') || word.starts_with(kSpaceMark);
    const bool wants_mark = prepend == Prepend::always || (prepend == Prepend::first && at_start);
    const std::size_t begin = escaped.size();
    if (marks_spaces && wants_mark && !has_mark) escaped += kSpaceMark;
    while (!word.empty()) {
      const bool is_mark = marks_spaces && (word[0] == ' ' || word.starts_with(kSpaceMark));
      if (is_mark) {
        if (split && escaped.size() > begin) ends.push_back(escaped.size());
        escaped += kSpaceMark;
        word.remove_prefix(word[0] == ' ' ? 1 : kSpaceMark.size());
        continue;
      }
      const std::size_t end = std::min(marks_spaces ? word.find_first_of(" \xE2", 1) : word.size(), word.size());
      escaped += word.substr(0, end);
      word.remove_prefix(end);
    }
    if (escaped.size() > begin) ends.push_back(escaped.size());
  };
  if (!whitespace_split) {
    if (!text.empty()) add_word(text, is_first);
    return;
  }
  std::size_t begin = 0;
  std::size_t at = 0;
  while (at < text.size()) {
    const Utf8Step step = utf8_step(text.substr(at));
    if (step.valid && is_white_space(utf8_code_point(text.substr(at)))) {
      if (at > begin) add_word(text.substr(begin, at - begin), is_first && begin == 0);
      begin = at + step.length;
    }
    at += step.length;
  }
  if (at > begin) add_word(text.substr(begin), is_first && begin == 0);
}

}  // namespace tern::text
