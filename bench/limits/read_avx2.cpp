// Read loops of 32-byte loads. Compiled with -mavx2: called only where the processor has it, and everything here is
// local.
#include <immintrin.h>

#include "read_loops.hpp"

namespace limits {

namespace {

using Vector = __m256i;

inline __attribute__((always_inline)) Vector load(const std::byte* p) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
}

inline __attribute__((always_inline)) Vector add(Vector a, Vector b) {
  return _mm256_add_epi64(a, b);
}

inline __attribute__((always_inline)) std::uint64_t total(Vector v) {
  std::uint64_t parts[4];
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(parts), v);
  return parts[0] + parts[1] + parts[2] + parts[3];
}

#include "read_shape.inc"

constexpr NamedReadLoop kLoops[] = {
    {"32-byte loads", read<1, 0, 0>},
    {"32-byte loads, prefetch 2 KB", read<1, 2048, 0>},
    {"32-byte loads, prefetch 512 B and 2 KB", read<1, 512, 2048>},
    {"32-byte loads, prefetch 1 KB and 4 KB", read<1, 1024, 4096>},
    {"32-byte loads, prefetch 2 KB and 5 KB", read<1, 2048, 5120>},
    {"32-byte loads, prefetch 4 KB and 16 KB", read<1, 4096, 16384>},
    {"32-byte loads, 2 streams", read<2, 0, 0>},
    {"32-byte loads, 2 streams, prefetch 2 KB and 5 KB", read<2, 2048, 5120>},
    {"32-byte loads, 4 streams", read<4, 0, 0>},
    {"32-byte loads, 4 streams, prefetch 2 KB and 5 KB", read<4, 2048, 5120>},
};

}  // namespace

ReadLoops avx2_read_loops() {
  return {kLoops, sizeof(kLoops) / sizeof(kLoops[0])};
}

}  // namespace limits
