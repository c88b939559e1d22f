#include "text/normalizer.hpp"

#include <algorithm>
#include <functional>

#include "base/utf8.hpp"
#include "base/words.hpp"
#include "text/json_document.hpp"
#include "text/space_mark.hpp"
#include "text/unicode.hpp"

namespace tern::text {

namespace {

using nlohmann::json;
using Step = std::unique_ptr<const NormalizerStep>;

constexpr std::size_t kMaxBytes = std::size_t{1} << 30;
constexpr std::size_t kMaxGrowth = 64;
constexpr std::size_t kAlwaysAllowed = std::size_t{1} << 16;
constexpr std::size_t kMaxSteps = 256;

// A step that is one function, whose output is at most a few times its input.
class Simple final : public NormalizerStep {
 public:
  using Function = std::function<bool(std::string_view, std::string&)>;
  explicit Simple(Function function) : function_(std::move(function)) {}
  Result<bool> apply(std::string_view text, std::size_t, std::string& out) const override {
    return function_(text, out);
  }

 private:
  Function function_;
};

Step simple(Simple::Function function) {
  return std::make_unique<Simple>(std::move(function));
}

Step normal_form(NormalForm form) {
  return simple([form](std::string_view text, std::string& out) { return to_normal_form(text, form, out); });
}

bool lowercase(std::string_view text, std::string& out) {
  out.reserve(text.size());
  append_lower(text, out);
  return true;
}

bool strip_accents(std::string_view text, std::string& out) {
  if (ascii_prefix(text) == text.size()) return false;
  for_each_character(
      text, [&](std::uint32_t c, std::string_view bytes) { out += is_mark(c) ? std::string_view{} : bytes; },
      [&](std::string_view broken) { out += broken; });
  return true;
}

bool is_removed_by_nmt(std::uint32_t c) {
  return (c >= 1 && c <= 8) || c == 0x0B || (c >= 0x0E && c <= 0x1F) || c == 0x7F || c == 0x8F || c == 0x9F;
}
bool is_space_to_nmt(std::uint32_t c) {
  return c == 9 || c == 10 || c == 12 || c == 13 || c == 0x1680 || (c >= 0x200B && c <= 0x200F) || c == 0x2028 ||
         c == 0x2029 || c == 0x2581 || c == 0xFEFF || c == 0xFFFD;
}

bool nmt(std::string_view text, std::string& out) {
  for_each_character(
      text,
      [&](std::uint32_t c, std::string_view bytes) {
        if (is_space_to_nmt(c)) {
          out += ' ';
        } else if (!is_removed_by_nmt(c)) {
          out += bytes;
        }
      },
      [&](std::string_view broken) { out += broken; });
  return true;
}

std::size_t leading_space(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size()) {
    const Utf8Step step = utf8_step(text.substr(at));
    if (!step.valid || !is_white_space(utf8_code_point(text.substr(at)))) break;
    at += step.length;
  }
  return at;
}

// The bytes that are left when white space at the end is taken off.
std::size_t without_trailing_space(std::string_view text) {
  std::size_t end = text.size();
  while (end > 0) {
    std::size_t begin = end - 1;
    while (begin > 0 && end - begin < 4 && is_utf8_continuation(text[begin])) --begin;
    const std::string_view last = text.substr(begin, end - begin);
    const Utf8Step step = utf8_step(last);
    if (!step.valid || step.length != last.size() || !is_white_space(utf8_code_point(last))) break;
    end = begin;
  }
  return end;
}

Step strip(bool left, bool right) {
  return simple([left, right](std::string_view text, std::string& out) {
    const std::size_t begin = left ? leading_space(text) : 0;
    const std::string_view rest = text.substr(begin);
    out = rest.substr(0, right ? without_trailing_space(rest) : rest.size());
    return true;
  });
}

class Prepend final : public NormalizerStep {
 public:
  explicit Prepend(std::string what) : what_(std::move(what)) {}
  Result<bool> apply(std::string_view text, std::size_t max_bytes, std::string& out) const override {
    if (text.empty() || what_.empty()) return false;
    if (what_.size() > max_bytes || text.size() > max_bytes - what_.size()) return text_grew_too_large(max_bytes);
    out.reserve(text.size() + what_.size());
    out = what_;
    out += text;
    return true;
  }

