// BertNormalizer: control characters go, white space becomes a space, Chinese characters get a space on each side,
// accents and capitals go. The parts are those of the section; without a section all of them, which is the uncased
// BERT. Source: Hugging Face's tokenizers, whose range U+2B920.. (and not U+2B820..) is kept.
#include "text/json_document.hpp"
#include "text/normalizer.hpp"
#include "text/unicode.hpp"

namespace tern::text {

namespace {

bool is_chinese(std::uint32_t c) {
  return (c >= 0x4E00 && c <= 0x9FFF) || (c >= 0x3400 && c <= 0x4DBF) || (c >= 0xF900 && c <= 0xFAFF) ||
         (c >= 0x20000 && c <= 0x2A6DF) || (c >= 0x2A700 && c <= 0x2B81F) || (c >= 0x2B920 && c <= 0x2CEAF) ||
         (c >= 0x2F800 && c <= 0x2FA1F);
}

class Bert final : public NormalizerStep {
 public:
  bool clean_text = true;
  bool handle_chinese = true;
  bool strip_accents = true;
  bool lowercase = true;

  Result<bool> apply(std::string_view text, std::size_t, std::string& out) const override {
    out.reserve(text.size());
    clean(text, out);
    if (strip_accents && ascii_prefix(out) != out.size()) {
      std::string decomposed;
      const std::string_view from = to_normal_form(out, NormalForm::nfd, decomposed) ? decomposed : out;
      std::string kept;
      kept.reserve(from.size());
      for_each_character(
          from,
          [&](std::uint32_t c, std::string_view bytes) { kept += is_nonspacing_mark(c) ? std::string_view{} : bytes; },
          [&](std::string_view broken) { kept += broken; });
      out.swap(kept);
    }
    if (lowercase) {
      std::string lower;
      lower.reserve(out.size());
      append_lower(out, lower);
      out.swap(lower);
    }
    return true;
  }

 private:
  void clean(std::string_view text, std::string& out) const {
    for_each_character(
        text,
        [&](std::uint32_t c, std::string_view bytes) {
          if (clean_text) {
            if (c == '\t' || c == '\n' || c == '\r') {
              out += ' ';
              return;
            }
            if (c == 0 || c == 0xFFFD || is_control_or_format(c)) return;
            if (c >= 0x80 && is_white_space(c)) {
              out += ' ';
              return;
            }
          }
          if (c >= 0x3400 && handle_chinese && is_chinese(c)) {
            out += ' ';
            out += bytes;
            out += ' ';
          } else {
            out += bytes;
          }
        },
        [&](std::string_view broken) { out += broken; });
  }
};

}  // namespace

Result<std::unique_ptr<const NormalizerStep>> make_bert_step(const nlohmann::json& section) {
  auto step = std::make_unique<Bert>();
  step->clean_text = bool_member(section, "clean_text").value_or(true);
  step->handle_chinese = bool_member(section, "handle_chinese_chars").value_or(true);
  step->lowercase = bool_member(section, "lowercase").value_or(true);
  step->strip_accents = bool_member(section, "strip_accents").value_or(step->lowercase);  // null: as lowercase
  return step;
}

}  // namespace tern::text
