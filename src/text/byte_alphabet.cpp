#include "text/byte_alphabet.hpp"

#include <array>
#include <cstdint>

#include "base/utf8.hpp"

namespace tern::text {

namespace {

struct Alphabet {
  std::array<std::uint16_t, 256> code_point{};  // by byte
  std::array<std::int16_t, 0x144> byte{};       // by code point; -1: not in the alphabet
};

constexpr Alphabet make_alphabet() {
  Alphabet alphabet;
  for (auto& entry : alphabet.byte) entry = -1;
  std::uint16_t next = 0x100;
  for (std::uint16_t byte = 0; byte < 256; ++byte) {
    const bool printable = (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
    const std::uint16_t code_point = printable ? byte : next++;
    alphabet.code_point[byte] = code_point;
    alphabet.byte[code_point] = static_cast<std::int16_t>(byte);
  }
  return alphabet;
}

constexpr Alphabet kAlphabet = make_alphabet();

}  // namespace

std::string to_byte_alphabet(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size() + bytes.size() / 4);
  for (const char c : bytes) append_utf8(out, kAlphabet.code_point[static_cast<unsigned char>(c)]);
  return out;
}

namespace {

// Appends one character's byte; false if it has none.
bool append_byte(std::string& out, std::string_view character) {
  const std::uint32_t code_point = utf8_code_point(character);
  if (code_point >= kAlphabet.byte.size() || kAlphabet.byte[code_point] < 0) return false;
  out.push_back(static_cast<char>(static_cast<unsigned char>(kAlphabet.byte[code_point])));
  return true;
}

}  // namespace

std::optional<std::string> from_byte_alphabet(std::string_view spelling) {
  std::string out;
  out.reserve(spelling.size());
  while (!spelling.empty()) {
    const Utf8Step step = utf8_step(spelling);
    if (!step.valid || !append_byte(out, spelling.substr(0, step.length))) return std::nullopt;
    spelling.remove_prefix(step.length);
  }
  return out;
}

std::string from_byte_alphabet_or_same(std::string_view spelling) {
  std::string out;
  out.reserve(spelling.size());
  while (!spelling.empty()) {
    const Utf8Step step = utf8_step(spelling);
    if (!step.valid || !append_byte(out, spelling.substr(0, step.length))) out += spelling.substr(0, step.length);
    spelling.remove_prefix(step.length);
  }
  return out;
}

}  // namespace tern::text
