#include "convert/type_rules.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "formats/all.hpp"

namespace tern::convert {

const formats::Format& fitting_format(const formats::Format& wanted, std::int64_t row_length) {
  if (wanted.fits_row(row_length)) return wanted;
  static constexpr std::array<std::pair<const formats::Format*, const formats::Format*>, 3> kSpecial{
      {{&formats::kQ4_K, &formats::kQ5_0}, {&formats::kQ5_K, &formats::kQ5_1}, {&formats::kQ6_K, &formats::kQ8_0}}};
  const formats::Format* next = &wanted == &formats::kI2_S ? &formats::kF16 : &formats::kQ4_0;
  for (const auto& [from, to] : kSpecial) {
    if (from == &wanted) next = to;
  }
  return next->fits_row(row_length) ? *next : formats::kF16;
}

void FallbackNotes::add(std::string_view tensor, const formats::Format& wanted, const formats::Format& taken,
                        std::int64_t row_length) {
  auto group = std::ranges::find(groups_, &wanted, &Group::wanted);
  if (group == groups_.end()) {
    groups_.push_back({.wanted = &wanted, .first_tensor = std::string(tensor), .row_lengths = {}, .taken = {}});
    group = groups_.end() - 1;
  }
  ++group->n_tensors;
  ++group->row_lengths[row_length];
  auto count = std::ranges::find(group->taken, &taken, &std::pair<const formats::Format*, std::size_t>::first);
  if (count == group->taken.end()) {
    group->taken.emplace_back(&taken, 0);
    count = group->taken.end() - 1;
  }
  ++count->second;
}

std::vector<std::string> FallbackNotes::lines() const {
  constexpr std::size_t kShownLengths = 4;
  std::vector<std::string> out;
  for (const Group& group : groups_) {
    std::string lengths;
    std::size_t n = 0;
    for (const auto& [length, count] : group.row_lengths) {
      ++n;
      if (n > kShownLengths) {
        lengths += " and others";
        break;
      }
      const bool is_last = n == group.row_lengths.size();
      lengths += fmt::format("{}{}", n == 1 ? "" : is_last ? " and " : ", ", length);
    }
    auto taken = group.taken;
    std::ranges::stable_sort(taken, [](const auto& a, const auto& b) { return a.second > b.second; });
    std::string instead(taken.front().first->name);
    instead += " instead";
    for (const auto& [format, count] : std::span(taken).subspan(1))
      instead += fmt::format(", {} for {}", format->name, count);
    const std::string who = group.n_tensors == 1 ? group.first_tensor : fmt::format("{} tensors", group.n_tensors);
    out.push_back(fmt::format("{}: rows of {} do not divide by {} ({}); {}", who, lengths, group.wanted->block_values,
                              group.wanted->name, instead));
  }
  return out;
}

void FallbackNotes::tell(Progress& progress) const {
  for (const std::string& line : lines()) progress.note(line);
}

}  // namespace tern::convert
