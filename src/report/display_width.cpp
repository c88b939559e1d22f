// Implementation of display_width.hpp.
#include "report/display_width.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

#include "base/utf8.hpp"
#include "report/escape.hpp"

namespace tern::report {
namespace {

struct Block {
  std::uint32_t first, last;
};

constexpr std::array kZeroWidth{
    Block{0x0300, 0x036f}, Block{0x0483, 0x0489}, Block{0x0591, 0x05bd}, Block{0x064b, 0x065f}, Block{0x0e34, 0x0e3a},
    Block{0x0e47, 0x0e4e}, Block{0x1ab0, 0x1aff}, Block{0x1dc0, 0x1dff}, Block{0x200b, 0x200f}, Block{0x20d0, 0x20ff},
    Block{0xfe00, 0xfe0f}, Block{0xfe20, 0xfe2f}, Block{0xfeff, 0xfeff}};

constexpr std::array kWide{Block{0x1100, 0x115f},   Block{0x2e80, 0x303e},   Block{0x3041, 0xa4cf},
                           Block{0xa960, 0xa97f},   Block{0xac00, 0xd7a3},   Block{0xf900, 0xfaff},
                           Block{0xfe30, 0xfe6f},   Block{0xff00, 0xff60},   Block{0xffe0, 0xffe6},
                           Block{0x1f300, 0x1f64f}, Block{0x1f680, 0x1f6ff}, Block{0x1f900, 0x1f9ff},
                           Block{0x1fa70, 0x1faff}, Block{0x20000, 0x3fffd}};

template <std::size_t n>
bool is_in(const std::array<Block, n>& blocks, std::uint32_t point) {
  return std::ranges::any_of(blocks, [&](const Block& b) { return b.first <= point && point <= b.last; });
}

}  // namespace

std::size_t display_width(std::string_view text) {
  std::size_t width = 0;
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    const std::uint32_t point = length == 0 ? 0xfffd : utf8_code_point(text);
    if (!is_in(kZeroWidth, point)) width += is_in(kWide, point) ? 2 : 1;
    text.remove_prefix(std::max<std::size_t>(1, length));
  }
  return width;
}

std::string terminal_text(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    const auto c = static_cast<unsigned char>(text.front());
    // U+0080 to U+009F are controls as well; some terminals obey them.
    const bool c1 = length == 2 && c == 0xc2 && static_cast<unsigned char>(text[1]) < 0xa0;
    if (c == '\n' || c == '\t' || c == '\r') {
      out += ' ';
    } else if (length == 0 || c < 0x20 || c == 0x7f || c1) {
      out += "\xef\xbf\xbd";
    } else {
      out += text.substr(0, length);
    }
    text.remove_prefix(std::max<std::size_t>(1, length));
  }
  return out;
}

}  // namespace tern::report
