// One token of a batch.
#pragma once

#include <cstdint>

namespace tern::engine {

struct BatchItem {
  std::int32_t token = 0;
  std::int32_t position = 0;  // must continue its sequence
  std::int32_t sequence = 0;
  bool want_logits = false;
};

}  // namespace tern::engine
