// Numbers as people read them: as many digits as the uncertainty supports, p-values, intervals, ratios. Plain ASCII
// minus throughout (a pasted table must stay a table of numbers); the HTML page shows it as a true minus.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "stats/interval.hpp"

namespace tern::report {

/// What stands where a number could not be had.
inline constexpr std::string_view kNoNumber = "n/a";

/// "17.12": fixed decimals; "n/a" for NaN, "inf" / "-inf"; never "-0.00".
[[nodiscard]] std::string fixed(double value, int decimals);

/// "+0.013": fixed decimals with its sign; zero has none.
[[nodiscard]] std::string with_sign(double value, int decimals);

/// "1.72", "0.000123", "1230", "1.2e-07": `digits` >= 1 significant digits.
[[nodiscard]] std::string significant(double value, int digits = 3);

/// Decimals that show an uncertainty of this size with two significant digits, between 0 and `most`.
[[nodiscard]] int decimals_for(double uncertainty, int most = 6);

/// "17.12 ± 0.13"; both with the decimals that the error supports.
[[nodiscard]] std::string plus_minus(double value, double error);

/// "[+0.010, +0.016]"
[[nodiscard]] std::string interval(const stats::Interval& value, int decimals);

/// "< 0.001", "0.042", "0.31", "n/a"
[[nodiscard]] std::string p_value(std::optional<double> p);

/// "1.72×"
[[nodiscard]] std::string ratio(double value);

/// "−12.3 %" with an ASCII minus and a sign always: the share by which a thing changed, 0.1 being 10 %.
[[nodiscard]] std::string percent_change(double share, int decimals = 1);

/// "850 ms", "12.3 s", "4 min 05 s"
[[nodiscard]] std::string seconds(double value);

}  // namespace tern::report
