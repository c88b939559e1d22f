// Short documents go to a thread in groups: a thread's turn should be worth handing out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "sys/thread_pool.hpp"

namespace tern::train {

/// Calls body(group), from any of the threads, for neighbouring items that together have about `turn_bytes`;
/// bytes_of(item) says how many one has.
template <typename Item, typename BytesOf, typename Body>
void in_turns(std::span<Item> items, std::size_t turn_bytes, sys::ThreadPool& threads, BytesOf bytes_of, Body body) {
  std::vector<std::size_t> begins{0};
  std::size_t n_bytes = 0;
  for (std::size_t i = 0; i < items.size(); ++i) {
    n_bytes += bytes_of(items[i]);
    if (n_bytes < turn_bytes && i + 1 < items.size()) continue;
    begins.push_back(i + 1);
    n_bytes = 0;
  }
  threads.parallel_for(static_cast<std::int64_t>(begins.size()) - 1, 1, [&](std::int64_t begin, std::int64_t end) {
    for (auto i = static_cast<std::size_t>(begin); i < static_cast<std::size_t>(end); ++i) {
      body(items.subspan(begins[i], begins[i + 1] - begins[i]));
    }
  });
}

}  // namespace tern::train
