// Read loops of 64-byte loads. Compiled with -mavx512f: called only where the processor has it, and everything here is
// local.
#include <immintrin.h>

#include "read_loops.hpp"

namespace limits {

namespace {

using Vector = __m512i;

inline __attribute__((always_inline)) Vector load(const std::byte* p) {
  return _mm512_loadu_si512(p);
}

inline __attribute__((always_inline)) Vector add(Vector a, Vector b) {
  return _mm512_add_epi64(a, b);
}

inline __attribute__((always_inline)) std::uint64_t total(Vector v) {
  std::uint64_t parts[8], sum = 0;
  _mm512_storeu_si512(parts, v);
  for (const std::uint64_t part : parts) sum += part;
  return sum;
}

#include "read_shape.inc"

constexpr NamedReadLoop kLoops[] = {
    {"64-byte loads", read<1, 0, 0>},
    {"64-byte loads, prefetch 1 KB and 4 KB", read<1, 1024, 4096>},
    {"64-byte loads, prefetch 2 KB and 5 KB", read<1, 2048, 5120>},
    {"64-byte loads, 2 streams, prefetch 2 KB and 5 KB", read<2, 2048, 5120>},
    {"64-byte loads, 4 streams", read<4, 0, 0>},
    {"64-byte loads, 4 streams, prefetch 2 KB and 5 KB", read<4, 2048, 5120>},
};

}  // namespace

ReadLoops avx512_read_loops() {
  return {kLoops, sizeof(kLoops) / sizeof(kLoops[0])};
}

}  // namespace limits
