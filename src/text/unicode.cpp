#include "text/unicode.hpp"

#include <utf8proc.h>

#include <algorithm>
#include <cstring>
#include <vector>

namespace tern::text {

namespace {

using CodePoints = std::vector<utf8proc_int32_t>;

bool composes(NormalForm form) {
  return form == NormalForm::nfc || form == NormalForm::nfkc;
}
bool is_compatible(NormalForm form) {
  return form == NormalForm::nfkc || form == NormalForm::nfkd;
}

// A character that the form keeps as it is, whatever stands around it, and over which nothing composes or is reordered.
// May say no where yes is true.
bool is_inert(std::uint32_t c, NormalForm form) {
  if (c < 0x80) return true;
  if (form == NormalForm::nfc && c < 0x300) return true;  // first of a composition at most: see to_normal_form()
  if (c >= 0x1100 && c <= 0x11FF) return false;           // Hangul letters compose by arithmetic, not by the tables
  if (c >= 0xAC00 && c <= 0xD7A3 && !composes(form)) return false;
  const utf8proc_property_t* property = utf8proc_get_property(static_cast<utf8proc_int32_t>(c));
  return property->combining_class == 0 && property->decomp_seqindex == UINT16_MAX &&
         property->comb_index == UINT16_MAX;
}

int combining_class(utf8proc_int32_t c) {
  return utf8proc_get_property(c)->combining_class;
}

// Marks behind a character in the order of their classes; equal classes keep their order.
void order_marks(CodePoints& text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (combining_class(text[i]) == 0) continue;
    std::size_t end = i + 1;
    while (end < text.size() && combining_class(text[end]) != 0) ++end;
    const auto first = text.begin() + static_cast<std::ptrdiff_t>(i);
    const auto last = text.begin() + static_cast<std::ptrdiff_t>(end);
    const auto before = [](utf8proc_int32_t a, utf8proc_int32_t b) { return combining_class(a) < combining_class(b); };
    if (end - i > 1) std::stable_sort(first, last, before);
    i = end - 1;
  }
}

void append_normalised(std::string_view valid, NormalForm form, CodePoints& scratch, std::string& out) {
  int options = UTF8PROC_STABLE | (composes(form) ? UTF8PROC_COMPOSE : UTF8PROC_DECOMPOSE);
  if (is_compatible(form)) options |= UTF8PROC_COMPAT;
  const auto flags = static_cast<utf8proc_option_t>(options);
  scratch.clear();
  while (!valid.empty()) {
    const std::size_t length = utf8_step(valid).length;
    constexpr utf8proc_ssize_t kMost = 32;  // U+FDFA has 18, the most there are
    utf8proc_int32_t parts[kMost];
    int boundary = 0;
    const auto n =
        utf8proc_decompose_char(static_cast<utf8proc_int32_t>(utf8_code_point(valid)), parts, kMost, flags, &boundary);
    for (utf8proc_ssize_t i = 0; i < n && i < kMost; ++i) scratch.push_back(parts[i]);
    valid.remove_prefix(length);
  }
  order_marks(scratch);
  auto n = static_cast<utf8proc_ssize_t>(scratch.size());
  if (composes(form)) n = utf8proc_normalize_utf32(scratch.data(), n, flags);
  for (utf8proc_ssize_t i = 0; i < n; ++i) {
    append_utf8(out, static_cast<std::uint32_t>(scratch[static_cast<std::size_t>(i)]));
  }
}

}  // namespace

std::size_t ascii_prefix(std::string_view text) {
  std::size_t at = 0;
  while (text.size() - at >= 8) {
    std::uint64_t eight;
    std::memcpy(&eight, text.data() + at, 8);
    if ((eight & 0x8080808080808080ULL) != 0) break;
    at += 8;
  }
  while (at < text.size() && static_cast<unsigned char>(text[at]) < 0x80) ++at;
  return at;
}

