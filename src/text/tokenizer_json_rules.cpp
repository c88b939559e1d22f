#include "text/tokenizer_json_rules.hpp"

#include "base/words.hpp"
#include "text/json_document.hpp"
#include "text/metaspace.hpp"
#include "text/normalizer.hpp"
#include "text/space_mark.hpp"

namespace tern::text {

namespace {

using nlohmann::json;

bool replaces_spaces_by_marks(const json& part) {
  const json* pattern = member(part, "pattern");
  return string_member(part, "type") == "Replace" && pattern != nullptr && string_member(*pattern, "String") == " " &&
         string_member(part, "content") == kSpaceMark;
}

bool prepends_mark(const json& part) {
  return string_member(part, "type") == "Prepend" && string_member(part, "prepend") == kSpaceMark;
}

bool is_uncased_bert(const json& part) {
  if (string_member(part, "type") != "BertNormalizer") return false;
  const auto is_on = [&](std::string_view key) { return bool_member(part, key).value_or(true); };
  return is_on("clean_text") && is_on("handle_chinese_chars") && is_on("lowercase") && is_on("strip_accents");
}

// SentencePiece BPE writes its marks as the last steps, in either order; those the kind does by itself.
Result<void> read_spm_normalizers(const json& section, Vocabulary& vocabulary) {
  std::vector<const json*> parts = parts_of(&section, "normalizers");
  while (!parts.empty() && (replaces_spaces_by_marks(*parts.back()) || prepends_mark(*parts.back()))) {
    if (prepends_mark(*parts.back())) vocabulary.add_space_prefix = true;
    parts.pop_back();
  }
  if (parts.empty()) return {};
  json rest = {{"type", "Sequence"}, {"normalizers", json::array()}};
  for (const json* part : parts) rest["normalizers"].push_back(*part);
  vocabulary.normalizer = rest.dump();
  return {};
}

}  // namespace

std::vector<const json*> parts_of(const json* component, std::string_view list_name) {
  std::vector<const json*> parts;
  if (component == nullptr || !component->is_object()) return parts;
  if (string_member(*component, "type") != "Sequence") return {component};
  const json* list = member(*component, list_name);
  if (list == nullptr || !list->is_array()) return parts;
  for (const json& part : *list) parts.push_back(&part);
  return parts;
}

Result<void> read_normalizer_section(const json& root, Vocabulary& vocabulary) {
  const json* section = member(root, "normalizer");
  if (section == nullptr || section->is_null()) {
    if (vocabulary.kind == TokenizerKind::wordpiece) vocabulary.normalizer = R"({"normalizers":[],"type":"Sequence"})";
    return {};
  }
  NormalizerSteps steps;
  if (const auto known = append_normalizer_steps(*section, steps); !known) {
    return in_context("tokenizer.json", known.error());
  }
  if (vocabulary.kind == TokenizerKind::spm) return read_spm_normalizers(*section, vocabulary);
  if (vocabulary.kind == TokenizerKind::wordpiece && is_uncased_bert(*section)) return {};
  if (vocabulary.kind == TokenizerKind::wordpiece || !steps.empty()) vocabulary.normalizer = section->dump();
  return {};
}

Result<void> read_mark_rules(const json& root, Vocabulary& vocabulary) {
  vocabulary.pre = "default";
  const json* section = member(root, "pre_tokenizer");
  const bool is_there = section != nullptr && !section->is_null();
  if (vocabulary.kind == TokenizerKind::wordpiece) {
    if (!is_there) {
      return fail(ErrorCode::unsupported,
                  "tokenizer.json has a WordPiece model without a pre-tokenizer; expected BertPreTokenizer");
    }
    if (string_member(*section, "type") != "BertPreTokenizer") vocabulary.pre_tokenizer = section->dump();
    return {};
  }
  if (!is_there) {
    // Not the same as no section at all: sums over the text in tokenizers' way.
    if (vocabulary.kind == TokenizerKind::unigram) {
      vocabulary.pre_tokenizer = R"({"pretokenizers":[],"type":"Sequence"})";
    }
    return {};
  }
  // Cutting at spaces when the normalizer has left none cuts nothing (Gemma).
  const json* pattern = member(*section, "pattern");
  if (vocabulary.kind == TokenizerKind::spm && string_member(*section, "type") == "Split" && pattern != nullptr &&
      string_member(*pattern, "String") == " ") {
    for (const json* part : parts_of(member(root, "normalizer"), "normalizers")) {
      if (replaces_spaces_by_marks(*part)) return {};
    }
  }
  vocabulary.pre_tokenizer = section->dump();
  TERN_TRY(const auto rules, Metaspace::make(vocabulary));
  if (!rules->marks_spaces) return {};
  vocabulary.add_space_prefix = rules->prepend != Metaspace::Prepend::never;
  const bool does_nothing = rules->prepend == Metaspace::Prepend::never && !rules->split && !rules->whitespace_split;
  if (vocabulary.kind == TokenizerKind::spm && does_nothing) vocabulary.pre_tokenizer.clear();
  return {};
}

}  // namespace tern::text
