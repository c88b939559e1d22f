// Any bytes as a model: parsed, bound to its architecture, packed, and three tokens computed. Numbers may be wrong and
// logits may be NaN, but nothing may crash, hang or take more than a small multiple of the file.
#include <cstddef>
#include <cstdint>
#include <span>

#include "engine/memory_estimate.hpp"
#include "engine/session.hpp"
#include "formats/all.hpp"
#include "one_line.hpp"

namespace {

using namespace tern;

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t n_bytes) {
  auto file = files::GgufFile::parse(std::as_bytes(std::span(data, n_bytes)), "input");
  if (!file) return 0;
  auto bound = models::ModelFile::bind(std::move(*file));
  if (!bound) {
    tern::fuzz::check_one_line(bound.error());
    return 0;
  }
  TERN_CHECK(!bound->plan().text().empty());
  // A wide vector over a thin matrix multiplies the bytes of a file by a few thousand: legal, but slow to fuzz.
  const auto memory = engine::estimate_memory(*bound, 8, 4, engine::CacheFormats::both(formats::kF32));
  if (memory.total() > std::uint64_t{256} << 20) return 0;
  const auto model = engine::Model::make(std::move(*bound), {.isa = {}, .check_memory = false});
  if (!model) {
    tern::fuzz::check_one_line(model.error());
    return 0;
  }
  const auto session = engine::Session::make(
      *model,
      {.n_threads = 1, .n_ctx = 8, .n_sequences = 1, .n_batch = 4, .cache = engine::CacheFormats::both(formats::kF32)});
  if (!session) {
    tern::fuzz::check_one_line(session.error());
    return 0;
  }
  const auto last = static_cast<std::int32_t>((*model)->parameters().n_vocab - 1);
  const engine::BatchItem batch[] = {{0, 0, 0, false}, {last, 1, 0, true}, {last / 2, 2, 0, true}};
  TERN_CHECK((*session)->decode(batch).has_value());
  TERN_CHECK((*session)->n_logits() == 2);
  return 0;
}