// Inert stretches are copied. Where a character is not inert, the stretch from the inert one before it (which it may
// compose with) up to the next inert one is normalised by itself.
bool to_normal_form(std::string_view text, NormalForm form, std::string& out) {
  CodePoints scratch;
  std::size_t copied = 0;
  std::size_t previous = 0;  // where the last inert character begins; == at when there is none before
  std::size_t at = 0;
  bool changed = false;
  const auto step_at = [&](std::size_t i) { return utf8_step(text.substr(i)); };
  while (at < text.size()) {
    if (const std::size_t ascii = ascii_prefix(text.substr(at)); ascii != 0) {
      at += ascii;
      previous = at - 1;
      continue;
    }
    const Utf8Step step = step_at(at);
    if (!step.valid) {
      at += step.length;
      previous = at;
      continue;
    }
    if (is_inert(utf8_code_point(text.substr(at)), form)) {
      previous = at;
      at += step.length;
      continue;
    }
    std::size_t end = at + step.length;
    while (end < text.size()) {
      const Utf8Step next = step_at(end);
      if (!next.valid || is_inert(utf8_code_point(text.substr(end)), form)) break;
      end += next.length;
    }
    const std::size_t begin = composes(form) ? previous : at;
    out += text.substr(copied, begin - copied);
    append_normalised(text.substr(begin, end - begin), form, scratch, out);
    copied = previous = at = end;
    changed = true;
  }
  if (changed) out += text.substr(copied);
  return changed;
}

void append_lower(std::string_view text, std::string& out) {
  for_each_character(
      text,
      [&](std::uint32_t c, std::string_view bytes) {
        if (c < 0x80) {
          out += static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
        } else if (c == 0x130) {
          out += "i\xCC\x87";
        } else {
          const auto lower = static_cast<std::uint32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(c)));
          if (lower == c) {
            out += bytes;
          } else {
            append_utf8(out, lower);
          }
        }
      },
      [&](std::string_view broken) { out += broken; });
}

bool is_white_space(std::uint32_t c) {
  if (c < 0x80) return c == ' ' || (c >= 9 && c <= 13);
  return c == 0x85 || c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 ||
         c == 0x202F || c == 0x205F || c == 0x3000;
}

bool is_bert_punctuation(std::uint32_t c) {
  if (c < 0x80) return (c >= 33 && c <= 47) || (c >= 58 && c <= 64) || (c >= 91 && c <= 96) || (c >= 123 && c <= 126);
  const auto category = utf8proc_category(static_cast<utf8proc_int32_t>(c));
  return category >= UTF8PROC_CATEGORY_PC && category <= UTF8PROC_CATEGORY_PO;
}

bool is_control_or_format(std::uint32_t c) {
  if (c < 0x80) return c < 0x20 || c == 0x7F;
  const auto category = utf8proc_category(static_cast<utf8proc_int32_t>(c));
  return category == UTF8PROC_CATEGORY_CC || category == UTF8PROC_CATEGORY_CF || category == UTF8PROC_CATEGORY_CO;
}

bool is_nonspacing_mark(std::uint32_t c) {
  return c >= 0x300 && utf8proc_category(static_cast<utf8proc_int32_t>(c)) == UTF8PROC_CATEGORY_MN;
}

bool is_mark(std::uint32_t c) {
  if (c < 0x300) return false;
  const auto category = utf8proc_category(static_cast<utf8proc_int32_t>(c));
  return category >= UTF8PROC_CATEGORY_MN && category <= UTF8PROC_CATEGORY_ME;
}

std::size_t grapheme_bytes(std::string_view text) {
  const Utf8Step first = utf8_step(text);
  if (!first.valid) return first.length;
  utf8proc_int32_t state = 0;
  auto before = static_cast<utf8proc_int32_t>(utf8_code_point(text));
  std::size_t at = first.length;
  while (at < text.size()) {
    const Utf8Step step = utf8_step(text.substr(at));
    if (!step.valid) break;
    const auto c = static_cast<utf8proc_int32_t>(utf8_code_point(text.substr(at)));
    if (utf8proc_grapheme_break_stateful(before, c, &state)) break;
    before = c;
    at += step.length;
  }
  return at;
}

}  // namespace tern::text
