// Implementation of number.hpp.
#include "report/number.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace tern::report {
namespace {

/// "n/a", "inf", "-inf" or "" for a number.
std::string not_a_number(double value) {
  if (std::isnan(value)) return std::string(kNoNumber);
  if (std::isinf(value)) return value < 0 ? "-inf" : "inf";
  return {};
}

}  // namespace

std::string fixed(double value, int decimals) {
  if (auto odd = not_a_number(value); !odd.empty()) return odd;
  auto text = fmt::format("{:.{}f}", value, decimals);
  if (text.front() == '-' && text.find_first_of("123456789") == std::string::npos) text.erase(0, 1);
  return text;
}

std::string with_sign(double value, int decimals) {
  auto text = fixed(value, decimals);
  const bool shows_zero = text.find_first_of("123456789if") == std::string::npos;
  if (value > 0 && !shows_zero) text.insert(0, 1, '+');
  return text;
}

std::string significant(double value, int digits) {
  if (auto odd = not_a_number(value); !odd.empty()) return odd;
  if (value == 0.0) return "0";
  // The exponent after rounding: 9.999 to three digits is 10.0, not 10.00.
  const auto scientific = fmt::format("{:.{}e}", value, digits - 1);
  const int exponent = std::stoi(scientific.substr(scientific.find('e') + 1));
  if (exponent < -5 || exponent > 14) return scientific;
  return fixed(value, std::max(0, digits - 1 - exponent));
}

int decimals_for(double uncertainty, int most) {
  if (!(uncertainty > 0.0) || std::isinf(uncertainty)) return std::clamp(3, 0, most);
  const auto scientific = fmt::format("{:.1e}", uncertainty);
  const int exponent = std::stoi(scientific.substr(scientific.find('e') + 1));
  return std::clamp(1 - exponent, 0, most);
}

std::string plus_minus(double value, double error) {
  const int decimals = decimals_for(error);
  return fmt::format("{} ± {}", fixed(value, decimals), fixed(error, decimals));
}

std::string interval(const stats::Interval& value, int decimals) {
  return fmt::format("[{}, {}]", with_sign(value.low, decimals), with_sign(value.high, decimals));
}

std::string p_value(std::optional<double> p) {
  if (!p || std::isnan(*p)) return std::string(kNoNumber);
  if (*p < 0.001) return "< 0.001";
  if (*p < 0.0995) return fmt::format("{:.3f}", *p);
  return fmt::format("{:.2f}", *p);
}

std::string ratio(double value) {
  if (auto odd = not_a_number(value); !odd.empty()) return odd;
  return fmt::format("{}×", fixed(value, value < 10 ? 2 : value < 100 ? 1 : 0));
}

std::string percent_change(double share, int decimals) {
  if (auto odd = not_a_number(share); !odd.empty()) return odd;
  return with_sign(100.0 * share, decimals) + " %";
}

std::string seconds(double value) {
  if (auto odd = not_a_number(value); !odd.empty()) return odd;
  if (value < 0.9995) return significant(value * 1000.0, 3) + " ms";
  if (value < 119.5) return significant(value, 3) + " s";
  const auto whole = static_cast<long long>(std::llround(value));
  return fmt::format("{} min {:02} s", whole / 60, whole % 60);
}

}  // namespace tern::report
