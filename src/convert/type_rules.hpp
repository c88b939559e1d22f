// The format that rows of an awkward length get instead of the one wanted, and the lines that say so.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/progress.hpp"
#include "formats/format.hpp"

namespace tern::convert {

/// The format for rows that `wanted` does not divide, as llama-quantize falls back: Q4_K -> Q5_0, Q5_K -> Q5_1, Q6_K ->
/// Q8_0, other block formats -> Q4_0, and F16 where 32 does not divide either. I2_S rows fall back to F16, which keeps
/// -s, 0, +s.
[[nodiscard]] const formats::Format& fitting_format(const formats::Format& wanted, std::int64_t row_length);

/// Collects what fell back in a whole model: one line for each format that was wanted, however many tensors it is
/// about.
class FallbackNotes {
 public:
  void add(std::string_view tensor, const formats::Format& wanted, const formats::Format& taken,
           std::int64_t row_length);
  /// "36 tensors: rows of 64 and 172 do not divide by 256 (Q4_K); Q5_0 instead, F16 for 4"
  [[nodiscard]] std::vector<std::string> lines() const;
  void tell(Progress& progress) const;

 private:
  struct Group {
    const formats::Format* wanted = nullptr;
    std::string first_tensor;
    std::size_t n_tensors = 0;
    std::map<std::int64_t, std::size_t> row_lengths;
    std::vector<std::pair<const formats::Format*, std::size_t>> taken;
  };
  std::vector<Group> groups_;
};

}  // namespace tern::convert
