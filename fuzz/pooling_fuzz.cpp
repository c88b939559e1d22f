// Any bytes as modules.json and as the pooling's config.json: the part it names stays inside the folder.
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "convert/sentence_transformers.hpp"
#include "one_line.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t n_bytes) {
  using namespace tern;
  const auto bytes = std::as_bytes(std::span(data, n_bytes));
  if (const auto part = convert::pooling_part(bytes, "modules.json")) {
    TERN_CHECK(part->empty() || (part->front() != '/' && part->find("..") == std::string::npos));
  } else {
    tern::fuzz::check_one_line(part.error());
  }
  if (const auto pooling = convert::parse_pooling(bytes, "config.json")) {
    TERN_CHECK(*pooling != models::Pooling::none);
  } else {
    tern::fuzz::check_one_line(pooling.error());
  }
  return 0;
}