 private:
  std::string what_;
};

// SentencePiece's remove_extra_whitespaces: spaces at both ends go, a run of them becomes one. At the end U+2581 counts
// as a space too, since the reference looks there after it has escaped them.
bool remove_extra_spaces(std::string_view text, std::string& out) {
  out.reserve(text.size());
  for (const char c : text) {
    if (c != ' ' || (!out.empty() && out.back() != ' ')) out += c;
  }
  while (true) {
    if (out.ends_with(' ')) {
      out.pop_back();
    } else if (out.ends_with(kSpaceMark)) {
      out.resize(out.size() - kSpaceMark.size());
    } else {
      return true;
    }
  }
}

Result<void> append_step(const json& section, NormalizerSteps& steps) {
  if (!section.is_object()) return fail(ErrorCode::bad_input, "a normalizer is not a JSON object");
  if (steps.size() == kMaxSteps) return fail(ErrorCode::bad_input, "there are more than {} normalizers", kMaxSteps);
  const std::string_view type = string_member(section, "type");
  if (type == "Sequence") {
    const json* list = member(section, "normalizers");
    if (list == nullptr || !list->is_array()) {
      return fail(ErrorCode::bad_input, "a normalizer of type Sequence has no list \"normalizers\"");
    }
    for (const json& part : *list) TERN_TRY_DO(append_step(part, steps));
    return {};
  }
  const auto add = [&](Result<Step> step) -> Result<void> {
    if (!step) return std::unexpected(std::move(step).error());
    steps.push_back(std::move(*step));
    return {};
  };
  if (type == "NFC") return add(normal_form(NormalForm::nfc));
  if (type == "NFD") return add(normal_form(NormalForm::nfd));
  if (type == "NFKC") return add(normal_form(NormalForm::nfkc));
  if (type == "NFKD") return add(normal_form(NormalForm::nfkd));
  if (type == "Lowercase") return add(simple(lowercase));
  if (type == "StripAccents") return add(simple(strip_accents));
  if (type == "Nmt") return add(simple(nmt));
  if (type == "Strip") {
    return add(
        strip(bool_member(section, "strip_left").value_or(true), bool_member(section, "strip_right").value_or(true)));
  }
  if (type == "Prepend") return add(std::make_unique<Prepend>(std::string(string_member(section, "prepend"))));
  if (type == "Replace") return add(make_replace_step(section));
  if (type == "BertNormalizer") return add(make_bert_step(section));
  if (type == "Precompiled") return add(make_precompiled_step(section));
  return fail(
      ErrorCode::unsupported,
      "the normalizer {} is not one of this program's: Sequence, NFC, NFD, NFKC, NFKD, Lowercase, StripAccents, "
      "Strip, Prepend, Replace, BertNormalizer, Precompiled, Nmt",
      type.empty() ? "without a type" : printable(type));
}

}  // namespace

std::unexpected<Error> text_grew_too_large(std::size_t max_bytes) {
  return fail(
      ErrorCode::bad_input,
      "the vocabulary's normalizer makes the text too large: more than {} (the smaller of 1 GiB and {} times the "
      "text)",
      human_bytes(max_bytes), kMaxGrowth);
}

Result<void> append_normalizer_steps(const json& section, NormalizerSteps& steps) {
  return append_step(section, steps);
}

Result<Normalizer> Normalizer::make(const Vocabulary& vocabulary) {
  Normalizer normalizer;
  if (!vocabulary.charsmap.empty()) {
    TERN_TRY(Step step, make_sentencepiece_step(vocabulary.charsmap));
    normalizer.steps_.push_back(std::move(step));
  }
  if (!vocabulary.normalizer.empty()) {
    const auto bytes = std::as_bytes(std::span(vocabulary.normalizer.data(), vocabulary.normalizer.size()));
    TERN_TRY(const json section, parse_json(bytes, "the section \"normalizer\""));
    TERN_TRY_DO(append_normalizer_steps(section, normalizer.steps_));
  } else if (vocabulary.kind == TokenizerKind::wordpiece) {
    TERN_TRY(Step step, make_bert_step(json::object()));
    normalizer.steps_.push_back(std::move(step));
  }
  if (vocabulary.remove_extra_whitespaces) normalizer.steps_.push_back(simple(remove_extra_spaces));
  return normalizer;
}

Result<std::string_view> Normalizer::apply(std::string_view text, std::string& storage) const {
  const std::size_t max_bytes =
      text.size() > kMaxBytes / kMaxGrowth ? kMaxBytes : std::max(text.size() * kMaxGrowth, kAlwaysAllowed);
  std::string out;
  for (const auto& step : steps_) {
    out.clear();
    TERN_TRY(const bool changed, step->apply(text, max_bytes, out));
    if (!changed) continue;
    if (out.size() > max_bytes) return text_grew_too_large(max_bytes);
    storage.swap(out);
    text = storage;
  }
  return text;
}

}  // namespace tern::text
