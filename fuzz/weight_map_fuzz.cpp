// Any bytes as the index of a checkpoint in several files: every shard it names is a file beside it.
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "files/weight_map.hpp"
#include "one_line.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t n_bytes) {
  const auto map = tern::files::parse_weight_map(std::as_bytes(std::span(data, n_bytes)), "index");
  if (!map) {
    tern::fuzz::check_one_line(map.error());
    return 0;
  }
  TERN_CHECK(!map->empty());
  for (const auto& [tensor, shard] : *map) {
    TERN_CHECK(!shard.empty() && shard != ".." && shard.find('/') == std::string::npos);
  }
  return 0;
}
