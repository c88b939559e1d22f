#include "engine/prompt_lookup.hpp"

#include <algorithm>

namespace tern::engine {
namespace {

// One token alone says too little: "the" stands everywhere.
constexpr std::size_t kShortest = 2;
constexpr std::size_t kLongest = 4;

/// How many of the last tokens also stand before `end`, kLongest at most.
std::size_t n_alike(std::span<const std::int32_t> ids, std::size_t end) {
  std::size_t n = 0;
  while (n < std::min(end, kLongest) && ids[end - 1 - n] == ids[ids.size() - 1 - n]) ++n;
  return n;
}

}  // namespace

std::vector<std::int32_t> prompt_lookup(std::span<const std::int32_t> ids, std::size_t n_most) {
  std::size_t best = kShortest - 1;
  std::size_t best_end = ids.size();
  for (std::size_t end = ids.size(); end-- > kShortest && best < kLongest;) {
    const std::size_t n = n_alike(ids, end);
    if (n <= best) continue;
    best = n;
    best_end = end;
  }
  std::vector<std::int32_t> out;
  const std::size_t distance = ids.size() - best_end;
  for (std::size_t i = 0; distance > 0 && i < n_most; ++i) out.push_back(ids[best_end + i % distance]);
  return out;
}

}  // namespace tern::engine
